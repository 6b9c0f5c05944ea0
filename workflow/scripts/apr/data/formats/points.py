"""The class belongs to a point of a large picture: one list of points a picture."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from apr.basics.problems import Problem
from apr.basics.randomness import generator
from apr.basics.values import Between
from apr.data.reading.label_table import decode_text, require_columns
from apr.data.reading.listing import Item, Listing
from apr.data.reading.snippets import Snippet
from apr.data.reading.walking import LeftOut, find_files, find_images, is_picture

Count = Annotated[int, Between(1, 1_000_000)]


def read_point_annotations(
    root: Path,
    *,
    classes: list[str],
    size: Count,
    per_image: Count | None = None,
    seed: int = 0,
    suffix: str = ".txt",
    delimiter: str = ";",
    row: str = "Row",
    column: str = "Col",
    label: str = "Label",
) -> Listing:
    """Read `<picture>` with its points in `<picture>.txt`; a snippet around each point is an image.

    The lists of the Moorea labeled corals (Beijbom et al. 2012) begin with `# Row; Col; Label` and go on with lines
    such as `671; 217; Sand`, as public readers of them show; whether rows count from 0 or from 1 is not stated: it
    moves a snippet by one pixel. A picture is the group of its snippets, which overlap.

    Args:
        root: holds pictures and lists, at any depth.
        classes: labels that are classes, in their order, whatever their case; points with other labels are left out.
        size: side of a snippet in pixels.
        per_image: points drawn of each picture among those of the classes; all by default.
        seed: of that draw.
        suffix: appended to a picture's whole name, gives the name of its list.
        delimiter: between the columns.
        row: column of the point's row, counted from the top.
        column: column of the point's column, counted from the left.
        label: column of the class.

    Raises:
        Problem: a list without its picture or its columns, or a line that is no point.
    """
    left = LeftOut()
    known = {name.lower(): name for name in classes}
    files = (path for path in find_files(root) if path.name.endswith(suffix))
    lists = {path for path in files if is_picture(path.name.removesuffix(suffix))}
    waiting = set(lists)
    items = []
    for picture in find_images(root, left, apart=lists):
        path = picture.with_name(picture.name + suffix)
        if path not in waiting:
            left["picture_without_points"] += 1
            continue
        waiting.remove(path)
        name = picture.relative_to(root).as_posix()
        found = []
        for number, (at_row, at_column, kind) in enumerate(_points(path, delimiter, (row, column, label), left)):
            if kind.lower() in known:
                place = Snippet(picture, at_row, at_column, size)
                found.append(Item(f"{name}/{number:03d}", known[kind.lower()], place, group=name))
            else:
                left[f"label {kind}"] += 1
        drawn = sorted(generator("points", seed, name).permutation(len(found))[:per_image])
        left["point_not_drawn"] += len(found) - len(drawn)
        items += [found[i] for i in drawn]
    if waiting:
        raise Problem(f"{min(waiting)}: its picture is missing ({len(waiting)} in all); add it, or remove the list")
    return Listing(items, list(classes), left)


def _points(path: Path, delimiter: str, columns: tuple[str, str, str], left: LeftOut) -> Iterator[tuple[int, int, str]]:
    """Row, column and label of each point of a list."""
    lines = decode_text(path, left).split("\n") if path.stat().st_size else []
    header = _cells(lines[0].lstrip("#"), delimiter) if lines else []
    require_columns(path, columns, header)
    at_row, at_column, at_label = map(header.index, columns)
    for number, line in enumerate(lines[1:], start=2):
        if not line.strip():
            continue
        cells = _cells(line, delimiter)
        try:
            yield int(cells[at_row]), int(cells[at_column]), cells[at_label]
        except (ValueError, IndexError):
            raise Problem(f"{path}: line {number}: {line!r} is no point; correct options: delimiter") from None


def _cells(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in line.split(delimiter)]
