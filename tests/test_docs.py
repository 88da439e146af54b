"""The documentation: every topic is shown, every command in it runs as it is written."""

from __future__ import annotations

import re
import shlex
import shutil

import archives
import pytest
from documented import ROOT, blocks, programs, run_page
from quick_lab import quick_lab

from harness import cli
from harness.docs import page, topics
from harness.errors import UsageError

# Commands that take minutes, and where else they are run as they are written.
ELSEWHERE = {
    "harness redteam": ("tests/test_redteam_as_a_user.py", '"harness", "redteam"'),
    "harness calibrate --check": (".ci/run", "harness calibrate --check"),
    "harness calibrate top_ --check": ("tests/test_calibration.py", '"calibrate"'),
}


def commands(text: str) -> list[str]:
    """Each line of a text's code that calls us, without comments and continuations."""
    code = "\n".join(re.findall(r"(?ms)^```\w*\n(.*?)^```$", text)).replace("\\\n", " ")
    found = re.findall(r"(?m)^(?:\S*/)?(harness [^#\n]*)", code)
    return [line.split("  ")[0].strip().rstrip("&").strip() for line in found]


def test_every_topic_is_listed_and_shown(capsys):
    assert cli.main(["help"]) == 0
    listed = capsys.readouterr().out
    for name, title in topics().items():
        assert f"{name} " in listed
        assert title in listed
        assert cli.main(["help", name]) == 0
        assert capsys.readouterr().out == page(name)
    assert {"lab", "technique", "calibration", "hidden", "cluster", "security", "disputes"} <= set(
        topics()
    )


def test_a_topic_that_is_not_there_is_answered_with_the_nearest(capsys):
    with pytest.raises(UsageError, match="no topic 'securty'; did you mean 'security'"):
        page("securty")
    assert cli.main(["help", "nothing"]) == 2
    assert "no topic 'nothing'; allowed: calibration, cluster" in capsys.readouterr().err


def test_in_a_terminal_a_topic_is_laid_out(monkeypatch, capsys):
    monkeypatch.setattr("rich.console.Console.is_terminal", property(lambda self: True))
    assert cli.main(["help", "hidden"]) == 0
    assert "```" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "CONTRIBUTING.md",
        *sorted(
            path.relative_to(ROOT).as_posix() for path in (ROOT / "harness" / "docs").glob("*.md")
        ),
    ],
)
def test_every_command_is_one_that_there_is(path):
    """Whatever stands in a text is taken by the parser; names in capitals stand for something."""
    for line in commands((ROOT / path).read_text("utf-8")):
        cli._parser().parse_args(shlex.split(line.replace("…", ""))[1:])


def test_topics_name_each_other_and_files_that_are_there():
    for name in topics():
        text = page(name)
        for topic in re.findall(r"`harness help (\w+)`", text):
            assert topic in topics(), (name, topic)
    readme = (ROOT / "README.md").read_text("utf-8")
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_not_run_here_is_run_elsewhere(command):
    file, needle = ELSEWHERE[command]
    assert needle in (ROOT / file).read_text("utf-8")
    assert any(command in page(name) for name in topics())


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course as the documentation has it: a quick lab, three students, Moodle's archive."""
    folder = tmp_path_factory.mktemp("course")
    quick_lab(folder / "fixtures", points=20)
    for name in ("alice", "bob"):
        shutil.copytree(ROOT / "submissions" / "good-plain", folder / "submissions" / name)
    works = [work for work in archives.cohort(12) if work.kind == "named" and not work.late]
    made = archives.moodle(folder / "from", works[:3])
    made.archive.rename(folder / "cs-lab-77.zip")
    made.sheets[0].rename(folder / "worksheet.csv")
    programs(folder / "bin")
    return folder


RUN = sorted(name for name in topics() if blocks(page(name), "sh") and name != "hidden")


@pytest.mark.tensorflow
@pytest.mark.parametrize("name", RUN)
def test_every_command_of_a_topic_runs(course, name):
    """The page on hidden cases is run by tests/test_hidden_sets.py, on the whole lab."""
    run_page(name, course, without=ELSEWHERE)
