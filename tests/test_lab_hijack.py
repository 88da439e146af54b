"""Labs in what students hand in, end to end: they decide nothing, and nothing is read for them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from quick_lab import quick_lab

from harness import cli
from harness.exchange.incoming import Wanted, bring_in
from harness.finding import find_lab
from harness.handed_in import read_table
from harness.submission import find_submissions

SECRET = "what only the grader may read"
# Right about nothing; tells what it was given.
CODE = """
import os, pathlib
for path in sorted(pathlib.Path(os.environ["HARNESS_MATERIALS"]).rglob("*")):
    if path.is_file() and b"what only" in path.read_bytes()[:200]:
        print("LOOT", path.name, path.read_bytes()[:200])
def top_predictions(model, image, k=5):
    return [("4", 1.0)]
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """One case of the lab, with golden outputs, worth four points."""
    return quick_lab(tmp_path_factory.mktemp("lab"), cases=1)


@pytest.fixture
def course(lab, tmp_path, monkeypatch):
    """The course's folder, which is the present one, with its lab and one honest submission."""
    folder = tmp_path / "course"
    shutil.copytree(lab, folder / "fixtures")
    (folder / "secret.txt").write_text(SECRET)
    monkeypatch.chdir(folder)
    hand_in(folder / "submissions" / "bob")
    return folder


def hand_in(folder):
    folder.mkdir(parents=True)
    (folder / "submission.py").write_text(CODE)
    return folder


def hijack(folder, lab, secret):
    """A lab of the student's own: everything passes, is worth a lot, and one image is a loot."""
    shutil.copytree(lab, folder, dirs_exist_ok=True)
    data = yaml.safe_load((folder / "lab.yaml").read_text())
    data["title"] = "HIJACKED"
    data["checks"][0] |= {"points": 1000, "threshold": {"tie": 1.0}}
    data["images"]["loot"] = {"file": str(secret)}
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))


def graded(course, capsys, *arguments):
    """Grade, and see that nothing but the course's lab was used; output and grades by name."""
    options = ("--out", "out", "--jobs", "1")
    assert cli.main(["grade", *map(str, arguments), *options]) == 0
    told = capsys.readouterr().out
    assert f"lab: {course / 'fixtures' / 'lab.yaml'}\n" in told
    assert told.count("note: This lab has no hidden cases: its golden outputs are in the") == 1
    written = [path.read_bytes() for path in Path("out").rglob("*") if path.is_file()]
    assert not any(b"HIJACKED" in data or SECRET.encode() in data for data in written)
    grades = [json.loads(path.read_text()) for path in Path("out").glob("*/grade.json")]
    assert {(grade["points"], grade["max_points"]) for grade in grades} == {(0, 4)}
    return told, {grade["submission"]: grade for grade in grades}


@pytest.mark.tensorflow
@pytest.mark.parametrize("where", ["", "fixtures"])
def test_a_submission_graded_alone_is_graded_by_the_courses_lab(course, lab, where, capsys):
    alice = hand_in(course / "submissions" / "alice")
    hijack(alice / where, lab, course / "secret.txt")
    told, grades = graded(course, capsys, "submissions/alice")
    name = (Path(where) / "lab.yaml").as_posix()
    assert f"note: labs in what was handed in, not used: alice/{name}\n" in told
    [note] = [note for note in grades["alice"]["run"]["notes"] if "a lab was handed in" in note]
    assert note.startswith(f"a lab was handed in, {name}; it is not used")


@pytest.mark.tensorflow
@pytest.mark.parametrize("system", ["folder", "github"])
def test_a_student_called_fixtures_is_imported_under_another_name_and_graded(
    course, lab, system, capsys
):
    cohort = course.parent / "archive" / "lab-submissions"
    hand_in(cohort / "bob")
    hand_in(cohort / "fixtures")
    hijack(cohort / "fixtures", lab, course / "secret.txt")
    shutil.rmtree(course / "submissions")
    command = ["import", str(cohort), "--from", system]
    assert cli.main(command) in (0, 1)
    assert "not called 'fixtures', which means something to the harness" in capsys.readouterr().out
    _, grades = graded(course, capsys, "submissions")
    assert set(grades) == {"bob", "student-fixtures"}


@pytest.mark.tensorflow
def test_a_folder_called_fixtures_among_submissions_is_neither_lab_nor_submission(
    course, lab, capsys
):
    hijack(hand_in(course / "submissions" / "fixtures"), lab, course / "secret.txt")
    told, grades = graded(course, capsys, "submissions")
    assert set(grades) == {"bob"}
    assert "not graded, as the names mean something to the harness: fixtures;" in told


@pytest.mark.parametrize("system", ["folder", "github"])
@pytest.mark.parametrize("name", ["Fixtures", "lab.yaml", "students.csv", "golden", "MODELS"])
def test_a_name_that_means_something_is_not_kept_by_an_import(tmp_path, system, name):
    archive = tmp_path / "lab-submissions"
    for folder in ("bob", name):
        hand_in(archive / folder)
    out = tmp_path / "submissions"
    account = bring_in(Wanted(archive, system, out))
    assert account.counts["lost"] == 0
    [other] = set(read_table(out)) - {"bob"}
    assert [one.name for one in find_submissions(out)] == sorted(["bob", other])
    assert not (out / name.lower()).is_dir()
    # The next import knows it by that name.
    bring_in(Wanted(archive, system, out))
    assert set(read_table(out)) == {"bob", other}


@pytest.mark.tensorflow  # for the golden outputs
def test_marking_uses_the_courses_lab(course, lab, monkeypatch):
    from harness.marking import command, serve

    hijack(hand_in(course / "submissions" / "alice"), lab, course / "secret.txt")
    hijack(course / "submissions" / "fixtures", lab, course / "secret.txt")
    used = []
    monkeypatch.setattr(serve, "mark", lambda lab, *_, **__: used.append(lab.source.path))
    for submissions in (Path("submissions"), Path("submissions/alice"), None):
        options = {"submissions": submissions, "lab": None, "lab_files": [], "out": Path("out")}
        command.run(SimpleNamespace(**options, port=0, marker=""), lambda line: None)
    assert used == [course / "fixtures" / "lab.yaml"] * 3
    monkeypatch.chdir(course / "submissions" / "alice")
    assert find_lab(None) == course / "fixtures" / "lab.yaml"
