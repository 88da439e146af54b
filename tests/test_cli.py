"""The command's exit codes and errors: one message, no traceback, nothing heavy imported."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from harness import cli
from harness.commands.printing import line_of, print_checks
from harness.disclosure import nothing_hidden

ROOT = Path(__file__).parents[1]


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the lab with one submission; the current folder."""
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    (tmp_path / "submissions" / "alice").mkdir(parents=True)
    (tmp_path / "submissions" / "alice" / "submission.py").write_text("x = 1\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fails(capsys, *arguments) -> str:
    """Run the command, expect exit code 2, and return the one message."""
    assert cli.main(list(map(str, arguments))) == cli.EXIT_ERROR
    error = capsys.readouterr().err
    assert error.startswith("harness: error: ")
    assert "Traceback" not in error
    return error


@pytest.mark.parametrize("command", ["check", "grade"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", "found an empty folder"),
        ("gone", "found nothing"),
        ("no such 😀 folder", "no such 😀 folder: expected a submission"),
        ("n" * 200, "expected a submission or a folder of submissions, found nothing"),
        ("dangling", "found a link to nowhere, which is not there"),
    ],
)
def test_a_wrong_submission_is_one_clear_error(course, capsys, command, name, said):
    (course / "empty").mkdir()
    (course / "dangling").symlink_to("nowhere")
    assert said in fails(capsys, command, course / name)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("pass_mark", "pas_mark", "unknown key 'pas_mark'; did you mean 'pass_mark'?"),
        ("layer_name: l3}", "layer_name: l9}", "has no layer 'l9'"),
        ("models/digits.keras", "images/digit1.png", "digit1.png is not a Keras model"),
    ],
)
def test_a_wrong_lab_is_one_clear_error_with_its_line(course, capsys, before, after, said):
    path = course / "fixtures" / "lab.yaml"
    path.write_text(path.read_text("utf-8").replace(before, after), "utf-8")
    error = fails(capsys, "grade", "submissions")
    assert said in error
    assert "lab.yaml:" in error


def test_a_corrupted_golden_file_is_named(course, capsys):
    path = course / "fixtures" / "golden" / "reference" / "arrays.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    error = fails(capsys, "grade", "submissions")
    assert "arrays.safetensors is damaged" in error


def test_a_model_file_that_is_not_one_is_named(course, capsys):
    (course / "fixtures" / "models" / "objects.keras").write_text("not a model")
    error = fails(capsys, "grade", "submissions")
    assert "objects.keras is not a Keras model: expected the .keras file" in error


NUMBERS = {"score": 0.5, "measured": {}, "threshold": {}}


def test_what_comes_from_outside_cannot_steer_the_terminal(capsys):
    message = "\x1b]0;title\x07 [bold]x[/] \u202e"
    case = {"id": "a", "outcome": "failed", "message": f"{message}!", "hint": "h\x1b[2J", **NUMBERS}
    check = {"id": "c", "technique": "t", "points": 0, "max_points": 1, "cases": [case]}
    grade = {
        "submission": "eve\x1b[31m",
        "outcome": "judged",
        "points": 0,
        "max_points": 1,
        "run": {"status": "crashed", "message": message, "notes": [message]},
        "checks": [check],
        "techniques": {},
    }
    print_checks(cli.Console(highlight=False, soft_wrap=True), grade, nothing_hidden)
    printed = capsys.readouterr().out + line_of(grade, 10)
    assert "\x1b" not in printed.replace("\x1b[1m", "").replace("\x1b[0m", "")
    assert "\u202e" not in printed
    assert printed.count("⟨U+001B⟩]0;title⟨U+0007⟩ [bold]x[/] ⟨U+202E⟩") == 3


def test_what_stopped_everything_is_told_once(capsys):
    message = "your file could not be imported: SyntaxError"
    cases = [
        {"id": name, "outcome": "failed", "message": before + message, "hint": "run it", **NUMBERS}
        for name, before in (("a", ""), ("b", "b-tv1: "))
    ]
    checks = [
        {"id": name, "technique": "t", "points": 0, "max_points": 1, "cases": cases}
        for name in ("one", "two")
    ]
    grade = {
        **{"outcome": "judged", "points": 0, "max_points": 2, "checks": checks, "techniques": {}},
        "run": {"status": "crashed", "message": message, "notes": []},
    }
    print_checks(cli.Console(highlight=False, soft_wrap=True), grade, nothing_hidden)
    printed = capsys.readouterr().out
    assert printed.count(message) == printed.count("→ run it") == 1
    assert printed.count("0.00 / 1") == 2
    cases[1]["message"] = "another"
    print_checks(cli.Console(highlight=False, soft_wrap=True), grade, nothing_hidden)
    assert capsys.readouterr().out.count("→ run it") == 4


def test_check_takes_one_submission(course, capsys):
    for name in ("bob", "carol"):
        (course / "submissions" / name).mkdir()
    error = fails(capsys, "check", "submissions")
    assert "holds 3 submissions" in error
    assert "harness grade submissions" in error


def test_a_reports_folder_that_cannot_be_made_is_named(course, capsys):
    assert "cannot be made" in fails(capsys, "grade", "submissions", "--out", "fixtures/lab.yaml")


def test_a_full_disk_or_the_like_is_one_message(course, capsys, monkeypatch):
    def refuse(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("harness.submission.find_submissions", refuse)
    error = fails(capsys, "grade", "submissions")
    assert "No space left on device; what was graded before is kept" in error
    monkeypatch.setattr("harness.courseci.looking.find_submissions", refuse)
    assert fails(capsys, "check", "submissions").endswith("No space left on device\n")


def test_control_c_says_how_to_go_on(course, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("harness.submission.find_submissions", interrupt)
    assert cli.main(["grade", "submissions"]) == cli.EXIT_INTERRUPTED
    assert "the same command goes on where it stopped" in capsys.readouterr().err


@pytest.mark.parametrize("jobs", ["0", "-1", "two"])
def test_jobs_are_a_whole_number_from_one(capsys, jobs):
    with pytest.raises(SystemExit) as caught:
        cli.main(["grade", "x", "--jobs", jobs])
    assert caught.value.code == 2
    assert f"expected a whole number from 1, found '{jobs}'" in capsys.readouterr().err


def test_help_imports_nothing_heavy():
    script = (
        "import sys\n"
        "import harness.plugin\n"
        "from harness.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'keras', 'skimage', 'jinja2', 'numpy', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "harness" in run.stdout


def test_the_terminal_tells_the_diagnosis_and_what_was_accepted_with_a_note():
    case = {
        "id": "a",
        "outcome": "passed",
        "message": "percentages: accepted",
        "hint": "",
    } | NUMBERS
    failed = {"id": "b", "outcome": "failed", "message": "wrong", "hint": "look"} | NUMBERS
    check = {"id": "c", "technique": "t", "points": 1.0, "max_points": 2.0, "cases": [case, failed]}
    diagnosis = {"mistake": "no_relu", "confidence": 0.93, "hint": "apply the \x1b[31mReLU"}
    grade = {
        "run": {"message": "", "notes": [], "status": "completed"},
        "checks": [check],
        "techniques": {"t": {"diagnosis": diagnosis}, "u": {"diagnosis": None}},
        "points": 1.0,
        "max_points": 2.0,
    }
    console = Console(file=io.StringIO(), soft_wrap=True)
    print_checks(console, grade, nothing_hidden)
    printed = console.file.getvalue()
    assert "✓ a: passed; percentages: accepted" in printed
    assert "✗ b: wrong" in printed
    assert "t: this looks like the known mistake no_relu (93 % sure)" in printed
    assert "→ apply the ⟨U+001B⟩[31mReLU" in printed
    assert "u: " not in printed
