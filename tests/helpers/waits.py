"""How long a test waits for anything at most: a machine that is busy with other work fails none."""

import time

LONGEST = 1800  # seconds


def wait_for(condition, what=""):
    """The first true value of `condition()`."""
    end = time.monotonic() + LONGEST
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {LONGEST} s: {what or condition.__name__}")
