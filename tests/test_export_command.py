"""`harness export` as a person meets it: the account, exit codes, and files whole or not at all."""

from __future__ import annotations

import json
import zipfile

import exported
import pytest

from harness import cli
from harness.errors import UsageError
from harness.exchange.order import Order, write_all, zip_of
from harness.exchange.outgoing import export
from harness.exchange.preflight import Account, Kind
from harness.grading import open_lab
from harness.handed_in import HandedIn, Student

MOODLE = (
    "Identifier,Full name,Grade,Maximum Grade,Last modified (grade)\n"
    "Participant 100,Student 0,,20.00,-\nParticipant 101,Student 1,,20.00,-\n"
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A current folder with the reports of two students and Moodle's worksheet."""
    exported.store(tmp_path / "reports", exported.cohort(2))
    (tmp_path / "sheet.csv").write_text(MOODLE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_account_is_printed_and_the_files_are_named(here, capsys):
    assert cli.main(["export", "reports", "--to", "moodle", "--sheet", "sheet.csv"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 grades: 2 matched, 2 to write, 0 unchanged",
        "notes:",
        "  no column was recognised that says whether a grade can be changed, so none is taken as "
        "locked; say which one it is: --column changeable=HEADING",
        "written: moodle-grades.csv",
        "written: moodle-grades-feedback.zip",
    ]
    assert "Participant 101,Student 1,5.00," in (here / "moodle-grades.csv").read_text("utf-8")


def test_a_dry_run_writes_nothing(here, capsys):
    arguments = ["export", "reports", "--to", "moodle", "--sheet", "sheet.csv", "--dry-run"]
    assert cli.main(arguments) == 0
    assert "nothing is written; it would be 2 files" in capsys.readouterr().out
    assert sorted(path.name for path in here.iterdir()) == ["reports", "sheet.csv"]


def test_what_needs_a_person_is_exit_code_1_and_the_rest_is_written(here, capsys):
    stranger = HandedIn("x", (Student("7", "\x1b[2JEve\u202e"),))
    exported.store(here / "reports", [exported.grade_json(stranger)])
    assert cli.main(["export", "reports", "--to", "moodle", "--sheet", "sheet.csv"]) == 1
    told = capsys.readouterr().out
    assert "\x1b" not in told
    assert "⟨U+001B⟩[2JEve⟨U+202E⟩ (x): nobody in the sheet has this" in told
    assert "Student 1,5.00," in (here / "moodle-grades.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere", "--to", "csv"], "nowhere: expected the folder that `harness grade` left"),
        (["reports", "--to", "moodle"], "--sheet is missing"),
        (["reports", "--to", "gradescope", "--lab", "no.yaml"], "no lab file at no.yaml"),
        (["reports", "--to", "csv", "--out", "reports/s00/grade.json"], "lies in the reports'"),
        (["reports", "--to", "moodle", "--sheet", "sheet.csv", "--out", "sheet.csv"], "itself"),
        (
            ["reports", "--to", "csv", "--sheet", "sheet.csv"],
            "--sheet is for moodle, canvas,",
        ),
        (["reports", "--to", "csv", "--title", "x"], "--title is for canvas; with --to csv,"),
        (["reports", "--to", "canvas", "--column", "a=b"], "--column is for moodle"),
    ],
)
def test_errors_are_exit_code_2_and_say_what_to_do(here, capsys, arguments, told):
    assert cli.main(["export", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_an_unknown_system_is_refused(here, capsys):
    with pytest.raises(SystemExit) as left:
        cli.main(["export", "reports", "--to", "blackboard"])
    assert left.value.code == 2
    told = capsys.readouterr().err
    assert all(name in told for name in ("moodle", "canvas", "gradescope", "github", "csv"))


def test_a_column_can_be_said(here):
    text = MOODLE.replace(",Grade,", ",Poang,").replace("Maximum Grade", "Upp till")
    (here / "sheet.csv").write_text(text, "utf-8")
    said = ["--column", "grade=Poang", "--column", "maximum=Upp till"]
    assert cli.main(["export", "reports", "--to", "moodle", "--sheet", "sheet.csv", *said]) == 0


def test_the_lab_tells_what_is_hidden(here, lab_file, monkeypatch):
    """The public cases of the lab that was graded with are told, those of another lab are not."""
    grade = exported.grade_json(HandedIn("one", (Student("1", "One"),)), 3)
    grade["checks"][0]["cases"][3]["id"] = "photo"
    grade["digests"]["lab"] = open_lab(lab_file).digest()
    exported.store(here / "known", [grade])
    told = []
    for folder in ("known", "reports"):
        run = [
            "export",
            folder,
            "--to",
            "gradescope",
            "--lab",
            str(lab_file),
            "--out",
            folder + "-out",
        ]
        assert cli.main(run) == 0
        files = [path for path in [here / f"{folder}-out"] if path.is_file()]
        files += sorted((here / f"{folder}-out").glob("*/results.json"))
        tests = [test for file in files for test in json.loads(file.read_bytes())["tests"]]
        told.append(any("came, expected 4" in test["output"] for test in tests))
    assert told == [True, False]


def test_a_file_that_cannot_be_written_leaves_what_was_there(here, capsys):
    (here / "grades-by-student.csv").write_text("old")
    (here / ".grades-by-student.csv.partial").mkdir()
    assert cli.main(["export", "reports", "--to", "csv"]) == 2
    assert (here / "grades-by-student.csv").read_text() == "old"


@pytest.mark.parametrize(
    ("out", "told"),
    [
        ("taken", "taken is a folder; give --out the name of a file"),
        ("sheet.csv/x/out.csv", "sheet.csv is a file, so nothing can be put into it"),
    ],
)
def test_a_name_that_is_taken_is_said_before_anything_is_written(here, capsys, out, told):
    (here / "taken").mkdir()
    before = sorted(here.iterdir())
    arguments = ["export", "reports", "--to", "moodle", "--sheet", "sheet.csv", "--out", out]
    assert cli.main(arguments) == 2
    assert told in capsys.readouterr().err
    assert sorted(here.iterdir()) == before


def test_a_zip_that_cannot_be_finished_leaves_nothing(tmp_path):
    (tmp_path / "old.zip").write_bytes(b"old")
    (tmp_path / "there.html").write_text("there")
    members = [("a", tmp_path / "there.html"), ("b", tmp_path / "gone.html")]
    with pytest.raises(FileNotFoundError):
        list(write_all([zip_of(tmp_path / "old.zip", members)]))
    assert (tmp_path / "old.zip").read_bytes() == b"old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.zip", "there.html"]


def test_the_same_files_make_the_same_zip_at_any_time(tmp_path, monkeypatch):
    file = tmp_path / "report.html"
    found = []
    for text, mode in (("report", 0o600), ("report", 0o644)):
        file.write_text(text)
        file.chmod(mode)
        list(write_all([zip_of(tmp_path / "x.zip", [("a/report.html", file)])]))
        found.append((tmp_path / "x.zip").read_bytes())
    assert found[0] == found[1]
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert archive.getinfo("a/report.html").date_time == (1980, 1, 1, 0, 0, 0)


def test_outputs_among_the_reports_are_refused(tmp_path):
    reports = exported.store(tmp_path / "reports", exported.cohort(1))
    for out in (reports / "grades.csv", reports):
        with pytest.raises(UsageError, match="lies in the reports' folder"):
            export(Order(reports, out=out), "csv", lambda line: None)


def test_an_account_says_one_thing_once():
    account = Account(grades=1)
    account.tell(Kind.NOTE, "a")
    account.tell(Kind.NOTE, "a")
    assert account.lines() == ["1 grade: 0 matched, 0 to write, 0 unchanged", "notes:", "  a"]
