"""Architectures, the population, networks and pretrained models."""
