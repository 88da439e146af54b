"""Canvas's gradebook: one column filled, its heading kept, nothing else given back."""

from __future__ import annotations

import csv
import io
import re

import exported
import pytest

from harness.errors import UsageError
from harness.exchange.order import Order
from harness.exchange.outgoing import export
from harness.handed_in import HandedIn, Student

LAB = "Lab 3: maps, and more (4711)"
INFORMATION = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]


def gradebook(students=60, *, separator=",", mark=".", changes=(), others=True, top="20.00"):
    """A gradebook as Canvas exports it: notes on posting, points possible, the test student."""
    header = [*INFORMATION, "Quiz (12)", LAB, "Assignments Current Score"]
    rows = [
        header,
        ["", "", "", "", "", "", "Manual Posting", ""],
        ["    Points Possible", "", "", "", "", "10.00", top, "(read only)"],
    ]
    for n in range(students):
        who = [f"{n}, Student", str(100 + n), f"sis{n}", f"s{n}@example.org", "Main; or so"]
        rows.append([*who, f"{n % 10}{mark}50", "", f"{n}{mark}25"])
    rows.append(["Student, Test", "999", "", "abc", "Main; or so", "", "", ""])
    for row, text in changes:
        rows[row + 3][6] = text
    if not others:
        rows = [[*row[:5], *row[6:7]] for row in rows]
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=separator, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8-sig")


def canvas_reader(data, title=LAB):
    """The scores as `gradebook_importer.rb` finds them: student's id → score.

    Rules: the separator is what splits the first three lines alike; first heading has "Student",
    the second "ID", the last information column is "Section"; an assignment is `Title (id)`, and
    any other heading would make a new one; a comma in a number is its point.
    """
    text = data.decode("utf-8-sig")
    first = text.splitlines(keepends=True)[:3]
    counts = {mark: {len(row) for row in csv.reader(first, delimiter=mark)} for mark in (";", ",")}
    separator = max(
        (mark for mark in counts if len(counts[mark]) == 1), key=lambda m: min(counts[m])
    )
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    header = rows[0]
    assert "Student" in header[0]
    assert "ID" in header[1]
    assert len(header) > 3
    section = header.index("Section")
    assert section == (4 if "SIS User ID" in header else 2)
    assignments = header[section + 1 :]
    assert all(re.search(r"\((\d+)\)$", title) for title in assignments)
    assert assignments == [title]
    found = {}
    for row in rows[1:]:
        assert len(row) == len(header)
        if "Points Possible" in row[0] or not any(row[:-1]):
            continue
        found[row[1]] = re.sub(r"^([\d.]+),(\d+)$", r"\1.\2", row[-1])
    return found


def run(tmp_path, sheet, grades=None, title=LAB):
    if not (tmp_path / "reports").exists():
        exported.store(tmp_path / "reports", exported.cohort() if grades is None else grades)
    (tmp_path / "sheet.csv").write_bytes(sheet)
    lines = []
    order = Order(
        tmp_path / "reports", sheet=tmp_path / "sheet.csv", out=tmp_path / "out.csv", title=title
    )
    account = export(order, "canvas", lines.append)
    return account, lines, canvas_reader((tmp_path / "out.csv").read_bytes())


@pytest.mark.parametrize(("separator", "mark"), [(",", "."), (";", ","), (",", ",")])
def test_sixty_students_get_their_scores(tmp_path, separator, mark):
    # The mark is told by the scores that stand in the column.
    sheet = gradebook(separator=separator, mark=mark, top=f"20{mark}00")
    account, lines, scores = run(tmp_path, sheet)
    expected = {str(100 + n): f"{5 * (n % 5)}.00" for n in range(60)}
    assert scores == {**expected, "999": ""}
    assert lines[0] == "60 grades: 60 matched, 60 to write, 0 unchanged"
    assert not account.told
    data = (tmp_path / "out.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    assert f"20{mark}00".encode() in data


def test_every_cell_but_the_scores_is_as_it_was_and_in_its_order(tmp_path):
    run(tmp_path, gradebook())
    before = list(csv.reader(io.StringIO(gradebook().decode("utf-8-sig"))))
    after = list(csv.reader(io.StringIO((tmp_path / "out.csv").read_bytes().decode("utf-8-sig"))))
    assert [row[:5] for row in after] == [row[:5] for row in before]
    assert [row[5] for row in after[:3]] == [row[6] for row in before[:3]]
    assert after[2][0] == "    Points Possible"


def test_one_assignment_alone_needs_no_title(tmp_path):
    assert run(tmp_path, gradebook(others=False), title="")[2]["104"] == "20.00"


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("", "2 assignments, expected --title to name one as it stands there; allowed: Quiz"),
        ("Lab 3: maps (4711)", "no assignment 'Lab 3: maps (4711)'; did you mean 'Lab 3: maps,"),
        ("Section", "no assignment 'Section'"),
    ],
)
def test_an_assignment_that_is_not_there_is_never_made(tmp_path, title, told):
    with pytest.raises(UsageError) as error:
        run(tmp_path, gradebook(), title=title)
    assert told in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_a_read_only_column_is_refused(tmp_path):
    with pytest.raises(UsageError, match="is read only in Canvas"):
        run(tmp_path, gradebook(top="(read only)"))


def test_a_gradebook_without_sections_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no column 'Section'"):
        run(tmp_path, gradebook().replace(b"Section", b"Klasse"))


def test_excused_students_stay_excused_and_are_named(tmp_path):
    account, lines, scores = run(tmp_path, gradebook(changes=[(3, "EX"), (4, "ex")]))
    assert (scores["103"], scores["104"]) == ("EX", "ex")
    assert "  Student 3 (line 7): excused in Canvas (EX)" in lines
    assert (account.written, account.needs_a_person) == (58, False)


def test_a_cell_that_holds_something_else_is_left_alone(tmp_path):
    account, lines, scores = run(tmp_path, gradebook(changes=[(3, "N/A"), (4, "-")]))
    assert (scores["103"], scores["104"]) == ("N/A", "20.00")
    assert "  Student 3 (line 7): the cell is 'N/A', expected a number or nothing" in lines
    assert account.needs_a_person


def test_scores_that_are_there_are_left_as_they_are_written(tmp_path):
    account, _, scores = run(tmp_path, gradebook(changes=[(3, "15"), (4, "19.99")]))
    assert (scores["103"], scores["104"]) == ("15", "20.00")
    assert (account.written, account.unchanged) == (59, 1)


def test_two_decimals_rounded_half_up(tmp_path):
    account, _, scores = run(tmp_path, gradebook(1), exported.cohort(1, points=2.675))
    assert scores["100"] == "2.68"
    account, _, _ = run(tmp_path, gradebook(1, changes=[(0, "2.68")]))
    assert account.unchanged == 1


def test_other_points_possible_write_nothing_and_say_both(tmp_path):
    account, lines, scores = run(tmp_path, gradebook(top="100.00"))
    assert set(scores.values()) == {""}
    assert "the lab gives 20 points at most, the sheet 100; make them equal in Canvas" in lines[2]
    assert account.count(next(iter(account.told))) == 60


def test_points_possible_that_are_not_told_are_noted(tmp_path):
    _, lines, scores = run(tmp_path, gradebook(top=""))
    assert "  the gradebook has no points possible to compare" in lines
    assert scores["104"] == "20.00"


@pytest.mark.parametrize(
    "who",
    [
        Student("", "", "S3@example.org"),
        Student("sis3"),
        Student("", "Student 3"),
        Student("", "3, student"),
        Student("103", "3student"),
    ],
    ids=["login", "sis", "name", "sorted name", "id, and the name as in a zip"],
)
def test_a_student_is_found_by_what_is_known(tmp_path, who):
    _, _, scores = run(tmp_path, gradebook(), [exported.grade_json(HandedIn("a", (who,)))])
    assert {number for number, score in scores.items() if score} == {"103"}


def test_the_test_student_gets_no_grade(tmp_path):
    who = Student("", "Test Student")
    account, _, scores = run(tmp_path, gradebook(), [exported.grade_json(HandedIn("a", (who,)))])
    assert not any(scores.values())
    assert account.needs_a_person


def test_first_and_last_names_in_columns_of_their_own(tmp_path):
    text = "LastName,FirstName,ID,SIS Login ID,Section,Lab (1)\n    Points Possible,,,,,20\n"
    (tmp_path / "sheet.csv").write_text(text + "Doe,Jane,,jd,A,\nDoe,Jane,8,jd2,A,\n", "utf-8")
    grade = exported.grade_json(HandedIn("a", (Student("", "Jane Doe"),)))
    exported.store(tmp_path / "reports", [grade])
    order = Order(tmp_path / "reports", sheet=tmp_path / "sheet.csv", out=tmp_path / "o.csv")
    export(order, "canvas", lambda line: None)
    assert (tmp_path / "o.csv").read_text("utf-8").endswith("Doe,Jane,8,jd2,A,20.00\n")


def test_names_that_are_formulas_are_given_back_as_they_came(tmp_path):
    sheet = gradebook().replace(b'"3, Student"', b"\"=cmd|' /C calc'!A0, x\"")
    _, _, scores = run(tmp_path, sheet)
    assert scores["103"] == "15.00"
    assert b"\"=cmd|' /C calc'!A0, x\",103,sis3" in (tmp_path / "out.csv").read_bytes()


def test_exporting_its_own_result_changes_nothing(tmp_path):
    run(tmp_path, gradebook(separator=";", mark=",", top="20,00"))
    before = (tmp_path / "out.csv").read_bytes()
    account, _, _ = run(tmp_path, before)
    assert (tmp_path / "out.csv").read_bytes() == before
    assert (account.written, account.unchanged) == (0, 60)


def test_the_gradebook_is_needed_and_never_overwritten(tmp_path):
    reports = exported.store(tmp_path / "reports", exported.cohort(1))
    with pytest.raises(UsageError, match="--sheet is missing: download the gradebook"):
        export(Order(reports), "canvas", lambda line: None)
    sheet = tmp_path / "sheet.csv"
    sheet.write_bytes(gradebook(others=False))
    (tmp_path / "link.csv").symlink_to(sheet)
    for out in (sheet, tmp_path / "link.csv", tmp_path / "reports" / ".." / "sheet.csv"):
        with pytest.raises(UsageError, match="is the downloaded sheet itself"):
            export(Order(reports, sheet=sheet, out=out), "canvas", lambda line: None)
    assert sheet.read_bytes() == gradebook(others=False)
