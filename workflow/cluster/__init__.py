"""Estimates of times, and SLURM."""
