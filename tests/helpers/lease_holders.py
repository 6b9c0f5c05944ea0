"""Processes that hold a lease, and waiting for one that ends."""

import os
import subprocess
import sys
import time

from study import ROOT

ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "workflow/scripts")}
HOLD = """if True:
    import sys, time
    from apr.basics.leases import Lease
    with Lease(sys.argv[1]):
        print("mine", flush=True)
        time.sleep(60)
"""
ELSEWHERE = {"token": "x", "host": "elsewhere", "pid": 1, "born": "1", "job": "17"}
QUICK = {"beat": 0.1, "stale": 0.5}


class GaveUpError(Exception):
    """Raised by a process that waits no longer."""


def holder(path):
    """A process that holds the lease."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, env=ENVIRONMENT)
    assert process.stdout.readline() == b"mine\n"
    return process


def after(seconds):
    """What ends the waiting after a while."""
    end = time.monotonic() + seconds

    def give_up():
        if time.monotonic() > end:
            raise GaveUpError

    return give_up
