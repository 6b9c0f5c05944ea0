"""Starts of scripts from a process that has imported their libraries: the two ends of a socket, run by their paths."""
