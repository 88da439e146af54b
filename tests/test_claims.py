"""Claimed tables are read in little time, whatever stands in them, and still found."""

from __future__ import annotations

import budgets
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.claims import MOST_ROWS, Verdict, compare

EXPECTED = [("ball", 0.9), ("dog", 0.05)]
TABLE = "| class | p |\n|---|---|\n| ball | 0.9 |\n| dog | 0.5 |\n"
HOSTILE = ["- " * 140 + "0.9 x", "- " * 149, "a" + " " * 298, "a" + " :" * 148 + "x", "|a" * 149]
HOSTILE += ["a 1" * 99, "1" * 299, "a: " + "1" * 290, "*a" * 149, ":=|" * 99, "1. " * 99, "|" * 299]


@pytest.mark.parametrize("line", HOSTILE)
def test_rows_of_any_kind_take_little_time_and_the_table_is_found(line):
    text = f"{line}\n" * (200_000 // len(line)) + "\nThis is my table.\n\n" + TABLE
    found = []
    assert budgets.seconds(lambda: found.extend(compare(text, EXPECTED, ["ball", "dog"]))) < 1
    assert [claim.verdict for claim in found[-2:]] == [Verdict.RIGHT, Verdict.WRONG_PROBABILITY]


@pytest.mark.parametrize(
    ("line", "name", "said"),
    [
        ("1. 0.9", "1.", "0.9"),  # a class that is a digit
        ("- 7: 90 %", "7", "90 %"),
        ("- Ball (round): ≈0,9", "Ball (round)", "≈0,9"),
        ("ball –  ~90 % ", "ball", "~90 %"),
        ("ball: 0.9 = 0.8", "ball", "0.8"),
    ],
)
def test_a_row_is_its_name_and_its_last_number(line, name, said):
    claims = compare(f"{line}\nball: 0.9", EXPECTED, ["ball"])
    assert [(claim.name, claim.said) for claim in claims] == [(name, said), ("ball", "0.9")]


@pytest.mark.parametrize(
    "line", ["- 0.9", ": 0.9", "(=0.9", "* - 0.9%", "| 0.9", "0.9", "ball 0.9.1", "ball0.9"]
)
def test_a_number_without_a_name_is_no_row(line):
    assert compare(f"{line}\nball: 0.9", EXPECTED, ["ball"]) == ()


@given(
    st.lists(
        st.sampled_from(["ball", "- ", "1. ", "*", "|", "0.9", "%", " ", ": ", "(", ")", "\n"])
    )
)
def test_any_answer_has_claims_or_none(pieces):
    claims = compare("".join(pieces) + "\n\n" + TABLE, EXPECTED, ["ball", "dog"])
    assert len(claims) <= MOST_ROWS
    assert all(claim.said.strip("≈~ %")[0].isdecimal() for claim in claims)
