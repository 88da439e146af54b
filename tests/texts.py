"""The texts that pages show, gathered from the sources: `python tests/texts.py` updates catalogues.

Marked texts of Python files and templates, and the hints of all known mistakes, which stand in the
docstrings of the reference.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
CATALOGUES = ROOT / "harness" / "locale"
_METHODS = [
    ("**.py", "python"),
    ("**.html", "jinja2.ext.babel_extract"),
    ("**/handout.md", "jinja2.ext.babel_extract"),
]
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "marked": None}


def gathered() -> Catalog:
    """All texts of the sources, without translations."""
    from harness.catalogue import read_catalogue

    catalogue = Catalog(project="xai-grading-harness", charset="utf-8", fuzzy=False)
    found = extract_from_dir(
        ROOT / "harness", _METHODS, keywords=_KEYWORDS, options_map={"**.html": {"silent": "false"}}
    )
    for file, line, message, _, _ in found:
        catalogue.add(message, locations=[(f"harness/{file}", line)])
    for entry in read_catalogue(ROOT / "reference"):
        if entry.hint:
            catalogue.add(entry.hint, locations=[(f"reference/mistakes/{entry.name}.py", 1)])
    return catalogue


def read(language: str) -> Catalog:
    """A catalogue with its translations."""
    with (CATALOGUES / f"{language}.po").open("rb") as stream:
        return read_po(stream, locale=language)


def update(language: str) -> int:
    """Bring a catalogue up to date with the sources; how many texts lack a translation."""
    catalogue = read(language)
    catalogue.update(gathered(), no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    with (CATALOGUES / f"{language}.po").open("wb") as stream:
        write_po(stream, catalogue, width=100, sort_output=True, no_location=True)
    return sum(not all(_texts(message.string)) for message in catalogue if message.id)


def _texts(string: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [string or ""] if not isinstance(string, (list, tuple)) else list(string)


if __name__ == "__main__":
    left = update("fr")
    print(f"{left} texts without a translation")  # noqa: T201
    sys.exit(bool(left))
