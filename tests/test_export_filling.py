"""Numbers as they stand in sheets."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.exchange import filling
from harness.exchange.sheets import Sheet


@pytest.mark.parametrize(
    ("now", "points", "there"),
    [
        ("15", 15.0, True),
        ("15,00", 15.0, True),
        ("15.33", 15.3333, True),  # as exactly as the system shows it
        ("15.3333", 15.3333, True),
        ("15.3334", 15.3333, False),
        ("15", 15.4, False),  # shown without decimals, but another grade
        ("", 0.0, False),
        ("EX", 15.0, False),
    ],
)
def test_a_grade_is_there_as_exactly_as_systems_show_it(now, points, there):
    assert filling.is_there(now, points) is there


@pytest.mark.parametrize(
    ("points", "shown"),
    [(2.665, "2.67"), (2.675, "2.68"), (0.1 + 0.2, "0.30"), (100.0, "100.00"), (-0.0, "0.00")],
)
def test_two_decimals_are_rounded_half_up_as_people_write_the_points(points, shown):
    assert filling.written(points, ".", 2, 2) == shown


@pytest.mark.parametrize(
    ("points", "shown"), [(15.0, "15"), (15.5, "15,5"), (15.33333, "15,33333"), (100.0, "100")]
)
def test_no_more_decimals_than_needed(points, shown):
    assert filling.written(points, ",", 0, 5) == shown


def test_a_part_of_a_sheet_has_every_column_in_rows_that_are_short():
    sheet = Sheet.from_bytes(b"a,b,c\n1\n\n2,,3\n", Path("sheet.csv"))
    assert sheet.to_bytes([0, 2]) == b"a,c\n1,\n\n2,3\n"
    assert sheet.to_bytes() == b"a,b,c\n1\n\n2,,3\n"
