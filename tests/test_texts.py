"""Texts from outside are shown as they are, and cannot do anything."""

from __future__ import annotations

import pytest

from harness.texts import from_cell, plain_cell


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_cells_that_a_spreadsheet_would_compute_are_text(start):
    assert plain_cell(start + "1") == "'" + start + "1"
    assert plain_cell("a" + start) == "a" + start
    assert from_cell("'" + start + "1") == start + "1"


@pytest.mark.parametrize("text", ["", "'", "'tis", "a'=b", "O'Hara"])
def test_other_cells_stay_as_they_are(text):
    assert plain_cell(text) == text
    assert from_cell(text) == text
