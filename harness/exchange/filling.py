"""Which rows of a sheet get a grade, and how numbers stand in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

from harness.exchange import matching
from harness.exchange.matching import Person
from harness.exchange.preflight import Account, Kind
from harness.exchange.totals import Total, read_graded, totals

_NUMBER = re.compile(r"[+-]?\d+(?:[.,](\d+))?$")
# Moodle and Canvas keep no more than two decimals where they compare or show.
_SHOWN = 2


@dataclass(frozen=True)
class Place:
    """A row that may get a grade.

    Attributes:
        person: whom it is about.
        now: the cell of the grade as it is.
        maximum: what the sheet gives at most; None where it does not say.
        kind: why the cell may not be changed, if so.
        reason: the same in words.
    """

    person: Person
    now: str = ""
    maximum: Decimal | None = None
    kind: Kind | None = None
    reason: str = ""


def fill(
    reports: Path, places: Sequence[Place], account: Account, how: str
) -> Iterator[tuple[Place, Total]]:
    """The rows that get a grade, in the sheet's order; the account says who does not, and why.

    Args:
        reports: the reports' folder.
        places: all rows.
        account: is told.
        how: what to do where the sheet has another maximum than the lab.
    """
    found = totals(read_graded(reports))
    account.grades = len(found)
    matched = matching.match(found, [place.person for place in places])
    matching.tell(matched, account)
    for place in places:
        total = matched.rows.get(place.person.row)
        if total is not None and _may_be_written(place, total, account, how):
            yield place, total


def _may_be_written(place: Place, total: Total, account: Account, how: str) -> bool:
    points, top = total.points, exact(total.graded.max_points)
    who = f"{total.who} (line {place.person.line})"
    if points is None:
        account.hold(who, total.held_back, total.graded.remedy)
    elif place.kind is not None and is_there(place.now, points):
        account.unchanged += 1
    elif place.kind is not None:
        account.tell(place.kind, f"{who}: {place.reason}")
    elif place.maximum is not None and place.maximum != top:
        text = f"the lab gives {top} points at most, the sheet {place.maximum.normalize():f}; {how}"
        account.tell(Kind.OUT_OF_RANGE, f"{who}: {text}")
    elif not 0 <= exact(points) <= top:
        account.tell(Kind.OUT_OF_RANGE, f"{who}: {exact(points)} points, 0 to {top} may be given")
    else:
        return True
    return False


def exact(points: float) -> Decimal:
    """Points as people write them."""
    return Decimal(str(points)).normalize() + 0


def number(text: str) -> Decimal | None:
    """The number in a cell, with a point or a comma; None where it holds something else."""
    plain = re.sub(r"\s", "", text)
    return Decimal(plain.replace(",", ".")) if _NUMBER.match(plain) else None


def decimals(text: str) -> int:
    """How many decimals a number in a cell has."""
    found = _NUMBER.match(re.sub(r"\s", "", text))
    return len(found[1] or "") if found else 0


def mark_of(cells: Iterable[str]) -> str:
    """The decimal mark that numbers of a sheet are written with; a point where none tells."""
    return next((mark for cell in cells if number(cell) for mark in ",." if mark in cell), ".")


def written(points: float, mark: str, least: int, most: int) -> str:
    """Points with so many decimals, rounded half up."""
    rounded = exact(points).quantize(Decimal(1).scaleb(-most), ROUND_HALF_UP)
    whole, _, rest = f"{rounded:f}".partition(".")
    rest = rest.rstrip("0").ljust(least, "0")
    return f"{whole}{mark}{rest}" if rest else whole


def is_there(now: str, points: float) -> bool:
    """Whether a cell has these points already, as exactly as systems show points."""
    found = number(now)
    if found is None:
        return False
    unit = Decimal(1).scaleb(-max(_SHOWN, decimals(now)))
    return found.quantize(unit) == exact(points).quantize(unit, ROUND_HALF_UP)
