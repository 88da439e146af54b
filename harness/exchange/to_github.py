"""GitHub Classroom: `result` of every submission, and the grades' table with its points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.errors import UsageError
from harness.exchange import filling
from harness.exchange.classroom import final_result
from harness.exchange.columns import Columns, github_columns
from harness.exchange.filling import Place
from harness.exchange.matching import Person
from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.sheets import Sheet
from harness.exchange.to_gradescope import outputs, per_submission

FILE = "result.json"


SHEET = "grades.csv"
_MOST_DECIMALS = 4


def plan(order: Order, account: Account) -> Iterator[Output]:
    """A file per submission, `<submission>/result.json`, and the table if one was given.

    Raises:
        UsageError: the table cannot be used.
    """
    folder = order.target("classroom")
    if order.sheet is None:
        found = list(per_submission(order, account))
    else:
        sheet = Sheet.read(order.sheet)
        _fill(github_columns(sheet), order.reports, account)
        yield file_of(folder / SHEET, sheet.to_bytes)
        # The account is about the table's rows; what is to say of submissions is noted.
        apart = Account()
        found = list(per_submission(order, apart))
        for text in apart.told.get(Kind.NOTE, ()):
            account.tell(Kind.NOTE, text)
    yield from outputs(order, found, lambda name: folder / name / FILE, final_result)


def _fill(columns: Columns, reports: Path, account: Account) -> None:
    sheet = columns.sheet
    if "points" not in columns.places:
        raise UsageError(
            f"{sheet.path}: no column 'points_awarded'; found {', '.join(sheet.header)}; download "
            "the grades of the assignment, not the roster"
        )
    places = [_place(columns, row) for row in range(len(sheet.rows))]
    how = "correct points_available in the sheet, or export --to csv"
    for place, total in filling.fill(reports, places, account, how):
        points = total.points or 0.0
        if filling.is_there(place.now, points):
            account.unchanged += 1
            continue
        text = filling.written(points, ".", 0, _MOST_DECIMALS)
        sheet.set(place.person.row, columns.places["points"], text)
        account.written += 1


def _place(columns: Columns, row: int) -> Place:
    login, identifier = columns.of(row, "login"), columns.of(row, "identifier")
    person = Person(
        row,
        columns.sheet.line(row),
        id=login,
        logins=tuple(filter(None, (login, identifier))),
        email=identifier if "@" in identifier else "",
        # A roster may have names, numbers or anything else as identifiers.
        names=(identifier,) if identifier and "@" not in identifier else (),
        named=False,
    )
    # Classroom writes 0 where no run of its tests has told a maximum.
    maximum = filling.number(columns.of(row, "maximum")) or None
    return Place(person, columns.of(row, "points"), maximum)
