"""A plain table of what each student gets, safe against formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.totals import Total, read_graded, totals
from harness.texts import shown_cell

COLUMNS = (
    *("id", "name", "email", "submission", "attempt", "points", "answers", "late"),
    *("total", "max", "held_back", "report"),
)


def plan(order: Order, account: Account) -> Iterator[Output]:
    """A row per student, sorted by submission; empty, never 0, where points are held back."""
    path = order.target("grades-by-student.csv")
    found = totals(read_graded(order.reports))
    account.grades = account.matched = len(found)
    for total in found:
        if total.held_back:
            account.hold(total.who, total.held_back, total.graded.remedy)
    account.written = account.grades - account.count(Kind.HELD_BACK)
    yield file_of(path, lambda: table(found, order.reports))


def table(found: Iterable[Total], reports: Path) -> bytes:
    """The table as UTF-8 with a mark that spreadsheets understand."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    for total in found:
        writer.writerow(map(_cell, _row(total, reports)))
    return text.getvalue().encode("utf-8-sig", errors="backslashreplace")


def _row(total: Total, reports: Path) -> tuple[object, ...]:
    graded = total.graded
    report = graded.report if (reports / graded.report).is_file() else ""
    return (
        *(total.student.id, total.student.name, total.student.email),
        *(graded.submission, graded.attempt, graded.automatic, graded.answers),
        "yes" if graded.late else "",
        *(total.points, graded.max_points, total.held_back, report),
    )


def _cell(value: object) -> object:
    return shown_cell(value) if isinstance(value, str) else value
