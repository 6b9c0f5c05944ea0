"""Fetching and unpacking what publishers ship, without trusting any of it."""
