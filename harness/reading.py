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
_MOST_MAGICS = 200  # of a cell, which is parsed anew for each
_LONG_NAME = re.compile(rb"(?:\.[\w\s\\\x80-\xff]*){500}")
_CODING = re.compile(rb"[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_PLAIN_CODINGS = (b"utf-8", b"utf8", b"latin", b"iso-8859-", b"cp125", b"ascii")
# Cell magics whose body is Python; the body of any other (%%bash, %%html, …) is not.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun"}


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


def drop_magics(text: str) -> tuple[str, list[str]]:
    """Blank the lines of a cell that are IPython's and not Python's; return them beside the code.

    A line is IPython's only where Python stumbles over it, so a string that happens to hold a line
    with `!` or `%`, or a formatting that goes on with `%` in the next line, is never touched.
    """
    lines = text.split("\n")
    dropped: dict[int, str] = {}
    first = next((line for line in lines if line.strip()), "")
    stumbles = _stumbling_line(text)
    if stumbles is not None and (match := re.match(r"\s*%%(\w+)", first)):
        if match[1] not in _PYTHON_CELLS:
            return "", [first.strip()]
        dropped[lines.index(first)] = first.strip()
        lines[lines.index(first)] = ""
        stumbles = _stumbling_line("\n".join(lines))
    for _round in range(_MOST_MAGICS):
        if stumbles is None or not _is_magic(lines[stumbles]):
            break
        dropped[stumbles] = _blank(lines, stumbles)
        stumbles = _stumbling_line("\n".join(lines))
    return "\n".join(lines), [dropped[index] for index in sorted(dropped)]


def _stumbling_line(code: str) -> int | None:
    """Index of the line where Python finds the code wrong; None where it does not, or is not asked.

    Of code that is too much to be read here, the child says so.
    """
    try:
        parsed(code)
    except SyntaxError as error:
        return min((error.lineno or 1) - 1, code.count("\n"))
    except (UnparsedError, ValueError, RecursionError, MemoryError):
        pass
    return None


def _is_magic(line: str) -> bool:
    stripped = line.strip()
    magic = re.match(r"[%!?]|[\w.]+\s*=\s*[%!](?!=)", stripped) or re.match(r"[\w.]+\?+$", stripped)
    return magic is not None


def _blank(lines: list[str], index: int) -> str:
    """Put `pass` in the place of a line, and nothing in that of lines that go on from it."""
    line = lines[index]
    indent = line[: len(line) - len(line.lstrip())]
    lines[index] = f"{indent}pass"
    going_on = line
    for after in range(index + 1, len(lines)):
        if not going_on.rstrip().endswith("\\"):
            break
        going_on, lines[after] = lines[after], ""
    return line.strip()
