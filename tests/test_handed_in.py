"""The table of who handed in what: written, corrected by a person, read."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from harness.errors import UsageError
from harness.handed_in import FILE, HandedIn, Student, read_table, same_name, write_table

CET = timezone(timedelta(hours=1))
JANE = Student("1234", "Jane Doe", "jane@example.org")
TABLE = [
    HandedIn("doe-jane", (JANE,), datetime(2026, 12, 4, 22, 10, tzinfo=CET)),
    HandedIn("group-3", (Student("7", "=Ann"), Student("8", "Bo\nb, 李")), late=True, attempt=2),
    HandedIn("unknown", note="nobody is named"),
]


def test_what_is_written_is_read_again(tmp_path):
    write_table(tmp_path / FILE, TABLE)
    found = read_table(tmp_path)
    assert list(found) == ["doe-jane", "group-3", "unknown"]
    assert list(found.values()) == TABLE
    for entry in TABLE[:2]:
        assert HandedIn.from_json(entry.submission, entry.to_json()) == entry


def test_no_table_is_no_fault(tmp_path):
    assert read_table(tmp_path) == {}


def test_a_spreadsheet_may_have_saved_it(tmp_path):
    (tmp_path / FILE).write_text(
        "Name;SUBMISSION;submitted_at\r\nJane;a;2026-12-04T21:10:00Z\r\n;;\r\nno one;;\r\n", "utf-8"
    )
    [entry] = read_table(tmp_path).values()
    assert entry.students == (Student(name="Jane"),)
    assert entry.at == datetime(2026, 12, 4, 21, 10, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "students.csv:1: no column 'submission'; found an empty file"),
        ("name\nJane\n", "students.csv:1: no column 'submission'; found name"),
        ("submission,emial\na,b\n", "unknown column 'emial'; did you mean 'email'?"),
        ("submission,attempt\na,two\n", "students.csv:2: attempt is 'two', expected a whole"),
        ("submission,attempt\na,0\n", "attempt is '0'"),
        ("submission,late\na,maybe\n", "late is 'maybe', expected yes, or nothing"),
        ("submission,submitted_at\na,4.12.2026\n", "submitted_at is '4.12.2026', expected a time"),
        ("submission,submitted_at\na,2026-12-04T10:00\n", "with its offset from UTC"),
        ("submission,id,attempt\na,1,1\na,2,2\n", "students.csv:3: 'a' was handed in at another"),
    ],
)
def test_errors_say_where_and_what_is_expected(tmp_path, text, told):
    (tmp_path / FILE).write_text(text, "utf-8")
    with pytest.raises(UsageError) as error:
        read_table(tmp_path)
    assert told in str(error.value)


def test_a_table_that_is_no_text_is_refused(tmp_path):
    (tmp_path / FILE).write_bytes("submission\nJosé\n".encode("latin-1"))
    with pytest.raises(UsageError, match="save it as CSV UTF-8"):
        read_table(tmp_path)


def test_a_quote_without_its_end_is_said(tmp_path):
    (tmp_path / FILE).write_text('submission,note\na,"' + "b,\n" * 50_000, "utf-8")
    with pytest.raises(UsageError, match=r"not a table \(field larger.*a quote without its end"):
        read_table(tmp_path)


def test_a_table_that_cannot_be_read_is_said(tmp_path, monkeypatch):
    (tmp_path / FILE).write_text("submission\na\n")
    monkeypatch.setattr("pathlib.Path.read_text", lambda *a, **k: (_ for _ in ()).throw(OSError(5)))
    with pytest.raises(UsageError, match="cannot be read"):
        read_table(tmp_path)


@pytest.mark.parametrize("other", ["jane  DOE", " Jane Doe ", "Ｊane Doe"])
def test_names_that_people_take_for_the_same(other):
    assert same_name("Jane Doe") == same_name(other)


def test_composed_and_decomposed_names_are_the_same():
    assert same_name("Zoë") == same_name("Zoe\u0308")
    assert same_name("Zoë") != same_name("Zoe")
