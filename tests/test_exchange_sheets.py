"""Sheets of other systems: every byte of them is kept, and their columns are recognised."""

from __future__ import annotations

import codecs
import csv
import io
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from harness.errors import UsageError
from harness.exchange.columns import (
    canvas_columns,
    github_columns,
    moodle_columns,
    participant,
)
from harness.exchange.sheets import MAX_BYTES, Sheet, find_column

HERE = Path("sheet.csv")


def sheet(text: str, encoding: str = "utf-8") -> Sheet:
    return Sheet.from_bytes(text.encode(encoding), HERE)


cells = st.text(st.sampled_from("ab\",;\t\r\n Ü李\u200f='"), max_size=6)


@given(
    st.lists(st.lists(cells, min_size=3, max_size=3), max_size=4),
    st.sampled_from(",;\t"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from([b"", codecs.BOM_UTF8]),
)
def test_pythons_own_csv_reads_the_same_and_every_byte_comes_back(rows, by, end, quoting, mark):
    # Python's writer may leave line ends other than its own without quotation marks.
    assume(quoting == csv.QUOTE_ALL or not any(set("\r\n") & set("".join(row)) for row in rows))
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=by, lineterminator=end, quoting=quoting)
    writer.writerow(["one", "two", "three"])
    writer.writerows(rows)
    data = mark + text.getvalue().encode()
    read = Sheet.from_bytes(data, HERE)
    assert read.to_bytes() == data
    assert read.rows == [row for row in rows if any(row)]


@given(st.text(st.sampled_from('a",;\r\n x\t'), max_size=30))
def test_whatever_is_read_comes_back(text):
    data = ("head,b\n" + text).encode()
    with suppress(UsageError):  # for a quotation mark that is never closed
        assert Sheet.from_bytes(data, HERE).to_bytes() == data


@given(cells)
def test_a_cell_that_is_set_is_read_again_and_the_others_stay(text):
    data = '\ufeffa; "b" ;c\r\n\r\n"1";x y;"say ""no"""\r\nlast;;\r\n'
    read = sheet(data)
    read.set(0, 1, text)
    again = Sheet.from_bytes(read.to_bytes(), HERE)
    assert again.rows == [["1", text, 'say "no"'], ["last", "", ""]]
    written = read.to_bytes().decode()
    assert written.startswith('\ufeffa; "b" ;c\r\n\r\n"1";')
    assert written.endswith(';"say ""no"""\r\nlast;;\r\n')


def test_one_changed_cell_changes_its_own_bytes_only():
    text = (
        'Identifier,Grade,"Feedback comments"\r\n"Participant 1","",a b\r\n"Participant 2",,x\r\n'
    )
    read = sheet(text)
    read.set(0, 1, "12.5")
    read.set(1, 1, "7")
    read.set(1, 2, "good,\nnearly")
    assert read.to_bytes().decode() == (
        'Identifier,Grade,"Feedback comments"\r\n"Participant 1","12.5",a b\r\n'
        '"Participant 2",7,"good,\nnearly"\r\n'
    )
    read.set(1, 1, "")
    read.set(0, 1, "")
    read.set(1, 2, "x")
    assert sheet(read.to_bytes().decode()).rows == sheet(text).rows


def test_a_cell_that_is_set_to_what_it_is_keeps_its_bytes():
    read = sheet('a,b\n"1" ,2\n')
    read.set(0, 1, "2")
    assert read.to_bytes() == b'a,b\n"1" ,2\n'


def test_a_short_row_is_filled_up_to_the_cell_that_is_set():
    read = sheet("a,b,c\n1\n2,,\n")
    assert read.cell(0, 2) == ""
    read.set(0, 2, "x")
    assert read.to_bytes() == b"a,b,c\n1,,x\n2,,\n"
    with pytest.raises(IndexError):
        read.set(0, 3, "beyond")


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_what_excel_calls_unicode_text_is_read_and_kept(mark, encoding):
    data = mark + "ID\tName\r\n1\tZoë\r\n".encode(encoding)
    read = Sheet.from_bytes(data, HERE)
    assert (read.rows, read.to_bytes()) == ([["1", "Zoë"]], data)


def test_the_separator_that_excel_says_is_used_and_kept():
    read = sheet("sep=;\r\na;b,c\r\n1;2\r\n")
    assert (read.header, read.line(0)) == (["a", "b,c"], 3)
    assert read.to_bytes() == b"sep=;\r\na;b,c\r\n1;2\r\n"


def test_lines_are_counted_within_cells_too():
    read = sheet('a,b\r\n"x\r\ny",1\r\n\r\nz,2\r\n')
    assert [read.line(0), read.line(1)] == [2, 5]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "an empty file, expected a sheet with headings"),
        (b"\r\n,,\r\n", "an empty file"),
        ("José,b\n".encode("latin-1"), "not UTF-8; download it again, or save it as CSV UTF-8"),
        (b"PK\x03\x04\0\0", "not a CSV file; download it as CSV, not as a workbook"),
        (b'a,b\n1,2\n"never,3\n4,5\n', "sheet.csv:3: a quotation mark is opened and never closed"),
    ],
)
def test_what_is_no_sheet_is_refused_with_the_reason(data, told):
    with pytest.raises(UsageError) as error:
        Sheet.from_bytes(data, HERE)
    assert told in str(error.value)


def test_a_file_that_is_not_there_or_far_too_large_is_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        Sheet.read(tmp_path / "none.csv")
    with (tmp_path / "large.csv").open("wb") as stream:
        stream.truncate(MAX_BYTES + 1)
    with pytest.raises(UsageError, match="expected a sheet of at most"):
        Sheet.read(tmp_path / "large.csv")
    (tmp_path / "fine.csv").write_bytes(b"a,b\n1,2\n")
    assert Sheet.read(tmp_path / "fine.csv").rows == [["1", "2"]]


def test_headings_are_found_whatever_their_case_and_spaces():
    assert find_column([" Full  name", "ID"], "full name") == 0
    assert find_column(["a"], "b") is None


ENGLISH = """\
Identifier,"Full name","Email address",Status,Grade,"Maximum Grade","Grade can be changed",\
"Last modified (submission)","Last modified (grade)","Feedback comments"
"Participant 12","Jane Doe",jane@x.org,"Submitted for grading",,20.00,Yes,\
"Friday, 4 December 2026, 10:10 PM",-,
"Participant 7","Bo Li",bo@x.org,"No submission",,20.00,Yes,-,-,
"""
GERMAN = """\
Identifikator;"Vollständiger Name";"E-Mail-Adresse";Status;Gruppe;Bewertung;Bestwertung;\
"Bewertung kann geändert werden";"Zuletzt geändert (Abgabe)";"Zuletzt geändert (Bewertung)";\
"Feedback als Kommentar"
Teilnehmer/in12;"Jane Doe";jane@x.org;"Zur Bewertung abgegeben";A;;20,00;Ja;\
"Freitag, 4. Dezember 2026, 22:10";-;
Teilnehmer/in7;"Bo Li";bo@x.org;"Keine Abgabe";A;;20,00;Ja;-;-;
"""
# Words of no language: what is where is told by the order of columns and by their cells.
UNKNOWN = """\
Xa,Xb,Xc,Xd,Xe,Xf,Xg,Xh,Xi,Xj
Zz 12,Jane Doe,jane@x.org,Zs,,20.00,Zy,"2026 Zm 4, 22:10",-,
Zz 7,Bo Li,bo@x.org,Zn,,20.00,Zy,"2026 Zm 5, 08:00","2026 Zm 9, 08:00",
"""
BASE = ("identifier", "name", "email", "grade", "maximum", "submitted", "graded", "feedback")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (ENGLISH, (0, 1, 2, 4, 5, 7, 8, 9)),
        (GERMAN, (0, 1, 2, 5, 6, 8, 9, 10)),
        (UNKNOWN, (0, 1, 2, 4, 5, 7, 8, 9)),
    ],
    ids=["English", "German", "unknown"],
)
def test_moodles_worksheet_is_understood_in_any_language(text, where):
    columns = moodle_columns(sheet(text))
    assert {meaning: columns.places[meaning] for meaning in BASE} == dict(
        zip(BASE, where, strict=True)
    )
    assert participant(columns.of(0, "identifier")) == "12"
    assert columns.of(1, "email") == "bo@x.org"
    assert columns.of(1, "scale") == ""


def test_headings_that_nobody_knows_are_told():
    assert moodle_columns(sheet(UNKNOWN)).unknown == ("Xd", "Xg")


def test_blind_marking_has_no_names():
    text = "Identifier,Status,Grade,Maximum Grade\nParticipant 1,Submitted,,5\n"
    columns = moodle_columns(sheet(text))
    assert "name" not in columns.places
    assert columns.places["grade"] == 2


def test_what_is_not_recognised_can_be_said():
    text = "Xa,Xb,Xc\nZz 1,9,\nZz 2,8,\n"
    with pytest.raises(UsageError) as error:
        moodle_columns(sheet(text)).need("identifier", "grade")
    assert "no column was recognised as 'grade'; found Xa, Xb, Xc" in str(error.value)
    assert "--column grade=HEADING" in str(error.value)
    said = moodle_columns(sheet(text), {"grade": "xc"})
    said.need("identifier", "grade")
    assert said.places["grade"] == 2
    with pytest.raises(UsageError, match="no column 'Xz'"):
        moodle_columns(sheet(text), {"grade": "Xz"})
    with pytest.raises(UsageError, match="did you mean 'grade'"):
        moodle_columns(sheet(text), {"grad": "Xc"})


def test_a_sheet_without_participants_is_not_moodles():
    with pytest.raises(UsageError, match="no column was recognised as 'identifier'"):
        moodle_columns(sheet("a,b\n1,2\n"))


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Quiz (11),Lab 5 (maps) (77),Final Score
    Points Possible,,,,,10.00,20.00,(read only)
"Doe, Jane",4001,s1,jdoe,A,9,,45
"李, 明",4002,s2,mli,A,9,,45
"Student, Test",4999,,hash,A,,,
"""


def test_canvas_gradebook_has_students_assignments_and_points():
    columns = canvas_columns(sheet(CANVAS))
    assert columns.assignments == {"11": 5, "77": 6}
    assert columns.unknown == ("Final Score",)
    assert [columns.of(row, "id") for row in columns.students()] == ["4001", "4002"]
    assert columns.name(2) == "李, 明"
    assert columns.points_possible() == 0


def test_canvas_may_write_names_in_two_columns():
    columns = canvas_columns(sheet("LastName;FirstName;ID;Section;Lab (7)\nDoe;Jane;5;A;\n"))
    assert columns.name(0) == "Doe, Jane"
    assert columns.points_possible() is None


def test_a_sheet_without_numbers_of_students_is_not_canvass():
    told = "no column was recognised as 'id'; found Student, Section; export the entire gradebook"
    with pytest.raises(UsageError, match=told):
        canvas_columns(sheet("Student,Section\nJane,A\n"))


def test_classrooms_roster_and_grades_are_understood():
    roster = '"identifier","github_username","github_id","name"\n"Jane Doe","jdoe","17","jane"\n'
    columns = github_columns(sheet(roster))
    assert (columns.of(0, "identifier"), columns.of(0, "login")) == ("Jane Doe", "jdoe")
    assert columns.unknown == ("github_id",)
    grades = (
        '"assignment_name","assignment_url","starter_code_url","github_username",'
        '"roster_identifier","student_repository_name","student_repository_url",'
        '"submission_timestamp","points_awarded","points_available"\n'
        '"lab","u","s","jdoe","Jane Doe","lab-jdoe","r","2025-01-07 23:12:11 UTC","5","20"\n'
    )
    columns = github_columns(sheet(grades))
    assert columns.of(0, "repository") == "lab-jdoe"
    assert columns.of(0, "submitted") == "2025-01-07 23:12:11 UTC"
    with pytest.raises(UsageError, match="no column was recognised as 'login'"):
        github_columns(sheet("a,b\n1,2\n"))
