"""GitHub Classroom: a result per submission, and the table of grades with its points."""

from __future__ import annotations

import csv
import io
import json

import exported
import pytest
from test_export_classroom import reporter

from harness.errors import UsageError
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.handed_in import HandedIn, Student

HEADER = (
    "assignment_name,assignment_url,starter_code_url,github_username,roster_identifier,"
    "student_repository_name,student_repository_url,submission_timestamp,points_awarded,"
    "points_available"
)


def grades_table(students=60, *, available="20", changes=()):
    """Classroom's own table, as its download and `gh classroom assignment-grades` write it."""
    rows = []
    for n in range(students):
        login = f"s{n:02}"
        names = ["lab", "https://x", "https://y", login, f"Student {n}", f"lab-{login}"]
        rows.append([*names, f"https://z/{login}", "2026-12-04T21:10:00Z", "0", available])
    for row, column, text in changes:
        rows[row][column] = text
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    return (HEADER + "\n" + text.getvalue()).encode()


def run(tmp_path, grades=None, sheet=None):
    reports = tmp_path / "reports"
    if not reports.exists():
        exported.store(reports, exported.cohort() if grades is None else grades)
    lines = []
    if sheet is not None:
        (tmp_path / "grades.csv").write_bytes(sheet)
    order = Order(
        reports, sheet=tmp_path / "grades.csv" if sheet else None, out=tmp_path / "classroom"
    )
    return export(order, "github", lines.append), lines


def awarded(tmp_path):
    text = (tmp_path / "classroom" / "grades.csv").read_text("utf-8")
    return {
        row["github_username"]: row["points_awarded"] for row in csv.DictReader(io.StringIO(text))
    }


def test_every_submission_has_a_result_whose_points_classroom_adds_up(tmp_path):
    account, _ = run(tmp_path)
    found = {
        file.parent.name: reporter(json.loads(file.read_bytes()))
        for file in (tmp_path / "classroom").glob("*/result.json")
    }
    assert found == {f"s{n:02}": (5.0 * (n % 5), 20.0) for n in range(60)}
    assert (account.written, account.needs_a_person) == (60, False)


def test_the_table_gets_points_and_nothing_else_changes(tmp_path):
    sheet = grades_table()
    _, lines = run(tmp_path, sheet=sheet)
    assert awarded(tmp_path) == {f"s{n:02}": str(5 * (n % 5)) for n in range(60)}
    data = (tmp_path / "classroom" / "grades.csv").read_bytes()
    for before, after in zip(sheet.splitlines(), data.splitlines(), strict=True):
        assert len(before.split(b",")) == len(after.split(b","))
        pairs = enumerate(zip(before.split(b","), after.split(b","), strict=True))
        assert {n for n, (one, other) in pairs if one != other} <= {8}
    assert lines[0] == "60 grades: 60 matched, 48 to write, 12 unchanged"
    assert any("60 were graded with another lab file" in line for line in lines)


def test_who_is_not_judged_has_no_result_and_no_points(tmp_path):
    grades = exported.cohort(3)
    grades[1] = exported.not_judged(grades[1])
    account, lines = run(tmp_path, grades, grades_table(3))
    assert awarded(tmp_path) == {"s00": "0", "s01": "0", "s02": "10"}
    assert not (tmp_path / "classroom" / "s01").exists()
    assert "  Student 1 (line 3): not all of it could be judged (out of disk)" in lines
    assert account.needs_a_person


def test_a_maximum_that_no_run_has_told_is_not_compared(tmp_path):
    account, _ = run(tmp_path, sheet=grades_table(available="0"))
    assert not account.needs_a_person
    assert awarded(tmp_path)["s04"] == "20"


def test_another_maximum_is_said_and_nothing_is_filled(tmp_path):
    account, lines = run(tmp_path, sheet=grades_table(available="100"))
    assert set(awarded(tmp_path).values()) == {"0"}
    assert "the lab gives 20 points at most, the sheet 100; correct points_available" in lines[2]
    assert account.needs_a_person


@pytest.mark.parametrize(
    "who",
    [Student("s03"), Student("S03"), Student("", "Student 3"), Student("", "", "j@x.org"), None],
    ids=["login", "capitals", "name in the roster", "mail in the roster", "repository's folder"],
)
def test_a_student_is_found_by_what_is_known(tmp_path, who):
    changes = [(3, 4, "j@x.org")] if who and who.email else []
    name = "a" if who else "s03"
    grade = exported.grade_json(HandedIn(name, (who,) if who else ()), 3)
    run(tmp_path, [grade], grades_table(changes=changes))
    assert {login for login, points in awarded(tmp_path).items() if points != "0"} == {"s03"}


def test_an_identifier_that_is_no_name_contradicts_no_login(tmp_path):
    grade = exported.grade_json(HandedIn("a", (Student("s03", "Jane Doe"),)), 3)
    account, _ = run(tmp_path, [grade], grades_table(changes=[(3, 4, "n1234567")]))
    assert not account.needs_a_person
    assert awarded(tmp_path)["s03"] == "15"


def test_the_roster_is_not_the_table_of_grades(tmp_path):
    with pytest.raises(UsageError, match="no column 'points_awarded'; found identifier"):
        run(tmp_path, sheet=b"identifier,github_username\nx,y\n")


def test_exporting_twice_gives_the_same_bytes(tmp_path):
    found = []
    for _ in range(2):
        run(tmp_path, sheet=grades_table())
        files = sorted((tmp_path / "classroom").rglob("*"))
        found.append([(file.name, file.read_bytes()) for file in files if file.is_file()])
    assert found[0] == found[1]
    assert len(found[0]) == 61
