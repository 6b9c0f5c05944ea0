"""The device that computes: which it is, what fits into its memory, and how it is kept busy."""
