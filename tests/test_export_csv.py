"""The plain table: a row per student, held against Python's own reader."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timezone

import exported

from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.handed_in import HandedIn, Student

AT = datetime(2026, 12, 4, 21, 10, tzinfo=timezone.utc)


def rows(tmp_path, grades, **options):
    """The account, its lines, and the table as an independent reader finds it."""
    lines = []
    out = tmp_path / "out.csv"
    reports = exported.store(tmp_path / "reports", grades)
    account = export(Order(reports, out=out), "csv", lines.append, **options)
    if not out.exists():
        return account, lines, []
    assert out.read_bytes().startswith(b"\xef\xbb\xbf")  # else Excel takes it for Latin-1
    text = out.read_bytes().decode("utf-8-sig")
    return account, lines, list(csv.DictReader(io.StringIO(text, newline="")))


def test_sixty_students_are_sixty_rows(tmp_path):
    account, lines, table = rows(tmp_path, exported.cohort())
    assert len(table) == account.written == 60
    assert table[7] == {
        **{"id": "107", "name": "Student 7", "email": "s7@example.org", "submission": "s07"},
        **{"attempt": "1", "points": "10.0", "answers": "", "late": "", "total": "10.0"},
        **{"max": "20.0", "held_back": "", "report": "s07/report.html"},
    }
    assert lines[-1] == f"written: {tmp_path / 'out.csv'}"


def test_points_answers_and_lateness_stand_in_cells_of_their_own(tmp_path):
    grade = exported.grade_json(
        HandedIn("a", (Student("1", "Ann"),), AT, late=True, attempt=3), 4, points=17.5
    )
    grade["questions"] = [exported.question(level="named", points=1.5)]
    _, _, [row] = rows(tmp_path, [grade])
    shown = [row[name] for name in ("attempt", "points", "answers", "late", "total")]
    assert shown == ["3", "20.0", "1.5", "yes", "17.5"]


def test_what_is_held_back_is_empty_and_says_why(tmp_path):
    judged = exported.grade_json(HandedIn("a", (Student("1", "Ann"),)), 4)
    grades = [
        exported.not_judged(judged),
        exported.grade_json(
            HandedIn("b", (Student("2", "Bo"),)), points=None, held_back="2 answers not marked"
        ),
    ]
    account, lines, [ann, bo] = rows(tmp_path, grades)
    assert (ann["points"], ann["total"], ann["held_back"]) == (
        "",
        "",
        "not all of it could be judged (out of disk)",
    )
    assert (bo["points"], bo["total"], bo["held_back"]) == ("20.0", "", "2 answers not marked")
    assert account.needs_a_person
    assert lines[0] == "2 grades: 2 matched, 0 to write, 0 unchanged; held back, not written: 2"
    assert "  Bo: 2 answers not marked" in lines
    assert lines[-2] == (
        "  → `harness grade` tries what could not be judged again, then export again"
    )


def test_those_held_back_for_one_reason_share_a_line_and_are_told_what_to_do(tmp_path):
    def unmarked(name):
        grade = exported.grade_json(
            HandedIn(name, (Student(name, name.title()),)), points=None, held_back="not marked"
        )
        return {**grade, "questions": [exported.question()]}

    account, lines, _ = rows(tmp_path, [unmarked("ann"), unmarked("bo"), unmarked("cy")])
    assert account.needs_a_person
    assert lines[1:-1] == [
        "held back, not written:",
        "  not marked (3): Ann; Bo; Cy",
        f"  → mark the written answers with `harness mark --out {tmp_path / 'reports'}`, "
        "then export again",
    ]


def test_late_by_an_unknown_time_says_where_to_write_the_time(tmp_path):
    late = HandedIn("a", (Student("1", "Ann"),), late=True)
    _, lines, _ = rows(tmp_path, [exported.grade_json(late, points=None, held_back="late")])
    assert (
        "  → write submitted_at into students.csv and run `harness grade`, then export again"
        in lines
    )


def test_a_group_is_a_row_for_each(tmp_path):
    group = HandedIn("group-3", (Student("7", "Ann"), Student("8", "Bo")))
    _, _, table = rows(tmp_path, [exported.grade_json(group, 3)])
    assert [(row["name"], row["total"]) for row in table] == [("Ann", "15.0"), ("Bo", "15.0")]


def test_names_that_are_formulas_stay_text(tmp_path):
    hostile = Student("-7", '=HYPERLINK("http://x")', "@mail")
    _, _, [row] = rows(tmp_path, [exported.grade_json(HandedIn("+sub", (hostile,)))])
    shown = [row[name] for name in ("id", "name", "email", "submission")]
    assert shown == ["'-7", '\'=HYPERLINK("http://x")', "'@mail", "'+sub"]


def test_a_submission_of_which_nobody_is_named_is_kept(tmp_path):
    _, _, [row] = rows(tmp_path, [exported.grade_json(HandedIn("alice"))])
    assert (row["id"], row["name"], row["submission"], row["total"]) == ("", "", "alice", "20.0")


def test_a_report_that_is_not_there_is_not_named(tmp_path):
    exported.store(tmp_path / "reports", exported.cohort(1))
    (tmp_path / "reports" / "s00" / "report.html").unlink()
    _, _, [row] = rows(tmp_path, [])
    assert row["report"] == ""


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    reports = exported.store(tmp_path / "reports", reversed(exported.cohort()))
    for name in ("one.csv", "two.csv"):
        export(Order(reports, out=tmp_path / name), "csv", lambda line: None)
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()


def test_a_dry_run_gives_the_account_and_writes_nothing(tmp_path):
    account, lines, table = rows(tmp_path, exported.cohort(3), dry_run=True)
    assert table == []
    assert lines[-1] == "nothing is written; it would be 1 file"
    assert account.written == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["reports"]
