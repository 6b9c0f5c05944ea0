"""Small faults that may be put into the code of the library and into its rules; mutants.py tries them."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COMPARED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==", ast.In: "not in"}
COMPARED |= {ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is"}
COMPUTED = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.FloorDiv: "/", ast.Mod: "*", ast.Pow: "*"}
NAMES = {"min": "max", "any": "all", "floor": "ceil", "argmin": "argmax", "zeros": "ones", "minimum": "maximum"}
NAMES |= {"mean": "median", "sqrt": "square", "sin": "cos", "low": "high", "first": "last", "train": "eval"}
NAMES |= {other: one for one, other in NAMES.items()}
SPOKEN = ("log", "logging", "warnings", "parser", "print")  # what these say is no behaviour
UNSEEN = ("encoding", "frozen", "non_blocking", "slots")  # arguments that change no result here
CHECKS = ("zip", "strict")  # a call and its argument that only checks


@dataclass(frozen=True)
class Fault:
    """A piece of a file (offsets of characters) and what stands there instead."""

    file: str
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {' '.join(self.before.split())[:80]!r} -> {self.after!r}"


def faults_of(file: Path, root: Path = ROOT) -> list[Fault]:
    """Every fault that this knows for a file of Python or of rules, within the project or a copy of it."""
    source = file.read_text(encoding="utf-8")
    name = str(file.relative_to(root))
    found = _rule_faults(source) if file.suffix == ".smk" else _code_faults(source)
    unique = {(start, end, after) for start, end, after in found if source[start:end] != after}
    return [
        Fault(name, source.count("\n", 0, start) + 1, start, end, source[start:end], after)
        for start, end, after in sorted(unique)
    ]


def _code_faults(source: str) -> Iterator[tuple[int, int, str]]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = source.splitlines()

    def span(node: ast.AST) -> tuple[int, int]:
        return tuple(
            starts[line - 1] + len(lines[line - 1].encode()[:column].decode())
            for line, column in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset))
        )

    for node in _behaviour(ast.parse(source)):
        for after in _changed(node):
            yield *span(node), after


def _behaviour(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes but types, docstrings, and what messages say."""
    for field, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if not isinstance(child, ast.AST) or field in ("annotation", "returns") or _silent(child):
                continue
            if isinstance(child, ast.keyword) and (_called(node), child.arg) == CHECKS:
                continue
            if isinstance(child, ast.expr | ast.stmt):
                yield child
            if not isinstance(child, ast.Raise | ast.JoinedStr):
                yield from _behaviour(child)


def _called(node: ast.AST) -> str:
    func = getattr(node, "func", None)
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")


def _silent(node: ast.AST) -> bool:
    if isinstance(node, ast.keyword) and node.arg in UNSEEN:
        return True
    if isinstance(node, ast.Import | ast.ImportFrom) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    ):
        return True
    call = node.value if isinstance(node, ast.Expr) else node
    return isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in SPOKEN


def _changed(node: ast.AST) -> Iterator[str]:
    """What may stand in a node's place."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield f"({ast.unparse(node.left)} {COMPARED[type(node.ops[0])]} {ast.unparse(node.comparators[0])})"
    elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
        yield f"({ast.unparse(node.left)} {COMPUTED[type(node.op)]} {ast.unparse(node.right)})"
    elif isinstance(node, ast.BoolOp):
        word = " or " if isinstance(node.op, ast.And) else " and "
        yield f"({word.join(f'({ast.unparse(value)})' for value in node.values)})"
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        yield f"({ast.unparse(node.operand)})"
    elif isinstance(node, ast.IfExp):
        yield f"({ast.unparse(node.orelse)} if {ast.unparse(node.test)} else {ast.unparse(node.body)})"
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield str(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        yield repr(node.value + 1) if isinstance(node.value, int) else repr(node.value * 1.25 or 0.5)
    elif isinstance(node, ast.Call):
        for left_out in node.keywords:
            rest = [keyword for keyword in node.keywords if keyword is not left_out and left_out.arg]
            if left_out.arg and left_out.arg not in UNSEEN and (_called(node), left_out.arg) != CHECKS:
                yield ast.unparse(ast.Call(node.func, node.args, rest))
        name = _called(node)
        if name in NAMES:
            yield ast.unparse(node).replace(f"{name}(", f"{NAMES[name]}(", 1)
    elif isinstance(node, ast.Expr | ast.AugAssign | ast.Raise) and not isinstance(
        getattr(node, "value", None), ast.Yield
    ):
        yield "pass"
    elif isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant):
        yield "return None"


def _rule_faults(source: str) -> Iterator[tuple[int, int, str]]:
    for found in re.finditer(r"ancient\(([^()]*(?:\([^()]*\))?[^()]*)\)", source):
        yield *found.span(), found[1]
    for found in re.finditer(r"(wildcards|lambda wildcards), output\b", source):
        yield *found.span(), found[1]
    for found in re.finditer(r'(?<=")(?:results|data)/(?=\w)', source):
        yield *found.span(), f"{found[0]}other_"
    for block in re.finditer(r"^    (?:input|params):\n((?:        .*\n)+)", source, re.MULTILINE):
        for line in re.finditer(r"^        \w+=.*,\n", block[1], re.MULTILINE):
            yield block.start(1) + line.start(), block.start(1) + line.end(), ""
