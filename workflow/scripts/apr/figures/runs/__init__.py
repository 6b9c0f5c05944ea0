"""What single runs, their data and their architectures look like."""
