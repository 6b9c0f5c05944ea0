"""The modules of workflow/warm, which are run by their paths, and what stands for the end of a process in them."""

import sys

from study import ROOT

WARM = ROOT / "workflow/warm"
sys.path.insert(0, str(WARM))
try:
    import server
    import start
finally:
    sys.path.remove(str(WARM))

__all__ = ["WARM", "Gone", "server", "start"]


class Gone(Exception):
    """Where a process would have ended."""
