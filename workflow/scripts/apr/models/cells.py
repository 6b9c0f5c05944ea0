"""Names of the cells of NAS-Bench-201 (Dong and Yang, ICLR 2020): one spelling for all tables, and equal structures.

A cell has four nodes; an edge from each node to each later one carries one of five operations.
"""

import re
from collections.abc import Callable

from apr.basics.problems import Problem

# NASLib's numbers of the operations, and its order of the edges (source, target); naslib/search_spaces/nasbench201
OPERATIONS = ("skip_connect", "none", "nor_conv_3x3", "nor_conv_1x1", "avg_pool_3x3")
EDGES = ((0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3))
CELL = re.compile(r"\|(\w+~0)\|\+\|(\w+~0)\|(\w+~1)\|\+\|(\w+~0)\|(\w+~1)\|(\w+~2)\|")
INDICES = re.compile(r"\(" + ", ".join([r"([0-4])"] * len(EDGES)) + r"\)")


def cell_of_indices(text: str) -> str:
    """The cell, as NAS-Bench-201 writes it, of NASLib's numbers such as "(0, 2, 3, 2, 3, 1)".

    Raises:
        Problem: the text is no such list.
    """
    match = INDICES.fullmatch(text)
    if not match:
        raise Problem(f"{text!r} is not six numbers of operations in brackets, as NASLib names a cell")
    operations = dict(zip(EDGES, (OPERATIONS[int(index)] for index in match.groups()), strict=True))
    nodes = ("".join(f"|{operations[source, target]}~{source}" for source in range(target)) for target in (1, 2, 3))
    return "+".join(f"{node}|" for node in nodes)


def structure_of_cell(text: str) -> str:
    """What a cell computes: equal for cells that differ in the order or the place of their operations alone.

    A skip connection is its source, and nothing comes of "none" (xautodl, Structure.to_unique_str).

    Raises:
        Problem: the text is no cell as NAS-Bench-201 writes it.
    """
    match = CELL.fullmatch(text)
    if not match or any(edge.partition("~")[0] not in OPERATIONS for edge in match.groups()):
        raise Problem(f"{text!r} is not a cell as NAS-Bench-201 writes it (|nor_conv_3x3~0|+|…)")
    nodes, edges = ["0"], [edge.split("~") for edge in match.groups()]
    for target, count in enumerate((1, 2, 3), start=1):
        start = sum(range(target))
        inputs = [_through(operation, nodes[int(source)]) for operation, source in edges[start : start + count]]
        nodes.append("+".join(sorted(inputs)))
    return nodes[-1]


def _through(operation: str, source: str) -> str:
    if operation == "none" or source == "#":
        return "#"
    return source if operation == "skip_connect" else f"({source})@{operation}"


NAMES: dict[str, Callable[[str], str]] = {"naslib_indices": cell_of_indices, "cell_structure": structure_of_cell}
