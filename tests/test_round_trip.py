"""From a system's archive through grades and back into its own sheet: sixty of sixty.

Grades are made up from the bytes that were handed in, so what each student must get is known from
the archive alone, and a grade that lands on another student shows.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zlib
from dataclasses import replace

import archives
import exported
import jsonschema
import pytest
from test_export_canvas import canvas_reader
from test_export_classroom import reporter
from test_export_gradescope import SCHEMA
from test_export_moodle import cells, moodles_reader, number

from harness.exchange.incoming import Wanted, bring_in
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.exchange.preflight import Kind
from harness.handed_in import read_table

WORKS = archives.cohort(60)


def passed(files: dict[str, bytes]) -> int:
    """How many of the four cases pass, 0 to 4, told by what was handed in."""
    told = "".join(f"{name}{zlib.crc32(data)}" for name, data in sorted(files.items()))
    return zlib.crc32(told.encode()) % 5


def points(work: archives.Work) -> float:
    """What each of the people of a work must get."""
    return 5.0 * passed(archives.landed(work.files))


def graded(tmp_path, made, system, attempts="last", policy="last"):
    """Import an archive, and grade what came of it; the reports' folder."""
    out = tmp_path / "submissions"
    bring_in(Wanted(made.archive, system, out, made.sheets, attempts))
    grades = []
    for name, entry in read_table(out).items():
        files = {
            path.relative_to(out / name).as_posix(): path.read_bytes()
            for path in (out / name).rglob("*")
            if path.is_file()
        }
        grades.append(exported.grade_json(entry, passed(files), attempts=policy))
    return exported.store(tmp_path / "reports", grades)


def back(tmp_path, made, system, sheet=None, **options):
    """The account of the whole way round; what was exported is in `tmp_path / "out"`."""
    reports = graded(tmp_path, made, system)
    return export(
        Order(reports, sheet=sheet, out=tmp_path / "out", **options), system, lambda line: None
    )


def test_the_made_up_grades_differ():
    """Else a grade that landed on another student would not show."""
    assert {points(work) for work in WORKS} == {0.0, 5.0, 10.0, 15.0, 20.0}


@pytest.mark.parametrize(
    "naming",
    [
        {},
        {"folders": False, "language": "de"},
        {"trailing": True, "ending": ".tar.gz"},
        {"blind": True},
    ],
    ids=["4.1", "no folders, in German", "before 4.1", "blind"],
)
def test_moodle(tmp_path, naming):
    made = archives.moodle(tmp_path / "from", WORKS, **naming)
    [sheet] = made.sheets
    account = back(tmp_path, made, "moodle", sheet)
    people = {str(p.number): points(work) for work in WORKS for p in work.people}
    assert account.grades == account.matched == account.written == len(people) == 68
    before, after = cells(sheet.read_bytes()), cells((tmp_path / "out").read_bytes())
    grade = 5
    found = {re.findall(r"\d+$", row[0])[0]: number(row[grade]) for row in after[1:]}
    assert found == people
    for one, other in zip(before, after, strict=True):
        assert len(one) == len(other)
        assert {n for n in range(len(one)) if one[n] != other[n]} <= {grade, len(one) - 1}
    reports = moodles_reader(tmp_path / "out-feedback.zip")
    assert set(reports) == set(people)
    assert len({content for _, content in reports.values()}) == 60
    assert not account.needs_a_person


@pytest.mark.parametrize("blind", [False, True])
def test_moodle_imported_without_its_worksheet(tmp_path, blind):
    """Numbers are enough; who is in a group, only the worksheet tells, and nobody guesses."""
    made = archives.moodle(tmp_path / "from", WORKS, blind=blind)
    [sheet] = made.sheets
    account = back(tmp_path, replace(made, sheets=()), "moodle", sheet)
    groups = [work for work in WORKS if work.group]
    assert (account.grades, account.matched) == (60, 60 - len(groups))
    assert account.count(Kind.UNMATCHED) == len(groups) == 4
    people = {str(work.number): points(work) for work in WORKS if not work.group}
    rows = cells((tmp_path / "out").read_bytes())[1:]
    found = {re.findall(r"\d+$", row[0])[0]: number(row[5]) for row in rows if row[5]}
    assert found == people


def test_canvas(tmp_path):
    made = archives.canvas(tmp_path / "from", WORKS)
    [sheet] = made.sheets
    account = back(tmp_path, made, "canvas", sheet, title="Lab 5 (77)")
    assert (account.matched, account.written, account.needs_a_person) == (60, 60, False)
    scores = canvas_reader((tmp_path / "out").read_bytes(), "Lab 5 (77)")
    found = {number: float(score) for number, score in scores.items() if score}
    # Canvas's archive names one member of a group, whose grade Canvas gives to the others.
    assert found == {f"4{work.number:05}": points(work) for work in WORKS}
    before = list(csv.reader(io.StringIO(sheet.read_text("utf-8"))))
    after = list(csv.reader(io.StringIO((tmp_path / "out").read_text("utf-8"))))
    assert [row[:5] for row in after] == [row[:5] for row in before]


@pytest.mark.parametrize("policy", ["last", "best"])
def test_of_all_attempts_the_one_counts_that_the_lab_says(tmp_path, policy):
    made = archives.canvas(tmp_path / "from", WORKS)
    reports = graded(tmp_path, made, "canvas", "all", policy)
    assert len(list(reports.iterdir())) == 60 + sum(bool(work.earlier) for work in WORKS)
    [sheet] = made.sheets
    order = Order(reports, sheet=sheet, out=tmp_path / "out", title="Lab 5 (77)")
    account = export(order, "canvas", lambda line: None)
    scores = canvas_reader((tmp_path / "out").read_bytes(), "Lab 5 (77)")
    expected = {
        f"4{work.number:05}": max(points(work), 5.0 * passed(work.earlier))
        if policy == "best" and work.earlier
        else points(work)
        for work in WORKS
    }
    assert {number: float(score) for number, score in scores.items() if score} == expected
    assert (account.grades, account.matched) == (60, 60)
    better = [work for work in WORKS if work.earlier and 5.0 * passed(work.earlier) > points(work)]
    assert better  # else the two policies would not differ


def test_an_anonymous_archive_gives_no_grade_to_anybody(tmp_path):
    made = archives.canvas(tmp_path / "from", WORKS, anonymous=True)
    [sheet] = made.sheets
    sheet.write_text(sheet.read_text("utf-8").replace(",400", ",900"), "utf-8")
    account = back(tmp_path, made, "canvas", sheet, title="Lab 5 (77)")
    assert (account.matched, account.written, account.needs_a_person) == (0, 0, True)


def test_gradescope(tmp_path):
    made = archives.gradescope(tmp_path / "from", WORKS)
    account = back(tmp_path, made, "gradescope")
    assert (account.grades, account.written) == (60, 60)
    table = read_table(tmp_path / "submissions")
    found = {}
    for file in (tmp_path / "out").glob("*/results.json"):
        data = json.loads(file.read_bytes())
        jsonschema.Draft202012Validator(SCHEMA).validate(data)
        assert {test["visibility"] for test in data["tests"]} == {"visible"}
        found |= {student.id: data["score"] for student in table[file.parent.name].students}
    assert found == {p.sid: points(work) for work in WORKS for p in work.people}


def test_github(tmp_path):
    made = archives.github(tmp_path / "from", WORKS)
    account = back(tmp_path, made, "github", made.sheets[1])
    people = {p.login: points(work) for work in WORKS for p in work.people}
    assert account.grades == account.matched == len(people) == 68
    assert not account.needs_a_person
    text = (tmp_path / "out" / "grades.csv").read_text("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {row["github_username"]: float(row["points_awarded"]) for row in rows} == people
    table = read_table(tmp_path / "submissions")
    for file in (tmp_path / "out").glob("*/result.json"):
        for student in table[file.parent.name].students:
            assert reporter(json.loads(file.read_bytes())) == (people[student.id], 20.0)


def test_folders(tmp_path):
    made = archives.plain_folder(tmp_path / "from", WORKS)
    reports = graded(tmp_path, made, "folder")
    export(Order(reports, out=tmp_path / "out.csv"), "csv", lambda line: None)
    text = (tmp_path / "out.csv").read_text("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    found = {row["name"]: float(row["total"]) for row in rows}
    assert found == {f"s{work.number}": points(work) for work in WORKS}
