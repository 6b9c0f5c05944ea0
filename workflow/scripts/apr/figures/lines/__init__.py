"""Lines through models on two test sets."""
