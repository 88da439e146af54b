"""The total that leaves the house, line by line."""

from __future__ import annotations

import csv
import json
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from small_lab import Page
from test_policy import DAILY

from harness.cohort import told_before
from harness.final import final_of
from harness.gradebook import Gradebook
from harness.handed_in import FILE, HandedIn, Student, write_table
from harness.lab import read_lab
from harness.language import speaking
from harness.outputs import Outputs
from harness.report import report_html, write_index
from harness.results import (
    SCHEMA_FILE,
    CaseResult,
    CheckResult,
    Grade,
    Outcome,
    RunStatus,
    RunSummary,
)
from harness.submission import find_submissions
from harness.written import refreshed, remarked, settled

PARIS = ZoneInfo("Europe/Paris")
RUN = RunSummary(RunStatus.COMPLETED, 1.0)


@pytest.fixture
def lab_with(lab_file):
    """The small lab with these lines added."""
    before = lab_file.read_text("utf-8")

    def make(text: str):
        lab_file.write_text(before + text, "utf-8")
        return read_lab(lab_file)

    return make


def grade(points: float = 1.5, outcome: Outcome = Outcome.PASSED) -> dict:
    half = (CaseResult("a", Outcome.PASSED, 1.0), CaseResult("b", Outcome.FAILED, 0.0))
    full = (CaseResult("a", outcome, 1.0),)
    checks = (
        CheckResult("half", "top_predictions", "x", 1.0, half),
        CheckResult("full", "class_activation_maps", "x", points - 0.5, full),
    )
    digests = {"lab": "a", "submission": "b", "golden": "c"}
    return Grade("doe", checks, RUN, {"python": "3"}, digests).to_json()


def handed_in(*parts: int, late: bool = False) -> dict:
    at = datetime(*parts, tzinfo=PARIS) if parts else None
    return HandedIn("doe", (Student("17", "Jane"),), at, late=late).to_json()


def texts(final: dict) -> list[tuple[str, float | None]]:
    return [(line["text"], line["points"]) for line in final["lines"]]


def question(points: float | None, stale: bool = False) -> dict:
    return {"id": "q", "points": points, "max_points": 2.0, "stale": stale}


def test_without_a_policy_the_total_is_the_points(lab_with):
    final = final_of(lab_with(""), grade(), None)
    assert texts(final) == [("Checks", 1.5)]
    assert (final["points"], final["max_points"], final["held_back"]) == (1.5, 2.0, "")
    assert final["passed"] is True


def test_what_is_not_judged_is_held_back(lab_with):
    final = final_of(lab_with(""), grade(outcome=Outcome.NOT_JUDGED), None)
    assert final["points"] is None
    assert final["held_back"] == "not all of it could be judged"
    assert final["passed"] is None


@pytest.mark.parametrize(
    ("handed", "told", "taken", "total"),
    [
        (
            handed_in(2026, 12, 4, 12),
            "Handed in in time (deadline 2026-12-04 23:59:59 CET)",
            0,
            1.5,
        ),
        (
            handed_in(2026, 12, 5, 0, 5, 1),
            "Handed in 5 min 2 s late (deadline 2026-12-04 23:59:59 CET), within the grace: "
            "nothing is taken off",
            0,
            1.5,
        ),
        (
            handed_in(2026, 12, 6, 1, 59, 59),
            "Handed in 1 d 2 h late (deadline 2026-12-04 23:59:59 CET), 2 days begun: "
            "20 % of the points earned",
            -0.3,
            1.2,
        ),
        (None, "When this was handed in is not known; nothing was taken off", 0, 1.5),
        (handed_in(), "When this was handed in is not known; nothing was taken off", 0, 1.5),
    ],
)
def test_lateness_is_told_and_taken_off(lab_with, handed, told, taken, total):
    final = final_of(lab_with(DAILY), grade(), handed)
    assert texts(final) == [("Checks", 1.5), (told, taken)]
    assert final["points"] == total


def test_an_hour_late_of_the_possible_points(lab_with):
    lab = lab_with(
        '\nlate: {deadline: "2026-12-04 12:00", time_zone: UTC, percent: 5, per: hour, '
        "of: possible}\n"
    )
    final = final_of(lab, grade(), handed_in(2026, 12, 4, 13, 0, 1))
    assert texts(final)[1] == (
        "Handed in 1 s late (deadline 2026-12-04 12:00:00 UTC), 1 hour begun: "
        "5 % of the possible points",
        -0.1,  # of 2
    )
    # No more is taken than there is.
    assert final_of(lab, grade(), handed_in(2027, 1, 1))["points"] == 0


def test_what_is_closed_has_nothing(lab_with):
    lab = lab_with(DAILY + "  closes: 2026-12-06\n  of: possible\n")
    final = final_of(lab, grade(), handed_in(2026, 12, 7))
    assert texts(final)[1] == (
        "Handed in 2 d 1 s late (deadline 2026-12-04 23:59:59 CET), after it was closed: "
        "nothing counts",
        -1.5,
    )
    assert final["points"] == 0
    assert final["passed"] is False


def test_late_by_an_unknown_time_is_held_back(lab_with):
    final = final_of(lab_with(DAILY), grade(), handed_in(late=True))
    told = "marked as late, but when it was handed in is not known"
    assert texts(final) == [("Checks", 1.5), (told, None)]
    assert (final["points"], final["held_back"]) == (None, told)


ASKED = """
questions:
  - {id: q, title: "Why?", points: 2, levels: [{points: 2, label: a}, {points: 0, label: b}]}
"""


@pytest.mark.parametrize(
    ("marked", "points", "held_back"),
    [
        (question(2.0), 3.5, ""),
        (question(0.0), 1.5, ""),
        (question(None), None, "written answers are not all marked"),
        (question(2.0, stale=True), None, "written answers are not all marked"),
    ],
)
def test_marked_answers_come_on_top_and_are_waited_for(lab_with, marked, points, held_back):
    final = final_of(lab_with(ASKED), {**grade(), "questions": [marked]}, None)
    assert final["points"] == points
    assert final["max_points"] == 4.0
    assert final["held_back"] == held_back
    assert final["lines"][1] == {
        "text": "Written answers",
        "points": None if held_back else marked["points"],
        "max_points": 2.0,
    }


def test_lateness_is_of_all_points_and_rounding_comes_last(lab_with):
    lab = lab_with(ASKED + DAILY + "rounding: {step: 0.5}\npass_mark: 0.75\n")
    final = final_of(lab, {**grade(), "questions": [question(2.0)]}, handed_in(2026, 12, 5, 12))
    # 3.5 less 10 % is 3.15, which is 3.0 in steps of a half: exactly three quarters of 4.
    assert [points for _, points in texts(final)] == [1.5, 2.0, -0.35, -0.15]
    assert texts(final)[3][0] == "Rounded to multiples of 0.5"
    assert (final["points"], final["passed"]) == (3.0, True)


@pytest.mark.parametrize("direction", ["nearest", "up"])
def test_rounding_never_gives_more_than_all_points(lab_with, direction):
    lab = lab_with(f"rounding: {{step: 0.3, direction: {direction}}}\n")
    made = settled(lab, {**grade(), "points": 20.0, "max_points": 20.0}, None)["final"]
    assert (made["points"], made["max_points"]) == (20.0, 20.0)
    assert made["lines"][-1]["points"] == 0.0


def test_lines_are_in_the_labs_language(lab_with):
    lab = lab_with(DAILY + "language: fr\n")
    made = settled(lab, grade(), handed_in(2026, 12, 6, 1, 59, 59))
    assert made["final"]["lines"][1]["text"].startswith("Remis avec 1 j 2 h de retard")
    with speaking("fr"):
        assert final_of(lab, grade(), None)["lines"][0]["text"] == "Contrôles"


def test_a_settled_grade_keeps_the_schema(lab_with):
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    for handed in (None, handed_in(2026, 12, 6), handed_in(late=True)):
        jsonschema.validate(settled(lab_with(DAILY), grade(), handed), schema)


@pytest.fixture
def book(tmp_path):
    return Gradebook(tmp_path / "reports")


def stored(book: Gradebook, lab, handed: dict | None) -> dict:
    made = settled(lab, grade(), handed)
    outputs = Outputs("doe", RUN, {})
    html = report_html(made, outputs, lab, {})
    book.save(made, html.encode(), outputs=outputs.to_bytes(), remembered=b"")
    return made


def test_another_time_or_policy_makes_the_report_again_and_runs_nothing(lab_with, book):
    lab = lab_with(DAILY)
    before = stored(book, lab, handed_in(2026, 12, 4))
    assert refreshed(book, lab, before, before["handed_in"]) is before
    late = refreshed(book, lab, before, handed_in(2026, 12, 6))
    assert late["final"]["points"] == 1.2
    assert book.read("doe") == late
    page = Page(book.report("doe"))
    assert "1.2 of 2 points" in page.text
    assert "2 days begun" in page.text
    lenient = lab_with(DAILY.replace("percent: 10", "percent: 1"))
    assert refreshed(book, lenient, late, late["handed_in"])["final"]["points"] == 1.47
    assert "Passed: the total reaches the pass mark, 50 %." in Page(book.report("doe")).words


def test_the_report_says_what_the_total_waits_for(lab_with, book):
    stored(book, lab_with(DAILY), handed_in(late=True))
    text = Page(book.report("doe")).words
    assert "This is not the total yet: marked as late, but when it was handed in" in text
    assert "1.5 of 2 points" in text


def test_best_attempts_are_said(lab_with, book):
    stored(book, lab_with(DAILY + "attempts: best\n"), handed_in(2026, 12, 4))
    assert "The best of your attempts counts." in Page(book.report("doe")).words


def test_without_a_policy_the_report_speaks_of_no_total(lab_with, book):
    stored(book, lab_with(""), None)
    assert "Total" not in Page(book.report("doe")).words


def test_the_table_and_the_board_have_totals(lab_with, book):
    lab = lab_with(DAILY)
    one = settled(lab, grade(), handed_in(2026, 12, 6))
    other = settled(lab, {**grade(), "submission": "late"}, handed_in(late=True))
    path = book.write_csv([one, other])
    with path.open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["total"], row["total_max"]) for row in rows] == [("1.2", "2.0"), ("", "2.0")]
    assert rows[1]["held_back"] == "marked as late, but when it was handed in is not known"
    write_index(book.index, lab, [one, other])
    board = Page(book.index).words
    assert "Total" in board
    assert "1 total is held back: marked as late, but when it was handed in is not known" in board
    write_index(book.index, lab_with(""), [settled(lab_with(""), grade(), None)])
    assert "Total" not in Page(book.index).words


def test_a_mark_changes_the_total_of_a_summary(lab_with, book, tmp_path):
    lab = lab_with(ASKED)
    made = settled(lab, {**grade(), "questions": []}, None)
    assert remarked(book, lab, made) is made  # no marks yet
    book.of("doe").mkdir(parents=True)
    book.marks_file("doe").write_text('{"format_version": 1, "history": []}')
    assert remarked(book, lab, made)["final"]["held_back"] == "written answers are not all marked"


def test_what_does_not_fit_together_is_told_before_grading(lab_with, lab_file, tmp_path):
    (lab_file.parent / "e.csv").write_text("student,hours\nJane,1\nNobody,2\n", "utf-8")
    lab = lab_with(DAILY + "  extensions: e.csv\n")
    cohort = tmp_path / "cohort"
    for name in ("doe", "new"):
        (cohort / name).mkdir(parents=True)
        (cohort / name / "submission.py").write_text("")

    def unknown(count, names):
        return (
            f"when {count} were handed in is unknown ({names}): nothing is taken off for lateness; "
            "write submitted_at into students.csv beside them"
        )

    assert told_before(lab, find_submissions(cohort), cohort) == [
        "extension of 'jane': nobody here is called so",
        "extension of 'nobody': nobody here is called so",
        unknown("2 of 2", "doe, new"),
    ]
    at = datetime(2026, 12, 4, tzinfo=timezone.utc)
    table = [HandedIn("doe", (Student("17", "Jane"),), at), HandedIn("gone", (Student("18"),))]
    write_table(cohort / FILE, table)
    assert told_before(lab, find_submissions(cohort), cohort) == [
        "extension of 'nobody': nobody here is called so",
        unknown("1 of 2", "new"),
        "students.csv has no row of new",
        "students.csv names gone, which is not there",
    ]
    [one] = find_submissions(cohort / "doe")
    assert one.handed_in == table[0]
    assert told_before(lab_with(""), [one], cohort / "doe" / "submission.py") == []


def test_what_a_student_may_have_written_is_told_and_decides_nothing(lab_with, tmp_path):
    cohort = tmp_path / "cohort"
    for folder in (cohort / "doe", cohort / "roe" / "work", cohort / "models"):
        folder.mkdir(parents=True)
        (folder / "submission.py").write_text("")
    (cohort / "doe" / "lab.yaml").write_text("title: mine")
    write_table(cohort / FILE, [HandedIn("doe", (Student("17"),))])
    lab = lab_with("")
    assert told_before(lab, find_submissions(cohort), cohort) == [
        "not graded, as the names mean something to the harness: models; if one is somebody's "
        "work, rename it",
        "labs in what was handed in, not used: doe/lab.yaml",
        "students.csv has no row of roe",
    ]
    at = datetime(2026, 1, 1, tzinfo=timezone.utc)
    write_table(cohort / "roe" / FILE, [HandedIn("work", (Student("18"),), at)])
    own = cohort / "roe"
    assert told_before(lab, find_submissions(own), own) == [
        f"{own / FILE} is not read: it lies in {cohort}, where students write"
    ]


def test_archives_that_nothing_opens_are_told_before_grading(lab_with, tmp_path):
    (tmp_path / "doe").mkdir()
    (tmp_path / "roe.RAR").write_bytes(b"x")
    (tmp_path / "readme.txt").write_text("x")
    (tmp_path / "doe" / "submission.py").write_text("")
    assert told_before(lab_with(""), find_submissions(tmp_path), tmp_path) == [
        "not graded, as nothing opens them here: roe.RAR; unpack them into folders, or ask for .zip"
    ]
