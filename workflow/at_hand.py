"""Which configuration files `make transfer` takes: with EuroSAT where it is at hand, else with bundled images alone."""

import socket
import sys
from pathlib import Path

DEMO, EUROSAT, SLICE = (f"studies/{name}.yaml" for name in ("transfer_demo", "transfer_eurosat", "eurosat_slice"))
ARCHIVE = Path("../shared/data/archives/EuroSAT.zip")
FETCHED = Path("transfer/data/raw/eurosat/EuroSAT.zip")
HOST = "madm.dfki.de"  # as in resources/datasets.yaml
SECONDS = 5


def main() -> None:
    """Print the files, and say where EuroSAT comes from or why it is left out."""
    if ARCHIVE.is_file():
        files, where = [DEMO, EUROSAT, SLICE], f"an eighth of it, {ARCHIVE}"
    elif FETCHED.is_file():
        files, where = [DEMO, EUROSAT], str(FETCHED)
    elif _answers(HOST):
        files, where = [DEMO, EUROSAT], f"{HOST}, 94 MB, once"
    else:
        files, where = [DEMO], f"left out: {HOST} does not answer; put EuroSAT.zip at {FETCHED} to have it"
    print(f"EuroSAT: {where}", file=sys.stderr)
    print(*files)


def _answers(host: str) -> bool:
    try:
        socket.create_connection((host, 443), SECONDS).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
