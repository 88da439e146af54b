"""Code and notebooks read as data, within limits: no wall stands around what is done here."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from harness.language import gettext as _

MAX_CELLS = 1000
# What is read outside the sandbox: bytes of a notebook, its lists, objects and keys, all its parts,
# characters of its cells together, bytes of code.
MOST_NOTEBOOK_BYTES = 50 * 2**20
_MOST_PARTS = 10**6
_MOST_VALUES = 2 * 10**6
MOST_CHARACTERS = 2**21
MOST_PARSED = 2**18
# Of cells: kinds that become one of ours, in nbformat 1 to 4; keys of their text; others.
_KINDS = {"code": {"code"}, "markdown": {"markdown", "heading", "html", "text"}}
_TEXTS = {"source", "input", "code", "text"}
_SHORT = ("cell_type", "id", "language", "level")
_NAME = re.compile(rb"[\w\s\\\x80-\xff.]+")
_MOST_NAMED = 500  # parts of a name
# Marks above letters in a name are put in order one by one, in the square of the time.
_LONG_WORD = re.compile(rb"[\x80-\xff]{1000}")
_MOST_BRACES = 5000  # each may be a field of one formatted string
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_PLAIN_CODINGS = (b"utf-8", b"utf8", b"latin", b"iso-8859-", b"cp125", b"ascii")


class NotebookError(Exception):
    """A notebook that cannot be read; the text tells a student why."""


class UnparsedError(Exception):
    """Code that is not parsed where no wall is around it."""


def read_cells(path: Path, kind: str) -> list[str]:
    """The cells of a notebook of one kind, `code` or `markdown`; outputs are never looked at.

    Raises:
        NotebookError: it cannot be read.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of cells without an id, for one
            import nbformat  # takes a while, and few hand in notebooks

            notebook = nbformat.reads(_bare(path, kind), as_version=4)  # type: ignore[no-untyped-call]
        return ["".join(cell.source) for cell in notebook.cells if cell.cell_type == kind]
    except NotebookError:
        raise
    # A notebook is somebody's file: whatever nbformat meets in it is a fault of the file.
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        text = _("{name} is not a notebook that can be read ({reason})")
        raise NotebookError(text.format(name=path.name, reason=reason)) from None


def _bare(path: Path, kind: str) -> str:
    """A notebook's JSON with nothing but the text of cells of one kind.

    Outputs, attachments and metadata can be of any size and shape, and are never looked at.

    Raises:
        NotebookError: it is too large to be looked into.
    """
    document = json.loads(_text(path))
    sheets = [document, *islice(document.get("worksheets", ()), MAX_CELLS)]  # these in nbformat 3
    count, left = 0, MOST_CHARACTERS
    for sheet in sheets:
        cells = sheet.get("cells", ())
        count += len(cells)
        if count > MAX_CELLS:
            text = _("{name} has more than {n} cells; hand in your own code only")
            raise NotebookError(text.format(name=path.name, n=MAX_CELLS))
        kept = [cell for cell in cells if cell["cell_type"] in _KINDS[kind]]
        for index, cell in enumerate(kept):
            kept[index], length = _bare_cell(cell, max(0, left))
            left -= length
        if left < 0 and kind == "code":
            text = _("{name} has more than {n} characters of code; hand in your own code only")
            raise NotebookError(text.format(name=path.name, n=MOST_CHARACTERS))
        sheet["cells"] = kept
    small = {key: document[key] for key in ("nbformat", "nbformat_minor") if key in document}
    if len(sheets) == 1:
        return json.dumps({**small, "metadata": {}, "cells": document["cells"]})
    bare = [{"cells": sheet["cells"], "metadata": {}} for sheet in sheets[1:]]
    return json.dumps({**small, "metadata": {}, "worksheets": bare})


def _bare_cell(cell: Mapping[str, Any], most: int) -> tuple[dict[str, Any], int]:
    """A cell with so many characters of its text, and how many it has.

    Raises:
        TypeError: its text is none.
    """
    short = {key: cell[key] for key in _SHORT if isinstance(cell.get(key), (str, int))}
    bare: dict[str, Any] = {key: value for key, value in short.items() if len(str(value)) < 99}
    bare |= {"source": "", "metadata": {}}
    if cell["cell_type"] == "code":
        bare |= {"outputs": [], "execution_count": None}
    length = 0
    for key in _TEXTS & cell.keys():
        text = cell[key]
        whole = "".join(text) if isinstance(text, list) else text
        if not isinstance(whole, str):
            raise TypeError(f"the {key} of a cell is no text")
        bare[key] = whole[:most]
        length = max(length, len(whole))
    return bare, length


def _text(path: Path) -> str:
    """The text of a notebook that is small enough to be read as JSON here.

    Raises:
        NotebookError: it has more bytes or parts than that.
    """
    if path.stat().st_size <= MOST_NOTEBOOK_BYTES:
        text = path.read_text("utf-8-sig")
        containers = sum(map(text.count, "[{:"))
        if containers <= _MOST_PARTS and text.count(",") <= _MOST_VALUES:
            return text
    told = _("{name} is too large to be read; clear its outputs, and hand in again")
    raise NotebookError(told.format(name=path.name))


def parsed(code: str | bytes) -> ast.Module:
    """Python code as a tree, where making one is sure to be quick and small.

    Raises:
        UnparsedError: it is not; such code is for Python to read in the sandbox.
        SyntaxError, ValueError, RecursionError, MemoryError: as `ast.parse`.
    """
    data = code.encode("utf-8", "surrogatepass") if isinstance(code, str) else code
    # Up to Python 3.11, each field of a formatted string is looked for in the whole of it.
    if len(data) > MOST_PARSED or data.count(b"{") > _MOST_BRACES:
        raise UnparsedError
    # A name of a hundred thousand parts, each of which is joined to all before it, takes gigabytes,
    # and some of the encodings that a file can choose take minutes.
    codings = [] if isinstance(code, str) else map(_CODING.match, data.splitlines()[:2])
    odd = any(
        found and not found[1].lower().replace(b"_", b"-").startswith(_PLAIN_CODINGS)
        for found in codings
    )
    if (
        odd
        or _LONG_WORD.search(data)
        or any(name[0].count(b".") >= _MOST_NAMED for name in _NAME.finditer(data))
    ):
        raise UnparsedError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of \d in a string, for one: no fault of syntax
        return ast.parse(code)
