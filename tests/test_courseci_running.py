"""`harness check --ci`: what is printed and written, whatever happens, and the exit code."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from github_runner import commands
from small_lab import golden_of, graded, make_lab

from harness import cli
from harness.commands import printing
from harness.courseci import running
from harness.courseci.facts import Checked
from harness.errors import LabError, UsageError
from harness.kitfiles import Changed
from harness.outputs import CaseOutput, CaseStatus
from harness.results import RunStatus, RunSummary

EVIL = "No\n::set-env name=PATH::evil\n##[add-path]/tmp\n::stop-commands::x"


@pytest.fixture
def lab(tmp_path):
    return make_lab(tmp_path / "lab")


@pytest.fixture
def repo(tmp_path, monkeypatch):
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "submission.py").write_text("\ndef top_predictions(model, image, k=5): ...\n")
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
        (tmp_path / variable).write_text("of a step before\n")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(folder))
    monkeypatch.chdir(folder)
    return folder


def checked_of(lab, repo, changes=None, run=None, changed=(), report=None):
    grade, outputs = graded(lab, changes, run)
    return Checked(grade, outputs, lab, golden_of(lab), repo, changed, report)


def main(monkeypatch, found, *options):
    """The command, with the check itself made already, or not to be made."""

    def look(*_, **__):
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("harness.courseci.looking.look", look)
    return cli.main(["check", ".", "--ci", "github", *options])


def result_of(tmp_path):
    text = (tmp_path / "GITHUB_OUTPUT").read_text()
    assert text.startswith("of a step before\nresult=")
    assert text.count("\n") == 2
    result = json.loads(base64.b64decode(text.split("result=")[1]))
    assert result["version"] == 3
    assert result["tests"]
    assert all(isinstance(test["score"], (int, float)) for test in result["tests"])
    return result


WRONG = {"top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["x", 0.1]]}


def test_a_failed_check_is_annotated_written_and_told_to_classroom(
    lab, repo, tmp_path, monkeypatch, capsys
):
    assert main(monkeypatch, checked_of(lab, repo, WRONG)) == printing.EXIT_OK
    printed = capsys.readouterr().out
    [error] = commands(printed)
    assert error.name == "error"
    assert (error.properties["file"], error.properties["line"]) == ("submission.py", "2")
    page = (tmp_path / "GITHUB_STEP_SUMMARY").read_text("utf-8")
    assert page == "of a step before\n" + (repo / "reports" / "summary.md").read_text("utf-8")
    root = ElementTree.parse(repo / "reports" / "junit.xml").getroot()
    assert root[0].get("failures") == "1"
    result = result_of(tmp_path)
    assert result["status"] == "fail"
    assert result["max_score"] == 13.5
    assert sum(test["score"] for test in result["tests"]) == pytest.approx(11.5)
    assert not (repo / "reports" / "gl-code-quality-report.json").exists()


def test_what_the_check_prints_cannot_be_a_command(lab, repo, monkeypatch, capsys):
    raised = {"top_predictions/top": CaseOutput(CaseStatus.RAISED, message=EVIL)}
    run = RunSummary(RunStatus.CRASHED, 1.0, EVIL, (EVIL,), EVIL)
    changed = (Changed(EVIL, "changed"),)
    main(monkeypatch, checked_of(lab, repo, raised, run, changed, Path(EVIL)))
    captured = capsys.readouterr()
    assert {command.name for command in commands(captured.out)} == {"error", "warning"}
    assert "⟨U+000A⟩::set-env name=PATH::evil" in captured.out
    assert captured.err == ""


def test_what_is_printed_to_the_other_stream_is_no_command_either(lab, repo, capsys):
    def look():
        sys.stderr.write("::set-env name=A::b")
        return checked_of(lab, repo)

    running.check("github", repo / "reports", look)
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "::set-env name=A::b\n::" in captured.out
    assert commands(captured.out) == []


def test_the_word_that_ends_the_pause_is_another_each_time(lab, repo, capsys):
    words = set()
    for _ in range(3):
        running.check("github", repo / "reports", lambda: checked_of(lab, repo))
        words.add(re.match("::stop-commands::([0-9a-f]{32})\n", capsys.readouterr().out)[1])
    assert len(words) == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LabError(f"lab.yaml:3: no model {EVIL}"), "lab.yaml:3: no model No"),
        (OSError(28, "No space left on device"), "No space left on device"),
        (KeyError(EVIL), "this is a fault of the harness: report it"),
    ],
)
def test_an_error_of_the_harness_is_written_everywhere(
    repo, tmp_path, monkeypatch, capsys, error, said
):
    assert main(monkeypatch, error) == printing.EXIT_ERROR
    captured = capsys.readouterr()
    assert captured.err == ""
    assert "harness: error: " in captured.out
    [command] = commands(captured.out)
    assert command.name == "error"
    assert said in command.data
    result = result_of(tmp_path)
    assert (result["status"], result["max_score"]) == ("error", 0)
    assert result["tests"][0]["score"] == 0
    root = ElementTree.parse(repo / "reports" / "junit.xml").getroot()
    assert root[0].get("errors") == "1"
    page = (repo / "reports" / "summary.md").read_text("utf-8")
    assert page.startswith("## The check could not be made\n")
    assert (tmp_path / "GITHUB_STEP_SUMMARY").read_text("utf-8").endswith(page)


def test_a_fault_while_the_page_is_made_is_written_too(lab, repo, tmp_path, monkeypatch, capsys):
    def broken(_):
        raise ValueError("no page")

    monkeypatch.setattr(running, "summary", broken)
    assert main(monkeypatch, checked_of(lab, repo)) == printing.EXIT_ERROR
    assert "ValueError: no page; this is a fault" in capsys.readouterr().out
    assert result_of(tmp_path)["status"] == "error"


def test_what_could_not_be_judged_exits_with_its_own_code(lab, repo, tmp_path, monkeypatch):
    lost = {"top_predictions/top": CaseOutput(CaseStatus.NOT_RUN, message="died")}
    assert main(monkeypatch, checked_of(lab, repo, lost)) == printing.EXIT_NOT_JUDGED
    result = result_of(tmp_path)
    assert (result["status"], result["max_score"]) == ("error", 0)


def test_answers_that_nobody_has_marked_yet_hold_no_points_of_the_checks_back(
    lab, repo, tmp_path, monkeypatch
):
    found = checked_of(lab, repo, WRONG)
    grade = dict(found.grade)
    grade["final"] = {"points": None, "max_points": 15.5, "lines": [], "held_back": "not marked"}
    main(monkeypatch, dataclasses.replace(found, grade=grade))
    result = result_of(tmp_path)
    assert (result["status"], result["max_score"]) == ("fail", 13.5)


def test_below_the_pass_mark_exits_with_one(lab, repo, monkeypatch):
    everything = dict.fromkeys(graded(lab)[1].cases, CaseOutput(CaseStatus.RAISED, message="No"))
    assert main(monkeypatch, checked_of(lab, repo, everything)) == printing.EXIT_BELOW


def test_without_the_files_of_the_system_only_the_reports_are_written(
    lab, repo, tmp_path, monkeypatch, capsys
):
    for variable in ("GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(variable)
    before = set(tmp_path.rglob("*"))
    assert main(monkeypatch, checked_of(lab, repo, WRONG), "--out", "kept") == printing.EXIT_OK
    written = {path.relative_to(repo).as_posix() for path in set(tmp_path.rglob("*")) - before}
    assert written == {"kept", "kept/.gitignore", "kept/junit.xml", "kept/summary.md"}
    # Without a repository, files are named as seen from the present folder.
    assert commands(capsys.readouterr().out)[0].properties["file"] == "submission.py"


def test_the_repository_is_found_as_git_does(lab, repo, monkeypatch, capsys):
    monkeypatch.setenv("GITHUB_WORKSPACE", "/elsewhere")
    (repo / ".git").mkdir()
    inner = repo / "work"
    inner.mkdir()
    (repo / "submission.py").rename(inner / "submission.py")
    main(monkeypatch, checked_of(lab, inner, WRONG))
    assert commands(capsys.readouterr().out)[0].properties["file"] == "work/submission.py"


def test_gitlab_gets_its_report_and_no_commands(lab, repo, capsys):
    running.check("gitlab", repo / "reports", lambda: checked_of(lab, repo, WRONG))
    [found] = json.loads((repo / "reports" / "gl-code-quality-report.json").read_text("utf-8"))
    assert found["location"] == {"path": "submission.py", "lines": {"begin": 2}}
    assert (repo / "reports" / "junit.xml").is_file()
    assert capsys.readouterr().out == ""


def test_what_cannot_be_written_is_a_usage_error_and_classroom_is_told_all_the_same(
    lab, repo, tmp_path, monkeypatch
):
    (repo / "reports").write_text("a file")
    with pytest.raises(UsageError, match=r"the reports' folder .* cannot be written"):
        running.check("github", repo / "reports", lambda: checked_of(lab, repo))
    assert result_of(tmp_path)["status"] == "pass"
    monkeypatch.setenv("GITHUB_OUTPUT", str(repo))
    with pytest.raises(UsageError, match="GITHUB_OUTPUT names a file that cannot be written"):
        running.check("github", repo / "out", lambda: checked_of(lab, repo))


def test_a_large_result_still_fits_an_environment_variable():
    test = {"name": "n", "status": "fail", "score": 0.5, "output": "x" * 500, "message": "y" * 500}
    for count, kept in ((10, 500), (150, 200), (300, 80), (900, 0)):
        result = {"version": 3, "status": "fail", "max_score": 1, "tests": [test] * count}
        text = running.encoded(result)
        assert len(text) <= running.MAX_RESULT < 131_072
        back = json.loads(base64.b64decode(text))
        assert [one["score"] for one in back["tests"]] == [0.5] * count
        assert {len(one["output"]) for one in back["tests"]} == {kept}


def test_without_the_option_nothing_of_this_is_printed_or_written(
    lab, repo, tmp_path, monkeypatch, capsys
):
    changed = (Changed("lab.yaml", "changed"),)
    found = checked_of(lab, repo, changed=changed)
    monkeypatch.setattr("harness.courseci.looking.look", lambda *_, **__: found)
    assert cli.main(["check", "."]) == printing.EXIT_OK
    printed = capsys.readouterr().out
    assert "::" not in printed
    assert "note: these files of the kit were changed: lab.yaml (changed); what you see" in printed
    assert not (repo / "reports" / "junit.xml").exists()
    assert (tmp_path / "GITHUB_OUTPUT").read_text() == "of a step before\n"
