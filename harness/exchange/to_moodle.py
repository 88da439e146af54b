"""Moodle: the downloaded grading worksheet with grades, and a zip of reports as feedback files.

Sources of the rules, in Moodle's code: `mod/assign/feedback/offline/importgradeslib.php` and
`locallib.php` (headings in the site's language; equal, empty, locked and out-of-range grades are
skipped without a word, and a comment is written even where the grade is locked), `unformat_float`
(a point is taken everywhere, a comma where the site uses it), `feedback/comments/locallib.php`
(comments are HTML) and `feedback/file/importziplib.php` (`name_<id>_assignfeedback_file_/…`; before
4.1 the last underscore is needed, and no file's name may begin with a dot or a tilde).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from pathlib import Path

from harness.errors import UsageError
from harness.exchange import filling
from harness.exchange.columns import Columns, moodle_columns, participant
from harness.exchange.filling import Place
from harness.exchange.matching import Person
from harness.exchange.order import Order, Output, file_of, zip_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.sheets import Sheet
from harness.exchange.totals import Total
from harness.texts import visible

# `yes` and `no` of Moodle's language packs.
_YES = {
    *("yes", "ja", "oui", "sí", "sì", "si", "sim", "tak", "да", "так", "是", "はい", "예", "kyllä"),
    *("ano", "áno", "evet", "igen", "نعم", "ναι", "da", "bai", "jah", "jā", "taip", "כן"),
}
_NO = {
    *("no", "nein", "non", "não", "nee", "nie", "нет", "ні", "否", "いいえ", "아니오", "ei"),
    *("ne", "nej", "nei", "hayır", "nem", "لا", "όχι", "nu", "ez", "nē", "לא"),
}
_MOST_DECIMALS = 5
_OURS = re.compile(r'<p class="grading-points">.*?</p>', re.DOTALL)


def plan(order: Order, account: Account) -> Iterator[Output]:
    """The worksheet, in which nothing but grades and comments differs, and the zip beside it.

    Raises:
        UsageError: the worksheet cannot be used.
    """
    sheet = Sheet.read(order.needed_sheet("the grading worksheet (View all submissions)"))
    columns = _with_changeable(moodle_columns(sheet, order.columns), account)
    if "scale" in columns.places and "maximum" not in columns.places:
        raise UsageError(
            f"{sheet.path}: the assignment is graded on a scale; set it to points in Moodle, and "
            "download the worksheet again"
        )
    columns.need("grade", "maximum")
    path = order.target("moodle-grades.csv")
    beside = path.with_name(f"{path.stem}-feedback.zip")
    if sheet.separator != ",":
        account.tell(Kind.NOTE, f"cells are separated by {sheet.separator!r}: say so at the upload")
    members = list(_fill(columns, order.reports, account))
    yield file_of(path, sheet.to_bytes)
    yield zip_of(beside, members)


def _with_changeable(columns: Columns, account: Account) -> Columns:
    """Add the column that tells what is locked, if its heading is not known, by its cells."""
    if "changeable" in columns.places:
        return columns
    rows = range(len(columns.sheet.rows))
    known = _YES | _NO
    found = [
        place
        for place in range(len(columns.sheet.header))
        if place not in columns.places.values()
        and all(columns.sheet.cell(row, place).strip().casefold() in known for row in rows)
    ]
    if len(found) == 1 and rows:
        return replace(columns, places={**columns.places, "changeable": found[0]})
    account.tell(
        Kind.NOTE,
        "no column was recognised that says whether a grade can be changed, so none is taken as "
        "locked; say which one it is: --column changeable=HEADING",
    )
    return columns


def _fill(columns: Columns, reports: Path, account: Account) -> Iterator[tuple[str, Path]]:
    """Set the cells; yields the name in the zip and the file of each report."""
    rows = range(len(columns.sheet.rows))
    tops = [columns.of(row, "maximum") for row in rows]
    mark = filling.mark_of([*tops, *(columns.of(row, "grade") for row in rows)])
    places = [_place(columns, row, account) for row in rows]
    how = "set the maximum grade in Moodle to the lab's, and download the worksheet again"
    for place, total in filling.fill(reports, places, account, how):
        row = place.person.row
        least = filling.decimals(tops[row])
        changed = _set(columns, row, place, total, mark, least)
        account.written += changed
        account.unchanged += not changed
        report = reports / total.graded.report
        if not report.is_file():
            account.tell(Kind.NOTE, f"{total.who}: no report; run `harness grade` again")
        elif not place.person.id:
            account.tell(Kind.NOTE, f"{total.who}: no number of a participant, so no report")
        else:
            yield _name_in_zip(place.person, total), report


def _place(columns: Columns, row: int, account: Account) -> Place:
    identifier, name = columns.of(row, "identifier"), columns.of(row, "name")
    person = Person(
        row,
        columns.sheet.line(row),
        id=participant(identifier),
        email=columns.of(row, "email"),
        # A submission may have come in while names were hidden: the number is then the name.
        names=(name, identifier) if name else (),
    )
    locked = _is_locked(columns.of(row, "changeable"), account)
    return Place(
        person,
        columns.of(row, "grade"),
        filling.number(columns.of(row, "maximum")),
        Kind.LOCKED if locked else None,
        "locked in Moodle's gradebook; unlock it there, or enter the grade there" * locked,
    )


def _is_locked(changeable: str, account: Account) -> bool:
    word = changeable.casefold()
    if word and word not in _YES | _NO:
        account.tell(
            Kind.NOTE,
            f"whether a grade can be changed is {changeable!r}, which is not understood: "
            "taken as yes; Moodle leaves out what is locked",
        )
    return word in _NO


def _set(columns: Columns, row: int, place: Place, total: Total, mark: str, least: int) -> bool:
    """Set grade and comment of a row; whether that changed anything."""
    sheet, before = columns.sheet, list(columns.sheet.rows[row])
    points = total.points or 0.0
    if not filling.is_there(place.now, points):
        grade = filling.written(points, mark, least, _MOST_DECIMALS)
        sheet.set(row, columns.places["grade"], grade)
    if (column := columns.places.get("feedback")) is not None:
        sheet.set(row, column, commented(sheet.cell(row, column), total, mark))
    return sheet.rows[row] != before


def commented(now: str, total: Total, mark: str) -> str:
    """A comment with the points line by line; what a person wrote before stays."""

    def shown(points: float) -> str:
        return filling.written(points, mark, 0, _MOST_DECIMALS)

    lines = [escape(visible(line.shown(shown))) for line in total.graded.lines]
    top = shown(total.graded.max_points)
    lines.append(f"<strong>{shown(total.points or 0.0)} / {top}</strong>")
    ours = f'<p class="grading-points">{"<br>".join(lines)}</p>'
    return _OURS.sub(lambda _: ours, now, count=1) if _OURS.search(now) else now + ours


def _name_in_zip(person: Person, total: Total) -> str:
    """`name_<id>_assignfeedback_file_/…`: the name is for people, so letters and digits do."""
    name = unicodedata.normalize("NFC", (person.names or (total.who,))[0])
    plain = "".join(c if c.isalnum() or c == "-" else " " for c in name)
    short = " ".join(plain.split())[:40].strip(" -") or "student"
    return f"{short}_{person.id}_assignfeedback_file_/report.html"
