"""What is planned, what is there, and whether it belongs together."""
