"""Names that students choose are shown wherever they go, and do nothing there."""

from __future__ import annotations

import csv
import io
import unicodedata
import zipfile

import pytest
from quick_lab import quick_lab
from rich.console import Console
from test_gradebook import grade as grade_of

from harness import cli
from harness.cohort import Change, Done
from harness.commands.printing import line_of, print_checks, teller
from harness.disclosure import nothing_hidden
from harness.exchange.to_csv import _cell
from harness.gradebook import Gradebook, last_cohort
from harness.handed_in import HandedIn, Student, read_table, write_table
from harness.progress import Progress
from harness.texts import one_line, plain_cell, shown_cell, visible

# Each as a file system can have it, and a part of what must not be anywhere.
HOSTILE = [
    "a\x1b[31mred\x1b[0m",
    "b\n::error file=x::owned",
    "c\r::warning::owned",
    "d\u202egnp.exe",
    "e\udcff\udcfe",
    "f\u2028::error::owned",
    "g\x85::error::owned",
    "h\u2066x\u2069",
    "i\x07\x08\x7f",
    "j<script>alert(1)</script>",
    '=HYPERLINK("http:x")',
    "+1+1",
    "-1-1",
    "@SUM(A1)",
    "\t=1",
]


def harmless(text: str) -> bool:
    """Whether nothing in a text is unseen, turns it around or begins a line with a command."""
    unseen = {c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} - {"\n"}
    turned = set(text) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")
    return not unseen and not turned and "::" not in {line.strip()[:2] for line in text.split("\n")}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_one_line_in_which_everything_is_seen(name):
    shown = one_line(name).replace("\t", "")
    assert harmless(shown)
    assert "\n" not in shown
    assert one_line(one_line(name)) == one_line(name)


@pytest.mark.parametrize("name", ["Zoë 李", "O'Hara", "jane-doe-1234", "हिन्दी", "a b"])
def test_honest_names_stay_as_they_are(name):
    assert one_line(name) == visible(name) == shown_cell(name) == name


@pytest.mark.parametrize("name", HOSTILE)
def test_cells_are_text_in_one_line(name):
    [[cell]] = csv.reader(io.StringIO(_written(shown_cell(name))))
    assert harmless(cell.replace("\t", ""))
    assert "\n" not in cell
    assert cell[0] not in "=+-@\t\r"
    assert _cell(name) == shown_cell(name)
    assert _cell(7) == 7


def _written(cell: str) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([cell])
    return text.getvalue()


def test_the_terminal_shows_names_and_messages_and_obeys_none():
    stream = io.StringIO()
    console = Console(file=stream, soft_wrap=True, highlight=False)
    with Progress(console, len(HOSTILE)) as progress:
        for name in HOSTILE:
            data = grade_of(name).to_json()
            data["run"] |= {"message": name, "notes": [name]}
            progress.show(
                Done(data, ran=True, change=Change(name, 1.0, 2.0, ("top",))), line_of(data, 9)
            )
            progress.show(Done({**data, "outcome": "not_judged"}), line_of(data, 9))
            print_checks(console, data, nothing_hidden)
            teller(console)(f"note: {name}")
    progress.tell_changes()
    assert harmless(stream.getvalue().replace("\t", ""))


def test_the_table_of_grades_shows_names_and_finds_them_again(tmp_path):
    book = Gradebook(tmp_path)
    names = [name for name in HOSTILE if "/" not in name]
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "grade.json").touch()
    path = book.write_csv([grade_of(name).to_json() for name in names])
    assert harmless(path.read_text("utf-8").replace("\t", ""))
    assert sorted(last_cohort(tmp_path)) == sorted(names)


def test_the_table_of_students_keeps_the_folder_and_shows_the_rest(tmp_path):
    student = Student("1\x1b[2J", "\u202eenaJ", "=1@x.org")
    write_table(tmp_path / "students.csv", [HandedIn("b\n::error::x", (student,), note="\x1b]0;x")])
    [(name, row)] = read_table(tmp_path).items()
    assert name == "b\n::error::x"
    shown = Student("1⟨U+001B⟩[2J", "⟨U+202E⟩enaJ", "=1@x.org")
    assert (row.students, row.note) == ((shown,), "⟨U+001B⟩]0;x")
    assert plain_cell("=1@x.org") in (tmp_path / "students.csv").read_text("utf-8-sig")


def test_errors_that_name_a_path_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(["grade", "x\n::error::owned\x1b[31m"]) == cli.EXIT_ERROR
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert harmless(error)


def test_the_account_of_an_import_shows_every_name(tmp_path, capsys):
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for name in (*HOSTILE, "Jane Doe"):
            whole = f"{name}_12_assignsubmission_file/{name}.py".replace("/script", "script")
            made.writestr(whole.encode("utf-8", "replace").decode(), "x = 1")
    out = str(tmp_path / "out")
    cli.main(["import", str(archive), "--from", "moodle", "--out", out])
    captured = capsys.readouterr()
    assert "Jane Doe" in captured.out + (tmp_path / "out" / "students.csv").read_text("utf-8-sig")
    assert harmless(captured.out)
    assert harmless(captured.err)


@pytest.mark.tensorflow
def test_a_cohort_of_hostile_names_is_graded_and_exported(tmp_path, capsys):
    lab = quick_lab(tmp_path / "lab", cases=1)
    for name in HOSTILE:
        folder = tmp_path / "c" / name.replace("/", "")
        folder.mkdir(parents=True)
        (folder / f"{name.replace('/', '')}.py").write_text("x = 1")
    arguments = ["--lab", str(lab), "--out", str(tmp_path / "out"), "--jobs", "2"]
    capsys.readouterr()
    assert cli.main(["grade", str(tmp_path / "c"), *arguments]) == 0
    grades = (tmp_path / "out" / "grades.csv").read_text("utf-8")
    assert len(list(csv.reader(io.StringIO(grades)))) == 1 + len(HOSTILE)
    table = tmp_path / "table.csv"
    exported = ["--lab", str(lab), "--out", str(table)]
    assert cli.main(["export", str(tmp_path / "out"), "--to", "csv", *exported]) == 0
    pages = [*(tmp_path / "out").rglob("*.html")]
    assert len(pages) == 1 + len(HOSTILE)
    printed = capsys.readouterr()
    for text in (grades, table.read_text("utf-8-sig"), printed.out, printed.err):
        assert harmless(text.replace("\t", ""))
    for page in pages:
        text = page.read_text("utf-8")
        assert "<script>alert(1)" not in text
        assert not set(text) & set("\x1b\u202e\u2066\u2028\x85")
