"""Where the strings of a JSON text stand in it, which `json` does not tell.

Grammar: RFC 8259. The text is known to be JSON already. It is read in one pass without recursion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import TypeAlias

_TOKEN = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]')
_DEEPEST = 100

Keys: TypeAlias = "tuple[str | int, ...]"


def strings(text: str) -> Iterator[tuple[Keys, str, int]]:
    """Keys, value and line (from 1) of each string that is a value, unless nested too deep.

    Args:
        text: JSON.
    """
    at: list[str | int] = []  # a key or an index per level
    awaits_key = False
    line, counted = 1, 0
    for token in _TOKEN.finditer(text):
        inside_list = bool(at) and isinstance(at[-1], int)
        match token[0][0]:
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
            case _ if awaits_key:
                at[-1] = json.loads(token[0])
                awaits_key = False
            case _ if len(at) < _DEEPEST:
                line += text.count("\n", counted, token.start())
                counted = token.start()
                yield tuple(at), json.loads(token[0]), line
