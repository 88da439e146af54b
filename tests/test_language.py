"""The language that texts are made in."""

import re
import threading
from collections import Counter

import pytest
import texts

from harness.language import gettext, ngettext, speaking, spoken


def test_english_needs_no_catalogue():
    assert (gettext("Points"), ngettext("a case", "cases", 1), spoken()) == (
        "Points",
        "a case",
        "en",
    )


def test_a_language_holds_until_it_is_left_and_in_its_own_thread():
    seen = []
    with speaking("fr"):
        with speaking("en"):
            assert spoken() == "en"
        assert spoken() == "fr"
        thread = threading.Thread(target=lambda: seen.append(spoken()))
        thread.start()
        thread.join()
    assert (seen, spoken()) == (["en"], "en")


def test_what_the_catalogue_lacks_stays_as_it_is():
    with speaking("fr"):
        assert gettext("no such text") == "no such text"


@pytest.fixture(scope="module")
def french():
    return {message.id: message for message in texts.read("fr") if message.id}


def test_the_catalogue_has_every_text_of_the_sources_and_no_other(french):
    """`python tests/texts.py` brings it up to date and says what lacks a translation."""
    assert french.keys() == {message.id for message in texts.gathered() if message.id}


def test_every_text_is_translated(french):
    for message in french.values():
        assert not message.fuzzy, message.id
        strings = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(strings), message.id


def placeholders(text):
    return Counter(
        re.findall(r"\{[^{}]*\}|%\([a-z]+\)s|%%", text.replace("{{", "").replace("}}", ""))
    )


def test_translations_keep_the_places_of_what_is_filled_in(french):
    for identifier, message in french.items():
        if isinstance(identifier, tuple):
            for string in message.string:
                assert placeholders(string) == placeholders(identifier[1]), identifier
        else:
            assert placeholders(message.string) == placeholders(identifier), identifier


def test_every_translation_can_be_filled_in(french):
    """A format that does not fit its value would be an error on somebody's page."""

    class Anything(float):
        def __format__(self, spec):
            return format(1.0, spec) if spec else "x"

    class Everything(dict):
        def __missing__(self, key):
            return Anything()

    for identifier, message in french.items():
        for string in message.string if isinstance(message.string, tuple) else (message.string,):
            if "%(" in string:
                assert string % Everything()
            elif "{" in string:
                assert string.format_map(Everything()), identifier


def test_french_has_its_own_rule_for_one_and_many():
    with speaking("fr"):
        zero, one, two = (
            ngettext("%(num)s case failed", "%(num)s cases failed", n) for n in (0, 1, 2)
        )
    assert zero == one != two
