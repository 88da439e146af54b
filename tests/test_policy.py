"""Deadlines to the second, in any zone and season; extensions; rounding."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from harness.errors import LabError, UsageError
from harness.handed_in import HandedIn, Student
from harness.lab import read_lab
from harness.policy import Policy, duration, unfitting_extensions

PARIS = ZoneInfo("Europe/Paris")
JANE = Student("17", "Jane Doe", "jane@example.org")
BO = Student("18", "Bo Li", "bo@example.org")


@pytest.fixture
def policy_of(lab_file):
    """Read the policy that a lab file says in these lines."""
    before = lab_file.read_text("utf-8")

    def make(text: str) -> Policy:
        lab_file.write_text(before + text, "utf-8")
        return read_lab(lab_file).policy

    return make


def at(*parts: int, zone=PARIS, fold: int = 0, students=(JANE,)) -> HandedIn:
    return HandedIn("a", students, datetime(*parts, tzinfo=zone, fold=fold))


DAILY = """
late:
  deadline: 2026-12-04 23:59:59
  time_zone: Europe/Paris
  grace_minutes: 10
  percent: 10
  at_most_percent: 25
"""


@pytest.mark.parametrize(
    ("handed_in", "units", "percent"),
    [
        (at(2026, 12, 4, 23, 59, 58), 0, 0),
        (at(2026, 12, 4, 23, 59, 59), 0, 0),
        (at(2026, 12, 5, 0, 0, 0), 0, 0),
        (at(2026, 12, 5, 0, 9, 59), 0, 0),  # the last second of the grace
        (at(2026, 12, 5, 0, 10, 0), 1, 10),
        (at(2026, 12, 5, 23, 59, 59), 1, 10),
        (at(2026, 12, 6, 0, 0, 0), 2, 20),
        (at(2026, 12, 6, 23, 59, 59), 2, 20),
        (at(2026, 12, 7, 0, 0, 0), 3, 25),  # 30, but for the cap
        (at(2027, 3, 1, 0, 0, 0), 87, 25),
        (at(2026, 12, 4, 22, 59, 59, zone=timezone.utc), 0, 0),
        (at(2026, 12, 5, 8, 59, 59, zone=timezone(timedelta(hours=10))), 0, 0),
        (at(2026, 12, 4, 23, 9, 59, zone=timezone.utc), 0, 0),
        (at(2026, 12, 4, 23, 10, 0, zone=timezone.utc), 1, 10),
    ],
)
def test_a_second_before_and_after_each_boundary_of_days(policy_of, handed_in, units, percent):
    found = policy_of(DAILY).late.lateness(handed_in)
    assert (found.units, found.percent, found.closed) == (units, percent, False)


def test_fractions_of_a_second_do_not_count(policy_of):
    late = policy_of(DAILY.replace("grace_minutes: 10", "grace_minutes: 0")).late
    handed_in = HandedIn("a", (), datetime(2026, 12, 4, 23, 59, 59, 999_999, tzinfo=PARIS))
    assert late.lateness(handed_in).units == 0


HOURLY = """
late: {deadline: "2026-12-04T12:00", time_zone: Europe/Paris, percent: 2, per: hour}
"""


@pytest.mark.parametrize(
    ("handed_in", "units"),
    [
        (at(2026, 12, 4, 12, 0, 0), 0),
        (at(2026, 12, 4, 12, 0, 1), 1),
        (at(2026, 12, 4, 13, 0, 0), 1),
        (at(2026, 12, 4, 13, 0, 1), 2),
        (at(2026, 12, 5, 12, 0, 0), 24),
    ],
)
def test_hours_that_were_begun_count(policy_of, handed_in, units):
    found = policy_of(HOURLY).late.lateness(handed_in)
    assert (found.units, found.percent) == (units, 2 * units)


# In Europe clocks go from 2:00 to 3:00 on 2026-03-29 and from 3:00 back to 2:00 on 2026-10-25.
@pytest.mark.parametrize(
    ("deadline", "handed_in", "days", "hours"),
    [
        # A day of 23 hours: the same time of day is a day late, after 23 hours.
        ("2026-03-28 12:00", at(2026, 3, 29, 12, 0, 0), 1, 23),
        ("2026-03-28 12:00", at(2026, 3, 29, 12, 0, 1), 2, 24),
        # A day of 25 hours.
        ("2026-10-24 12:00", at(2026, 10, 25, 12, 0, 0), 1, 25),
        ("2026-10-24 12:00", at(2026, 10, 25, 12, 0, 1), 2, 26),
        # A deadline at a time that comes twice is the later one.
        ("2026-10-25 02:30", at(2026, 10, 25, 2, 30, 0, fold=1), 0, 0),
        ("2026-10-25 02:30", at(2026, 10, 25, 2, 30, 1, fold=1), 1, 1),
        ("2026-10-25 02:30", at(2026, 10, 25, 2, 59, 59, fold=0), 0, 0),
        # A day later at a time that is left out: 3:30, the later reading of it.
        ("2026-03-28 02:30", at(2026, 3, 29, 3, 30, 0), 1, 24),
        ("2026-03-28 02:30", at(2026, 3, 29, 3, 30, 1), 2, 25),
    ],
)
def test_days_of_23_and_25_hours(policy_of, deadline, handed_in, days, hours):
    line = f'\nlate: {{deadline: "{deadline}", time_zone: Europe/Paris, percent: 1, per: %s}}\n'
    assert policy_of(line % "day").late.lateness(handed_in).units == days
    assert policy_of(line % "hour").late.lateness(handed_in).units == hours


def test_a_deadline_may_be_a_day_or_name_its_own_offset(policy_of):
    day = policy_of("\nlate: {deadline: 2026-12-04, time_zone: UTC, percent: 1}\n").late
    assert day.deadline == datetime(2026, 12, 4, 23, 59, 59)
    offset = policy_of(
        '\nlate: {deadline: "2026-12-04T18:00:00-05:00", time_zone: Europe/Paris, percent: 1}\n'
    ).late
    assert offset.deadline == datetime(2026, 12, 5, 0, 0)
    zulu = policy_of(
        '\nlate: {deadline: "2026-12-04T18:00Z", time_zone: Europe/Paris, percent: 1}\n'
    ).late
    assert zulu.deadline == datetime(2026, 12, 4, 19, 0)


CLOSING = DAILY + '  closes: "2026-12-06 12:00"\n'


@pytest.mark.parametrize(
    ("handed_in", "percent", "closed"),
    [(at(2026, 12, 6, 12, 0, 0), 20, False), (at(2026, 12, 6, 12, 0, 1), 100, True)],
)
def test_after_it_closes_nothing_counts_whatever_the_cap(policy_of, handed_in, percent, closed):
    found = policy_of(CLOSING).late.lateness(handed_in)
    assert (found.percent, found.closed) == (percent, closed)


@pytest.mark.parametrize(
    ("handed_in", "percent", "closed"),
    [(at(2026, 12, 5, 0, 9, 59), 0, False), (at(2026, 12, 5, 0, 10, 0), 100, True)],
)
def test_the_grace_is_free_where_it_closes_at_the_deadline(policy_of, handed_in, percent, closed):
    found = policy_of(DAILY + '  closes: "2026-12-04 23:59:59"\n').late.lateness(handed_in)
    assert (found.percent, found.closed) == (percent, closed)


EXTENSIONS = """\
student,deadline,hours,note
jane@EXAMPLE.org,2026-12-11 23:59:59,,ill
team-7,,48,
Nobody Here,,1,
"""


@pytest.fixture
def extended(policy_of, lab_file):
    (lab_file.parent / "extensions.csv").write_text(EXTENSIONS, "utf-8")
    return policy_of(CLOSING + "  extensions: extensions.csv\n")


@pytest.mark.parametrize(
    ("handed_in", "units", "extended_by"),
    [
        (at(2026, 12, 11, 23, 59, 59), 0, 7),
        (at(2026, 12, 12, 0, 10, 0), 1, 7),  # her own grace is over; so is everything
        (at(2026, 12, 11, 23, 59, 59, students=(BO, JANE)), 0, 7),
        (at(2026, 12, 5, 0, 10, 0, students=(BO,)), 1, 0),
    ],
)
def test_an_extension_moves_the_deadline_of_a_student_and_of_her_group(
    extended, handed_in, units, extended_by
):
    found = extended.late.lateness(handed_in)
    assert found.units == units
    assert found.extended == (extended_by > 0)
    assert found.deadline == datetime(2026, 12, 4 + extended_by, 23, 59, 59, tzinfo=PARIS)


def test_an_extension_in_hours_is_for_a_submission_by_its_name_too(extended):
    team = HandedIn("Team-7", (BO,), datetime(2026, 12, 6, 23, 59, 59, tzinfo=PARIS))
    assert extended.late.lateness(team).units == 0


def test_an_extension_never_makes_a_deadline_earlier(policy_of, lab_file):
    (lab_file.parent / "e.csv").write_text("student,deadline\n17,2026-12-01\n", "utf-8")
    late = policy_of(DAILY + "  extensions: e.csv\n").late
    found = late.lateness(at(2026, 12, 4, 12, 0, 0))
    assert (found.units, found.extended) == (0, False)


def test_extensions_of_nobody_are_told(extended):
    table = [at(2026, 12, 4), HandedIn("team-7", (BO,))]
    assert unfitting_extensions(extended, table) == ["nobody here"]
    assert unfitting_extensions(Policy(), table) == []


def test_an_extension_that_fits_two_students_is_refused(policy_of, lab_file):
    (lab_file.parent / "e.csv").write_text("student;hours\nBo Li;1,5\n", "utf-8")
    policy = policy_of(DAILY + "  extensions: e.csv\n")
    two = [HandedIn("a", (BO,)), HandedIn("b", (Student("19", "bo  li"),))]
    with pytest.raises(UsageError, match="'bo li' fits several students: 18, 19; write an id"):
        unfitting_extensions(policy, two)
    assert unfitting_extensions(policy, two[:1]) == []
    # A submission that is called as its student is no other one.
    octocat = HandedIn("bo li", (Student("Bo Li"),))
    assert unfitting_extensions(policy, [octocat]) == []
    with pytest.raises(UsageError, match="fits several students: 18, bo li"):
        unfitting_extensions(policy, [two[0], HandedIn("bo li", (BO, Student("20", "Ann")))])
    # The same person's two attempts are one person.
    again = HandedIn("a2", (BO,), attempt=2)
    assert unfitting_extensions(policy, [two[0], again]) == []
    assert policy.late.extensions["bo li"] == datetime(2026, 12, 5, 1, 29, 59)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("student,hours\n,1\n", "e.csv:2: no student is named"),
        ("student,hours\nBo,1\nbo,2\n", "e.csv:3: 'bo' is there twice; keep one row"),
        ("student,hours,deadline\nBo,,\n", "expected either a deadline or hours, found both or"),
        ("student,hours,deadline\nBo,1,2026-12-12\n", "found both or neither"),
        ("student,hours\nBo,two\n", "hours is 'two', expected a number"),
        ("student,hours\nBo,-2\n", "hours is '-2'"),
        ("student,hours\nBo,99999999999\n", "e.csv:2: hours is '99999999999', expected fewer"),
        ("student,deadline\nBo,soon\n", "e.csv:2: found 'soon', expected a time such as"),
        ("name,hours\nBo,1\n", "no column 'student'"),
    ],
)
def test_errors_in_the_table_of_extensions_name_the_line(policy_of, lab_file, text, told):
    (lab_file.parent / "e.csv").write_text(text, "utf-8")
    with pytest.raises(LabError) as error:
        policy_of(DAILY + "  extensions: e.csv\n")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (DAILY.replace("Europe/Paris", "Europe/Pari"), "no time zone 'Europe/Pari'; expected"),
        (DAILY.replace("Europe/Paris", "../etc/passwd"), "no time zone '../etc/passwd'"),
        (DAILY.replace("2026-12-04 23:59:59", "tomorrow"), "found 'tomorrow', expected a time"),
        (DAILY.replace("2026-12-04 23:59:59", "12"), "found 12, expected a time such as"),
        (DAILY.replace("2026-12-04 23:59:59", '"2026-03-29 02:30"'), "leave out on that day"),
        (DAILY + '  closes: "2026-12-03"\n', "which is before the deadline"),
        (DAILY + "  extensions: none.csv\n", "no file 'none.csv'"),
        (DAILY + "  penalty: 3\n", "unknown key 'penalty'"),
        ("\nlate: {deadline: 2026-12-04, time_zone: UTC}\n", "a deadline without consequence"),
        ("\nlate: {time_zone: UTC}\n", "missing 'deadline'"),
        ("\nattempts: first\n", "found 'first'"),
        ("\nrounding: {step: 0}\n", "found 0"),
    ],
)
def test_mistakes_in_the_lab_file_are_named(policy_of, text, told):
    with pytest.raises(LabError) as error:
        policy_of(text)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("direction", "totals"),
    [
        ("nearest", [0, 0.5, 0.5, 13.5, 20]),
        ("up", [0, 0.5, 1.0, 13.5, 20]),
        ("down", [0, 0, 0.5, 13.0, 20]),
    ],
)
def test_totals_are_rounded_to_multiples_of_a_step(policy_of, direction, totals):
    policy = policy_of(f"\nrounding: {{step: 0.5, direction: {direction}}}\n")
    assert [policy.rounded(points) for points in (0, 0.25, 0.7, 13.3, 20)] == totals


def test_what_a_computer_adds_up_wrong_is_not_rounded_wrong(policy_of):
    policy = policy_of("\nrounding: {step: 0.1, direction: down}\n")
    assert policy.rounded(0.1 + 0.2) == 0.3
    assert policy.rounded(0.7 + 0.1) == 0.8
    assert policy_of("").rounded(2 / 3) == 0.6667


def test_a_duration_is_told_in_days_hours_minutes_and_seconds():
    assert duration(timedelta(days=2, hours=3, minutes=4, seconds=5)) == (2, 3, 4, 5)
    assert duration(timedelta(seconds=59)) == (0, 0, 0, 59)


def test_the_policy_is_no_part_of_what_results_depend_on(lab_file, policy_of):
    before = read_lab(lab_file).digest()
    policy_of(DAILY + "attempts: best\nrounding: {step: 1}\n")
    assert read_lab(lab_file).digest() == before
    policy_of("\npass_mark: 0.4\n")
    assert read_lab(lab_file).digest() != before
