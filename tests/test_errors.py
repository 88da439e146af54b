"""Errors form one tree, and their endings name what would have been right."""

from __future__ import annotations

import pytest

from harness import errors
from harness.errors import HarnessError, suggest
from harness.techniques.base import ArgumentError, OutputError
from harness.texts import visible


@pytest.mark.parametrize(
    "kind",
    [
        errors.UsageError,
        errors.LabError,
        errors.GoldenError,
        errors.WireError,
        errors.MachineError,
        ArgumentError,
    ],
)
def test_every_error_that_people_meet_is_a_harness_error(kind):
    assert issubclass(kind, HarnessError)
    assert str(kind("what was found")) == "what was found"


def test_a_students_mistake_is_no_error_of_the_harness():
    error = OutputError("returned nothing", "return the map")
    assert not isinstance(error, HarnessError)
    assert (str(error), error.hint) == ("returned nothing", "return the map")
    assert OutputError("returned nothing").hint == ""


def test_the_nearest_name_comes_first_and_then_all_that_are_allowed():
    assert suggest("conw", ["dense", "conv"]) == "did you mean 'conv'? allowed: dense, conv"


def test_without_a_near_name_there_is_no_question():
    assert suggest("xyz", ["dense", "conv"]) == "allowed: dense, conv"


def test_where_nothing_is_allowed_the_list_says_so():
    assert suggest("xyz", []) == "allowed: nothing"


def test_a_long_list_is_cut_after_the_limit_and_a_list_of_that_length_is_not():
    names = [f"n{index}" for index in range(13)]
    assert suggest("?", names).endswith("n10, n11, …")
    assert suggest("?", names[:12]).endswith("n10, n11")
    assert suggest("?", names, limit=2) == "allowed: n0, n1, …"


def test_names_that_are_no_text_are_compared_as_text():
    assert suggest(11, [1, 111]) == "did you mean '111'? allowed: 1, 111"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain\ttext\nof lines", "plain\ttext\nof lines"),
        ("a\r\nb", "a\nb"),
        ("a\rb", "a⟨U+000D⟩b"),
        ("\x1b[2J", "⟨U+001B⟩[2J"),
        ("\x9b31m", "⟨U+009B⟩31m"),
        ("evil\u202efdp.py", "evil⟨U+202E⟩fdp.py"),
        ("\udc80", "⟨U+DC80⟩"),
        ("naïve 😀", "naïve 😀"),
    ],
)
def test_what_cannot_be_seen_is_shown_by_its_code_point(text, shown):
    assert visible(text) == shown
    assert visible(shown) == shown
