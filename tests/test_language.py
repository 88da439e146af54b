"""The language that texts are made in."""

import threading

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
