"""The command lines of the scripts that make runs, and what they open."""
