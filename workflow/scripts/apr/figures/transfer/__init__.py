"""Scores on other data against ImageNet accuracy."""
