"""The language of what students and instructors read: English in the sources, others by catalogue.

A text is marked where it stands, `_("expected {n} maps").format(n=5)` in Python and
`{{ _("%(n)s maps", n=5) }}` in a template, and looked up when it is made. Texts of the command
line, of lab errors and for other programs stay English.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path

CATALOGUES = Path(__file__).with_name("locale")
LANGUAGES = ("en", "fr")

_current: ContextVar[str] = ContextVar("language", default="en")


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Have texts made in a language, one of `LANGUAGES`, in this thread for the time being."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def spoken() -> str:
    """The language that texts are made in at present."""
    return _current.get()


def gettext(text: str) -> str:
    """A text of the sources in the present language, itself where the catalogue has none."""
    return _catalogue(_current.get()).gettext(text)


def ngettext(one: str, several: str, count: int) -> str:
    """The same for a text that depends on a number, by the plural rule of the language."""
    return _catalogue(_current.get()).ngettext(one, several, count)


@cache
def _catalogue(language: str) -> NullTranslations:
    if language == "en":
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with (CATALOGUES / f"{language}.po").open("rb") as stream:
        write_mo(compiled, read_po(stream, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


def marked(text: str) -> str:
    """A text that is looked up only later, marked here for the catalogue."""
    return text
