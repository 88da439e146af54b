"""Where the strings of a JSON text stand in it, which `json` does not tell.

Grammar: RFC 8259. The text is known to be JSON already. It is read in one pass without recursion.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import TypeAlias

_TOKEN = re.compile(r'["{}\[\],]')
_DEEPEST = 100

Keys: TypeAlias = "tuple[str | int, ...]"


def strings(text: str) -> Iterator[tuple[Keys, str, int]]:
    """Keys, value and line (from 1) of each string that is a value, unless nested too deep.

    Args:
        text: JSON.
    """
    at: list[str | int] = []  # a key or an index per level
    awaits_key = False
    line, counted, end = 1, 0, 0
    while token := _TOKEN.search(text, end):
        start, end = token.span()
        inside_list = bool(at) and isinstance(at[-1], int)
        match token[0]:
            case "{" | "[" as opening:
                at.append("" if opening == "{" else 0)
                awaits_key = opening == "{"
            case "}" | "]":
                at.pop()
                awaits_key = False
            case ",":
                if inside_list:
                    at[-1] += 1  # type: ignore[operator]
                awaits_key = not inside_list
            case _:
                value, end = scanstring(text, end)
                if awaits_key:
                    at[-1] = value
                    awaits_key = False
                elif len(at) < _DEEPEST:
                    line += text.count("\n", counted, start)
                    counted = start
                    yield tuple(at), value, line
