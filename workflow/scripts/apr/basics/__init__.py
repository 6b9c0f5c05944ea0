"""What every room may use: files, logs, problems, leases, randomness, names and texts."""
