"""`make mine`: what a user's pictures are, what is asked of them, and what came of it."""
