"""The one exception that is meant for the user."""


class Problem(Exception):
    """Something a user can correct: the message names the thing, the value and the remedy."""
