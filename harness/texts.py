"""Texts that come from outside, made fit to be shown to people."""

from __future__ import annotations

import re

# Control characters but for tab and line feed, and what else ends a line; marks that turn the
# direction of text, with which a name can pretend to be another; lone surrogates, which no file
# can hold.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)
# With these a spreadsheet begins a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def plain_word(name: str) -> str:
    """A class name without what people write differently: case, spaces, hyphens."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def visible(text: str) -> str:
    """Show what would not be seen, or would turn the text around, by its code point."""
    if text.isprintable():  # as nearly all are: sooner found than by searching
        return text
    return _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """The same for what must not begin a line of its own: a name, or what is told in a line.

    A line that begins with `::` is a command to a CI system.
    """
    return visible(text).replace("\n", "⟨U+000A⟩")


def plain_cell(text: str) -> str:
    """Text that a spreadsheet shows and never computes."""
    return "'" + text if text[:1] in _FORMULA else text


def shown_cell(text: str) -> str:
    """The same for a table that is only looked at: in one line, with nothing unseen in it."""
    return plain_cell(one_line(text))


def from_cell(text: str) -> str:
    """The text that `plain_cell` made a cell of."""
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text
