"""Every error of a configuration at once."""
