"""What the command line of `make mine` says: look at pictures, or tell what came of them."""

import argparse
import sys
from pathlib import Path

from apr.basics.escaping import visible
from apr.basics.logs import log_to
from mine.layouts import Labels
from mine.looking import Request, look
from mine.results import result_lines


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="workflow/mine", description=__doc__, allow_abbrev=False)
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("look", help="look at pictures and write own.yaml")
    asked.add_argument("data", nargs="?", help="a folder of class folders, an archive of one, or a folder of pictures")
    asked.add_argument("--labels", help="a table with a row a picture, in DATA or elsewhere")
    asked.add_argument("--image", help="its column of the picture, where it is not found")
    asked.add_argument("--label", help="its column of the class, where it is not found")
    asked.add_argument("--name", help="of the study; by default that of the folder")
    asked.add_argument("--minutes", help="that it may take, about (default 10)")
    asked.add_argument("--cores", help="that work (default 2)")
    asked.add_argument("--with", dest="overlays", help="further study files to be laid over; they are remembered")
    asked.add_argument("--directory", default="mine", type=Path, help="in which the study's folder is made")
    told = commands.add_parser("tell", help="say what came of a study")
    told.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    with log_to(None):
        if arguments.command == "tell":
            print(*map(visible, result_lines(arguments.folder)), sep="\n")
            return
        # make passes what was not given as an empty text
        given = {key: value or None for key, value in vars(arguments).items() if key not in ("command", "directory")}
        columns = [given[key] for key in ("labels", "image", "label")]
        labels = Labels(*columns) if any(columns) else None
        request = Request.of(given["data"], given["name"], labels, given["minutes"], given["cores"], given["overlays"])
        folder = look(request, arguments.directory, say=lambda line: print(visible(line), file=sys.stderr))
        print(folder)
