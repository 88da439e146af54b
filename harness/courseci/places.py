"""Where in a student's file a function is defined; the file is parsed and never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.courseci.rawjson import strings
from harness.magics import drop_magics
from harness.reading import MOST_PARSED, NotebookError, UnparsedError, parsed, read_cells

MAX_BYTES = 50 * 2**20
_BLOCKS = ("body", "handlers", "orelse", "finalbody", "cases")


@dataclass(frozen=True)
class Definitions:
    """What a file defines, by lines of the file as it is on disk, from 1.

    Attributes:
        lines: where each name is bound last at the top of the module.
        functions: the names that are functions, in order.
        broken: the line of the first error of syntax; 0 where there is none.
    """

    lines: Mapping[str, int] = field(default_factory=dict)
    functions: Sequence[str] = ()
    broken: int = 0

    def line_of(self, name: str) -> int:
        """Where a function is defined; of one that is not, where the file breaks off, or 1."""
        return self.lines.get(name) or self.broken or 1


def definitions(file: Path) -> Definitions:
    """What a script or a notebook defines; nothing where it cannot be read."""
    try:
        if file.stat().st_size > MAX_BYTES:
            return Definitions()
        if file.suffix == ".ipynb":
            return _of_notebook(file)
        return _of_pieces([(file.read_bytes(), range(1, 2**31))])
    except OSError:
        return Definitions()


def _of_notebook(file: Path) -> Definitions:
    """Each code cell is a piece of its own, as when it is run."""
    try:
        cells = read_cells(file, "code")
    except NotebookError:
        return Definitions()
    places = _code_cells(file.read_text("utf-8"))
    if len(places) != len(cells):  # a cell with two sources, or the like: JSON that says it twice
        return Definitions()
    pieces = [
        (drop_magics(text)[0].encode(errors="replace"), lines)
        for text, lines in zip(cells, places, strict=True)
    ]
    return _of_pieces(pieces)


def _code_cells(text: str) -> list[list[int]]:
    """Per code cell, the line in the raw text of each line of its source.

    The source is a list of lines or one string, `source` of `cells` in nbformat 4 and `input` of
    `cells` of `worksheets` in nbformat 3 (nbformat's `v3` and `v4` schemas).
    """
    kinds: dict[tuple[str | int, ...], str] = {}
    lines: dict[tuple[str | int, ...], list[int]] = {}
    ended: dict[tuple[str | int, ...], bool] = {}
    for keys, value, line in strings(text):
        depth = 4 if keys[:1] == ("worksheets",) else 2
        cell, rest = keys[:depth], keys[depth:]
        if len(cell) < depth or cell[-2] != "cells" or not rest:
            continue
        if rest == ("cell_type",):
            kinds[cell] = value
        elif rest[0] in ("source", "input") and len(rest) <= 2 and value:
            # A piece goes on with the line of the one before, unless that has ended.
            begun = value.removesuffix("\n").count("\n") + ended.get(cell, True)
            lines.setdefault(cell, []).extend([line] * begun)
            ended[cell] = value.endswith("\n")
    return [lines.get(cell, []) for cell, kind in kinds.items() if kind == "code"]


def _of_pieces(pieces: Sequence[tuple[bytes, Sequence[int]]]) -> Definitions:
    found: dict[str, int] = {}
    functions: dict[str, None] = {}
    broken = 0
    left = MOST_PARSED
    for code, lines in pieces:
        left -= len(code)
        if left < 0:
            break
        try:
            tree = parsed(code)
        except UnparsedError:
            continue
        except SyntaxError as error:
            broken = broken or _at(lines, error.lineno or 1)
        except (ValueError, RecursionError, MemoryError):  # a null byte; nested too deep to tell
            broken = broken or _at(lines, 1)
        else:
            for name, line, is_function in _bound(tree):
                found[name] = _at(lines, line)
                if is_function:
                    functions[name] = None
    return Definitions(found, tuple(functions), broken)


def _at(lines: Sequence[int], line: int) -> int:
    return lines[min(line, len(lines)) - 1] if lines else 1


def _bound(tree: ast.AST) -> Iterator[tuple[str, int, bool]]:
    """Name, line and whether it is a function, of what a module binds, in order of the lines.

    Blocks of `if`, `try`, `with` and loops belong to the module; bodies of functions and classes
    do not.
    """
    blocks = [tree]
    while blocks:
        node = blocks.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, True
        elif isinstance(node, ast.ClassDef):
            yield node.name, node.lineno, False
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                yield alias.asname or alias.name, node.lineno, False
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.lineno, isinstance(node.value, ast.Lambda)
        else:
            inner = [one for name in _BLOCKS for one in getattr(node, name, ())]
            blocks += reversed(inner)
