"""Code and notebooks read as data, within limits: no wall stands around what is done here."""

from __future__ import annotations

import ast
import json
import re
import warnings
from pathlib import Path

from harness.language import gettext as _

MAX_CELLS = 1000
# What is read outside the sandbox: bytes of a notebook, its lists and objects, bytes of code.
MOST_NOTEBOOK_BYTES = 50 * 2**20
_MOST_PARTS = 10**6
_MOST_PARSED = 2**18
_LONG_NAME = re.compile(rb"(?:\.[\w\s\\\x80-\xff]*){500}")
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

            notebook = nbformat.reads(_bare(path), as_version=4)  # type: ignore[no-untyped-call]
        return ["".join(cell.source) for cell in notebook.cells if cell.cell_type == kind]
    except NotebookError:
        raise
    # A notebook is somebody's file: whatever nbformat meets in it is a fault of the file.
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        text = _("{name} is not a notebook that can be read ({reason})")
        raise NotebookError(text.format(name=path.name, reason=reason)) from None


def _bare(path: Path) -> str:
    """A notebook's JSON without outputs and metadata, which can be of any size and shape.

    Raises:
        NotebookError: it is too large to be looked into.
    """
    document = json.loads(_text(path))
    sheets = [document, *document.get("worksheets", ())]  # these in nbformat 3
    count = 0
    for sheet in sheets:
        cells = sheet.get("cells", ())
        count += len(cells)
        if count > MAX_CELLS:
            text = _("{name} has more than {n} cells; hand in your own code only")
            raise NotebookError(text.format(name=path.name, n=MAX_CELLS))
        for cell in cells:
            cell["metadata"] = {}
            if sheet is document:
                cell.setdefault("source", "")
            if "outputs" in cell:
                cell["outputs"] = []
    return json.dumps({**document, "metadata": {}})


def _text(path: Path) -> str:
    """The text of a notebook that is small enough to be read as JSON here.

    Raises:
        NotebookError: it has more bytes or parts than that.
    """
    if path.stat().st_size <= MOST_NOTEBOOK_BYTES:
        text = path.read_text("utf-8-sig")
        if text.count("[") + text.count("{") <= _MOST_PARTS:
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
    # A name of a hundred thousand parts, each of which is joined to all before it, takes gigabytes,
    # and some of the encodings that a file can choose take minutes.
    codings = [] if isinstance(code, str) else map(_CODING.match, data.splitlines()[:2])
    odd = any(
        found and not found[1].lower().replace(b"_", b"-").startswith(_PLAIN_CODINGS)
        for found in codings
    )
    if odd or len(data) > _MOST_PARSED or _LONG_NAME.search(data):
        raise UnparsedError
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of \d in a string, for one: no fault of syntax
        return ast.parse(code)
