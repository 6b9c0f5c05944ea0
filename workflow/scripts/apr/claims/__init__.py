"""What papers report, read and judged."""
