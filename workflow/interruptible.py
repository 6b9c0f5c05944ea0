"""Snakemake as the Makefile starts it: Ctrl-C before its first job ends in a line, and not in a traceback.

To be run with `python -P`, so that the modules beside this file are in nobody's way.
"""

import sys

if __name__ == "__main__":
    try:
        from snakemake.cli import main

        main()
    except KeyboardInterrupt:
        print("interrupted; the same command goes on", file=sys.stderr)
        sys.exit(130)
