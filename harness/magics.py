"""Lines of a notebook's cell that are IPython's and not Python's, found in one pass.

A cell is read as far as it takes to know where a line begins a statement: strings, brackets,
comments and lines that go on. Nothing is parsed, so the work grows with the text alone. What is
IPython's is as in its `inputtransformer2`; formatted strings are read as PEP 701 has them.
"""

from __future__ import annotations

import re

# Cell magics whose body is Python; the body of any other (%%bash, %%html, …) is not.
_PYTHON_CELLS = {"time", "timeit", "capture", "prun"}
_CELL = re.compile(r"\s*%%(\w+)")
# `name?`, `module.na*e??`; what `!` or `%` may be assigned to.
_ASKED = re.compile(r"[\w.*\[\]]+\?{1,2}")
_TARGET = re.compile(r"[\w\s.,*\[\]]+")

_FORMAT = r"(?P<format>(?<!\w)(?:[fFtT][rR]?|[rR][fFtT]))?"
# What matters next, by what it stands in: code, a bracket, or a field of a formatted string, …
_OF_CODE = re.compile(_FORMAT + r"""(?P<mark>'''|\"\"\"|['"#()\[\]{}]|\\\Z)""")
_OF_FIELD = re.compile(_FORMAT + r"""(?P<mark>'''|\"\"\"|['"#()\[\]{}:]|\\\Z)""")
_MARKS = {"": _OF_CODE, "(": _OF_CODE, "{": _OF_FIELD, ":": re.compile("(?P<mark>[{}])")}
# … a string or a formatted string with these quotes around it.
for _quote in ("'", '"', "'''", '"""'):
    _MARKS[_quote] = re.compile(rf"\\.|(?P<mark>{_quote}|\\\Z)")
    _MARKS["f" + _quote] = re.compile(rf"\\[^{{}}]|{{{{|(?P<mark>{_quote}|{{|\\\Z)")


def drop_magics(text: str) -> tuple[str, list[str]]:
    """Blank the lines of a cell that are IPython's and not Python's; return them beside the code.

    A line is IPython's only where a statement begins with it, so a string that happens to hold a
    line with `!` or `%`, or a formatting that goes on with `%` in the next line, is never touched.
    """
    if not re.search("[%!?]", text):  # as in most cells
        return text, []
    lines = text.split("\n")
    dropped: list[str] = []
    first = next((index for index, line in enumerate(lines) if line.strip()), 0)
    if cell := _CELL.match(lines[first]):
        dropped.append(lines[first].strip())
        if cell[1] not in _PYTHON_CELLS:
            return "", dropped
        lines[first] = ""
    inside: list[str] = []
    goes_on = command_goes_on = False
    for index, line in enumerate(lines):
        if command_goes_on:
            lines[index] = ""
        elif not inside and not goes_on and _is_magic(line):
            dropped.append(line.strip())
            lines[index] = line[: len(line) - len(line.lstrip())] + "pass"
        else:
            for piece in line.removesuffix("\r").split("\r"):  # a line's end to Python
                goes_on = _goes_on(piece, inside)
            continue
        command_goes_on = line.rstrip().endswith("\\")
    return "\n".join(lines), dropped


def _is_magic(line: str) -> bool:
    """Whether a line with which a statement begins is none of Python's."""
    stripped = line.strip()
    if stripped[:1] in ("%", "!", "?"):
        return bool(stripped)
    target, _, value = stripped.partition("=")
    value = value.lstrip()
    assigned = value[:1] in ("%", "!") and value[1:2] != "=" and _TARGET.fullmatch(target)
    return bool(value and assigned) or _ASKED.fullmatch(stripped) is not None


def _goes_on(line: str, inside: list[str]) -> bool:
    """Follow one line of Python; whether it ends in a backslash that has the next go on with it.

    Args:
        line: without its end.
        inside: what the line stands in, outermost first, brought up to date: `(` for a bracket,
            quotes for a string, `f` and quotes for a formatted one, `{` and `:` for a field in it
            and for how that is formatted.
    """
    place = 0
    while found := _MARKS[inside[-1] if inside else ""].search(line, place):
        place = found.end()
        mark = found["mark"]
        if mark == "\\":
            return True
        if mark == "#":
            break
        if mark is not None:
            _step(mark, found.groupdict().get("format"), inside)
    if inside and inside[-1] in ("'", '"', "f'", 'f"'):  # without its end, which is a mistake
        inside.pop()
    return False


def _step(mark: str, formatted: str | None, inside: list[str]) -> None:
    """Enter or leave what a mark opens or closes."""
    within = inside[-1] if inside else ""
    if within and within not in "({:":  # a string, which ends, or a field in it begins
        if mark == "{":
            inside.append("{")
        else:
            inside.pop()
    elif mark in ")]}":
        if within == ":":
            inside.pop()
        if within in ("{", ":") and mark != "}":
            return
        if within:
            inside.pop()
    elif within == ":":
        inside.append("{")
    elif mark in "([{":
        inside.append("(")
    elif mark == ":":
        inside.append(":")
    else:
        inside.append("f" + mark if formatted else mark)
