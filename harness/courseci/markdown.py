"""Markdown in which nothing that comes from outside is anything but text.

Sources of the rules: the GitHub Flavored Markdown specification (entities, sections 2.4 and 6.2;
tables, 4.10; autolinks, 6.9); what GitHub makes of `@name` after that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from harness.texts import visible

# All that begins something within a line: code, emphasis, links, HTML, entities, formulas, cells.
# A low line within a word is itself.
_SPECIAL = re.compile(r"[\\`*\[\]<>!&|~$#{}^]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# Addresses that become links without any brackets.
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.|(?<=mailto):", re.IGNORECASE)
_MENTION = re.compile("@")
# What makes a list, a rule or a heading of a paragraph that begins so.
_FIRST = re.compile(r"^(\d*)([-+=.)])")
# Never broken, and never part of a name: after it there is nobody to be mentioned.
_WORD_JOINER = "&#8288;"


def plain(text: str) -> str:
    """A text as it is, within a paragraph or the cell of a table."""
    shown = _SPECIAL.sub(_entity, visible(text).strip())
    shown = _FIRST.sub(lambda found: found[1] + f"&#{ord(found[2])};", shown)
    shown = _ADDRESS.sub(_entity, shown)
    shown = _MENTION.sub("&#64;" + _WORD_JOINER, shown)
    return "<br>".join(filter(None, map(str.strip, shown.split("\n"))))


def row(cells: Sequence[str]) -> str:
    """A row of a table, of cells that are Markdown already."""
    return "| " + " | ".join(cells) + " |\n"


def head(cells: Sequence[str], right: Sequence[int] = ()) -> str:
    """The head of a table; numbers of the columns whose cells stand to the right."""
    lines = ["---:" if index in right else "---" for index in range(len(cells))]
    return row(cells) + row(lines)


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
