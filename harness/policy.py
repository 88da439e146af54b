"""What a lab takes off for lateness, which attempt counts, and how totals are rounded.

Times are compared as moments, whatever zone they were written in. A day late ends at the deadline's
time of day in the lab's zone, on a day of 23 or 25 hours as well; an hour late has 3600 seconds.
Wherever a clock shows a time twice or never, the student gets the later moment.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from harness.errors import HarnessError, LabError, UsageError
from harness.handed_in import HandedIn, rows_of, same_name
from harness.yamlfile import Place, YamlFile

# Keys of the lab file that only this module reads: what they say changes no result of a case.
KEYS = ("late", "attempts", "rounding")
_DIRECTIONS = {"nearest": ROUND_HALF_UP, "up": ROUND_CEILING, "down": ROUND_FLOOR}
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Lateness:
    """How late one submission is.

    Attributes:
        deadline: the one that holds for it, in the lab's zone.
        extended: whether that is an extension.
        by: how long after the deadline, not counting seconds' fractions; zero or less: in time.
        units: days or hours that were begun; 0 within the grace.
        percent: what is taken off; 100 where nothing is taken any more.
        closed: whether it came after nothing was taken any more.
    """

    deadline: datetime
    extended: bool
    by: timedelta
    units: int
    percent: float
    closed: bool


@dataclass(frozen=True)
class LatePolicy:
    """What lateness costs.

    Attributes:
        deadline: the last moment that is in time, as the lab's zone writes it, without a zone.
        zone: the lab's.
        grace: after the deadline, for which nothing is taken off.
        percent: taken off for each day or hour that was begun, from the deadline on.
        hourly: whether `percent` is for hours.
        at_most: the most that is taken off, in percent.
        of_possible: whether the percents are of all possible points, instead of those earned.
        closes: after it, and after the grace, nothing counts any more; None: it is taken at any
            time.
        extensions: later deadlines by id, name, e-mail or submission, in the form of `same_name`.
    """

    deadline: datetime
    zone: ZoneInfo
    grace: timedelta = timedelta()
    percent: float = 0.0
    hourly: bool = False
    at_most: float = 100.0
    of_possible: bool = False
    closes: datetime | None = None
    extensions: Mapping[str, datetime] = field(default_factory=dict)

    def lateness(self, handed_in: HandedIn) -> Lateness:
        """How late a submission is whose time is known; a group has its members' latest deadline.

        Args:
            handed_in: with its `at`.
        """
        assert handed_in.at is not None
        at = handed_in.at.astimezone(timezone.utc).replace(microsecond=0)
        own = max(
            [self.extensions[name] for name in names_of(handed_in) if name in self.extensions],
            default=self.deadline,
        )
        deadline = max(own, self.deadline)
        by = at - self._moment(deadline)
        closes = max(self.closes, deadline) if self.closes else None
        closed = closes is not None and at > self._moment(closes) and by > self.grace
        units = 0 if by <= self.grace else self._units(deadline, at)
        percent = 100.0 if closed else min(units * self.percent, self.at_most)
        shown = self._moment(deadline).astimezone(self.zone)
        return Lateness(shown, deadline > self.deadline, by, units, percent, closed)

    def _moment(self, local: datetime) -> datetime:
        return moment(local, self.zone)

    def _units(self, deadline: datetime, at: datetime) -> int:
        if self.hourly:
            return -((self._moment(deadline) - at) // timedelta(hours=1))
        days = max(1, (at.astimezone(self.zone).replace(tzinfo=None) - deadline).days)
        while at > self._moment(deadline + timedelta(days=days)):
            days += 1
        return days


@dataclass(frozen=True)
class Policy:
    """How a total is made of points.

    Attributes:
        late: what lateness costs, if the lab says so.
        attempts: which attempt of a student counts: `last` or `best`.
        step: totals are multiples of it; 0 for no rounding.
        direction: `nearest` (halves go up), `up` or `down`.
    """

    late: LatePolicy | None = None
    attempts: str = "last"
    step: float = 0.0
    direction: str = "nearest"

    def rounded(self, points: float) -> float:
        """Points as a multiple of the step."""
        exact = Decimal(str(round(points, 6)))
        if not self.step:
            return round(points, 4)
        step = Decimal(str(self.step))
        return float((exact / step).to_integral_value(_DIRECTIONS[self.direction]) * step)


def moment(local: datetime, zone: ZoneInfo) -> datetime:
    """A time of a zone's clock as a moment in UTC; the later one where there are two."""
    both = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return max(one.astimezone(timezone.utc) for one in both)


def names_of(handed_in: HandedIn) -> set[str]:
    """All that a person may call a submission by, in the form of `same_name`."""
    names = {handed_in.submission}
    for student in handed_in.students:
        names |= {student.id, student.name, student.email}
    return {same_name(name) for name in names if name}


def unfitting_extensions(policy: Policy, table: Sequence[HandedIn]) -> list[str]:
    """Extensions of nobody who is in the table, as they were written.

    Raises:
        UsageError: a name is that of several students, so that none of them can be meant.
    """
    if policy.late is None:
        return []
    whose: dict[str, set[str]] = {}
    for entry in table:
        people = [student.id or student.email or student.name for student in entry.students]
        for student, person in zip(entry.students, people, strict=True):
            for name in {student.id, student.name, student.email} - {""}:
                whose.setdefault(same_name(name), set()).add(person)
        # A submission of one student is another name for that student.
        means = people[0] if len(people) == 1 else entry.submission
        whose.setdefault(same_name(entry.submission), set()).add(means)
    for name in policy.late.extensions:
        if len(several := whose.get(name, set())) > 1:
            raise UsageError(
                f"the extension of {name!r} fits several students: {', '.join(sorted(several))}; "
                "write an id or an e-mail address in its place"
            )
    return [name for name in policy.late.extensions if name not in whose]


def read_policy(source: YamlFile) -> Policy:
    """The policy of a lab file that keeps the schema.

    Raises:
        LabError: a time, a zone or the table of extensions is not what it should be.
    """
    rounding = source.data.get("rounding", {})
    return Policy(
        late=_late(source, source.data["late"]) if "late" in source.data else None,
        attempts=source.data.get("attempts", "last"),
        step=rounding.get("step", 0.0),
        direction=rounding.get("direction", "nearest"),
    )


def _late(source: YamlFile, entry: Mapping[str, Any]) -> LatePolicy:
    zone = _zone(source, entry["time_zone"])
    deadline = _local(source, ("late", "deadline"), entry["deadline"], zone)
    closes = None
    if "closes" in entry:
        closes = _local(source, ("late", "closes"), entry["closes"], zone)
        if closes < deadline:
            raise source.error(
                ("late", "closes"), f"found {closes}, which is before the deadline, {deadline}"
            )
    policy = LatePolicy(
        deadline=deadline,
        zone=zone,
        grace=timedelta(minutes=entry.get("grace_minutes", 0)),
        percent=entry.get("percent", 0.0),
        hourly=entry.get("per", "day") == "hour",
        at_most=entry.get("at_most_percent", 100.0),
        of_possible=entry.get("of", "earned") == "possible",
        closes=closes,
        extensions=_extensions(source, entry, deadline, zone),
    )
    if "percent" not in entry and "closes" not in entry:
        raise source.error(
            ("late",), "a deadline without consequence; give 'percent', or 'closes', or both"
        )
    return policy


def _zone(source: YamlFile, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise source.error(
            ("late", "time_zone"),
            f"no time zone {name!r}; expected a name such as Europe/Paris, America/New_York or UTC",
        ) from None


def _local(source: YamlFile, place: Place, value: Any, zone: ZoneInfo) -> datetime:
    try:
        return local_time(value, zone)
    except _NoTimeError as error:
        raise source.error(place, str(error)) from None


class _NoTimeError(HarnessError):
    """A text that is no time of a zone's clock."""


def local_time(value: Any, zone: ZoneInfo) -> datetime:
    """A time as people write it, on the clock of a zone; a date alone is its last second.

    Args:
        value: text, or what YAML makes of it.
        zone: its clock.

    Raises:
        _NoTimeError: it is no time, or the clock never shows it.
    """
    found = _parsed(value)
    if found is None:
        raise _NoTimeError(
            f"found {value!r}, expected a time such as 2026-12-04 23:59, on the clock of {zone.key}"
        )
    if found.tzinfo is not None:
        return found.astimezone(zone).replace(tzinfo=None)
    there = found.replace(tzinfo=zone).astimezone(timezone.utc).astimezone(zone)
    if there.replace(tzinfo=None) != found:
        raise _NoTimeError(
            f"found {found}, a time that the clocks of {zone.key} leave out on that day; give "
            "another"
        )
    return found


def _parsed(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time.max).replace(microsecond=0)
    if not isinstance(value, str):
        return None
    text = value.strip()
    try:
        if len(text) <= len("2026-12-04"):
            return datetime.combine(date.fromisoformat(text), time.max).replace(microsecond=0)
        return datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        return None


def _extensions(
    source: YamlFile, entry: Mapping[str, Any], deadline: datetime, zone: ZoneInfo
) -> dict[str, datetime]:
    if "extensions" not in entry:
        return {}
    place: Place = ("late", "extensions")
    path = source.beside(place, entry["extensions"])
    if not path.is_file():
        raise source.error(place, f"no file {entry['extensions']!r} in {source.path.parent}")
    found: dict[str, datetime] = {}
    try:
        for line, row in rows_of(path, ("student",), ("student", "deadline", "hours", "note")):
            name = same_name(row["student"])
            if not name:
                raise LabError(f"{path}:{line}: no student is named")
            if name in found:
                raise LabError(f"{path}:{line}: {row['student']!r} is there twice; keep one row")
            found[name] = _extended(row, f"{path}:{line}", deadline, zone)
    except UsageError as error:
        raise source.error(place, str(error)) from None
    return found


def _extended(row: Mapping[str, str], where: str, deadline: datetime, zone: ZoneInfo) -> datetime:
    if bool(row["deadline"]) == bool(row["hours"]):
        raise LabError(f"{where}: expected either a deadline or hours, found both or neither")
    if row["hours"]:
        hours = row["hours"].replace(",", ".")
        if not hours.replace(".", "", 1).isdecimal():
            raise LabError(f"{where}: hours is {row['hours']!r}, expected a number")
        try:
            later = moment(deadline, zone) + timedelta(hours=float(hours))
            return later.astimezone(zone).replace(tzinfo=None)
        except OverflowError:
            text = f"{where}: hours is {row['hours']!r}, expected fewer: no calendar goes so far"
            raise LabError(text) from None
    try:
        return local_time(row["deadline"], zone)
    except _NoTimeError as error:
        raise LabError(f"{where}: {error}") from None


def duration(by: timedelta) -> tuple[int, int, int, int]:
    """Days, hours, minutes and seconds of a duration, whole."""
    seconds = int(by / _SECOND)
    return seconds // 86400, seconds // 3600 % 24, seconds // 60 % 60, seconds % 60
