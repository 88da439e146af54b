"""Canvas: the downloaded gradebook with one assignment's column filled, and no other one.

Sources of the rules, in Canvas's code: `lib/gradebook_importer.rb` (information columns up to
`Section`, then columns `Title (id)`; a heading that matches nothing makes a new assignment; an
empty cell takes a grade away; `EX` excuses; scores are compared at two decimals; a comma is taken
as a point). Other assignments are left out, so that no grade given since is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.errors import UsageError, suggest
from harness.exchange import filling
from harness.exchange.columns import CanvasColumns, canvas_columns
from harness.exchange.filling import Place
from harness.exchange.matching import Person
from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.sheets import Sheet

_DECIMALS = 2


def plan(order: Order, account: Account) -> Iterator[Output]:
    """The information columns and the assignment's, rows in the sheet's order.

    Raises:
        UsageError: the gradebook cannot be used, or it is not told which column is meant.
    """
    sheet = Sheet.read(order.needed_sheet("the gradebook (Export entire gradebook)"))
    columns = canvas_columns(sheet)
    column = _column(columns, order.title)
    path = order.target("canvas-grades.csv")
    rows = list(columns.students())
    maximum = _maximum(columns, column, account)
    mark = filling.mark_of(sheet.cell(row, column) for row in range(len(sheet.rows)))
    places = [_place(columns, row, column, maximum) for row in rows]
    how = "make them equal in Canvas, and export the gradebook again"
    for place, total in filling.fill(order.reports, places, account, how):
        points = total.points or 0.0
        if filling.is_there(place.now, points):
            account.unchanged += 1
            continue
        cell = filling.written(points, mark, _DECIMALS, _DECIMALS)
        sheet.set(place.person.row, column, cell)
        account.written += 1
    information = _information(columns)
    yield file_of(path, lambda: sheet.to_bytes([*information, column]))


def _information(columns: CanvasColumns) -> Sequence[int]:
    if "section" not in columns.places:
        raise UsageError(
            f"{columns.sheet.path}: no column 'Section', without which Canvas takes no gradebook; "
            "export it again"
        )
    return range(columns.places["section"] + 1)


def _column(columns: CanvasColumns, title: str) -> int:
    """The assignment's column: never a new one."""
    sheet, found = columns.sheet, list((columns.assignments or {}).values())
    titles = [sheet.header[place] for place in found]
    if title:
        if title.strip() in titles:
            return found[titles.index(title.strip())]
        raise UsageError(f"{sheet.path}: no assignment {title!r}; {suggest(title, titles)}")
    if len(found) != 1:
        raise UsageError(
            f"{sheet.path}: {len(found)} assignments, expected --title to name one as it stands "
            f"there; {suggest('', titles)}"
        )
    return found[0]


def _maximum(columns: CanvasColumns, column: int, account: Account) -> str:
    row = columns.points_possible()
    text = columns.sheet.cell(row, column) if row is not None else ""
    if "read only" in text.lower():
        title = columns.sheet.header[column]
        raise UsageError(f"{columns.sheet.path}: {title!r} is read only in Canvas; name another")
    if filling.number(text) is None:
        account.tell(Kind.NOTE, "the gradebook has no points possible to compare")
    return text


def _place(columns: CanvasColumns, row: int, column: int, maximum: str) -> Place:
    now = columns.sheet.cell(row, column).strip()
    kind, reason = None, ""
    if now.upper() == "EX":
        kind, reason = Kind.EXCUSED, "excused in Canvas (EX)"
    elif now not in ("", "-") and filling.number(now) is None:
        kind, reason = Kind.LOCKED, f"the cell is {now!r}, expected a number or nothing"
    logins = (
        columns.of(row, "sis_id"),
        columns.of(row, "login"),
        columns.of(row, "integration_id"),
    )
    return Place(
        _person(columns, row, tuple(filter(None, logins))),
        now,
        filling.number(maximum),
        kind,
        reason,
    )


def _person(columns: CanvasColumns, row: int, logins: tuple[str, ...]) -> Person:
    sorted_name = columns.name(row)
    last, comma, first = sorted_name.partition(",")
    names = (f"{first.strip()} {last.strip()}", sorted_name) if comma else (sorted_name,)
    emails = [login for login in logins if "@" in login]
    return Person(
        row,
        columns.sheet.line(row),
        id=columns.of(row, "id"),
        logins=logins,
        email=emails[0] if emails else "",
        names=tuple(filter(None, names)),
    )
