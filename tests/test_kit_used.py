"""The kit and the autograder as they are used elsewhere, with the same verdict as here."""

from __future__ import annotations

import io
import json
import os
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest
from quick_lab import quick_lab
from test_export_gradescope import SCHEMA

from harness import cli
from harness.grading import open_lab
from harness.kit.autograder import write_autograder
from harness.kit.building import write_kit

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
COHORT = ROOT / "submissions"


def harness(*arguments: object) -> int:
    return cli.main([str(argument) for argument in arguments])


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpack as a student's `unzip` does, with modes."""
    with zipfile.ZipFile(archive) as stream:
        for info in stream.infolist():
            path = Path(stream.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)
    return folder


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kit")
    write_kit(open_lab(ROOT / "fixtures" / "lab.yaml"), folder / "kit.zip")
    return unpacked(folder / "kit.zip", folder / "unpacked")


def test_the_starter_earns_nothing_yet_and_says_what_to_do(kit, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(kit)
    assert harness("check", "--preflight") == 0
    told = capsys.readouterr().out
    assert "ok   top_predictions is there" in told
    assert "ok   the kit's files are as they were given out" in told
    assert harness("check", "--out", tmp_path) == 1
    told = capsys.readouterr().out
    assert "0 of 20 points" in told
    assert told.count("write this function: so far it stops where the starter does") >= 6
    told = told.replace("note: both submission.py and submission.ipynb", "")
    assert "note:" not in told.replace("note: written questions answered: 0 of 3; not yet: ", "")


def test_answers_are_found_before_anything_runs(kit, monkeypatch, capsys):
    monkeypatch.chdir(kit)
    before = (kit / "answers.md").read_text()
    title = "How can activation maximization be useful?"
    try:
        (kit / "answers.md").write_text(before.replace(f"## {title}\n", f"## {title}\n\nSo.\n"))
        assert harness("check", "--preflight") == 0
    finally:
        (kit / "answers.md").write_text(before)
    told = capsys.readouterr().out
    assert "ok   written questions answered: 1 of 3; not yet: Does the map reflect" in told
    assert title not in told


@pytest.mark.parametrize("name", ["lab.yaml", "images/soccer02.png", "golden/manifest.json"])
@pytest.mark.parametrize("options", [["--preflight"], ["--ci", "github"]])
def test_a_check_that_a_changed_kit_makes_impossible_says_so(
    kit, tmp_path, monkeypatch, capsys, name, options
):
    monkeypatch.chdir(kit)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    file = kit / "fixtures" / name
    before = file.read_bytes()
    file.unlink()
    try:
        code = harness("check", *options, "--out", tmp_path)
    finally:
        file.write_bytes(before)
    told = "".join(capsys.readouterr())
    # Golden outputs are not looked at before anything runs.
    assert code == (1 if options == ["--preflight"] and "golden" in name else 2)
    assert f"these files of the kit were changed: fixtures/{name} (missing)" in told
    assert "take them from the kit again" in told


def test_good_work_in_the_kits_folder_gets_full_marks_and_stays_the_same_submission(
    kit, monkeypatch, capsys
):
    monkeypatch.chdir(kit)
    starter = (kit / "submission.py").read_bytes()
    shutil.copy(COHORT / "good-plain" / "submission.py", kit)
    try:
        assert harness("check") == 0
        told = capsys.readouterr().out
        assert "20 of 20 points" in told
        assert "submission.ipynb is the starter as it was given; submission.py is run" in told
        stored = kit / "reports" / kit.name / "outputs.safetensors"
        before = stored.stat().st_mtime_ns
        # The reports beside the work are no part of it: nothing is run again.
        assert harness("check") == 0
        assert stored.stat().st_mtime_ns == before
    finally:
        (kit / "submission.py").write_bytes(starter)


METADATA = {
    "id": 4711,
    "created_at": "2026-12-04T22:10:00.000000+01:00",
    "assignment": {"due_date": "2026-12-04T23:59:59.000000+01:00", "total_points": "20.0"},
    "users": [{"email": "jane@example.org", "id": 17, "name": "Jane Doe"}],
    "previous_submissions": [],
}


@pytest.fixture(scope="module")
def autograder(tmp_path_factory):
    """A folder laid out like Gradescope's `/autograder`, once its image is built."""
    course = quick_lab(tmp_path_factory.mktemp("course"), cases=4, points=20)
    text = (course / "lab.yaml").read_text()
    late = "late: {deadline: '2026-12-04 22:00', time_zone: Europe/Paris, percent: 10}\n"
    assert "- id: soccer01\n" in text
    text = text.replace("- id: soccer01\n", "- id: soccer01\n    hidden: true\n", 1)
    (course / "lab.yaml").write_text(text + late)
    root = tmp_path_factory.mktemp("gradescope") / "autograder"
    write_autograder(open_lab(course / "lab.yaml"), course / "autograder.zip")
    unpacked(course / "autograder.zip", root / "source")
    shutil.copy(root / "source" / "run_autograder", root)
    (root / "results").mkdir()
    # In place of what `setup.sh` installs, this environment.
    programs = root / "venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "harness").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m harness "$@"\n')
    (programs / "harness").chmod(0o755)
    return root


def run_autograder(root: Path, files: dict[str, bytes]) -> tuple[subprocess.CompletedProcess, Path]:
    results = root / "results" / "results.json"
    results.unlink(missing_ok=True)
    shutil.rmtree(root / "submission", ignore_errors=True)
    (root / "submission").mkdir()
    for name, data in files.items():
        (root / "submission" / name).write_bytes(data)
    (root / "submission_metadata.json").write_text(json.dumps(METADATA))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [root / "run_autograder"], cwd="/", env=environment, capture_output=True, text=True
    )
    return done, results


def test_the_autograder_is_programs_and_the_whole_lab_without_the_reference(autograder):
    source = autograder / "source"
    for name in ("setup.sh", "run_autograder"):
        assert source.joinpath(name).stat().st_mode & stat.S_IXUSR
        assert subprocess.run(["bash", "-n", source / name], check=False).returncode == 0
    assert any(case.hidden for case in open_lab(source / "fixtures" / "lab.yaml").cases)
    assert not list(source.rglob("*submission.py"))


def test_gradescope_is_told_what_it_asks_for(autograder):
    good = (COHORT / "good-plain" / "submission.py").read_bytes()
    done, results = run_autograder(autograder, {"my lab.py": good})
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads(results.read_text("utf-8"))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    # 20 points, less 10 % for the ten minutes that it was late.
    assert data["score"] == 18.0
    assert {test["visibility"] for test in data["tests"]} == {"visible"}
    assert "10 %" in data["output"]


def test_wrong_work_gets_its_points_and_reasons(autograder):
    done, results = run_autograder(autograder, {"submission.py": b"x = 1\n"})
    assert done.returncode == 0, done.stdout + done.stderr
    data = json.loads(results.read_text("utf-8"))
    assert data["score"] == 0
    assert any("top_predictions" in test["output"] for test in data["tests"])


TELLING = b"""
def top_predictions(model, image, k=5):
    raise ValueError(f"the mean is {image.mean()}")
"""


def test_of_a_hidden_case_gradescope_is_told_outcome_and_hint_only(autograder):
    done, results = run_autograder(autograder, {"submission.py": TELLING})
    assert done.returncode == 0, done.stdout + done.stderr
    tests = json.loads(results.read_text("utf-8"))["tests"]
    assert len(tests) == 4
    assert {test["status"] for test in tests} == {"failed"}
    [hidden] = [test for test in tests if "the mean is" not in test["output"]]
    assert "soccer01" in hidden["name"]
    assert hidden["output"]


def test_what_cannot_be_judged_gets_no_result_rather_than_a_zero(autograder):
    golden = autograder / "source" / "fixtures" / "golden" / "manifest.json"
    text = golden.read_text()
    golden.write_text(text.replace("sha", "shb").replace('"cases"', '"case"'))
    try:
        done, results = run_autograder(autograder, {"submission.py": b"x = 1\n"})
    finally:
        golden.write_text(text)
    assert done.returncode != 0
    assert not results.exists()
    assert "golden manifest" in done.stderr


def test_the_command_writes_either(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    out = tmp_path / "a.zip"
    assert harness("kit", "--autograder", "gradescope", "--unsandboxed", "--out", out) == 0
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        assert b"--jobs 1 --unsandboxed" in archive.read("run_autograder")
    assert harness("kit", "--autograder", "gradescope", "--ci", "github", "--out", out) == 2
    assert "give --autograder, or --ci" in capsys.readouterr().err
    for bad, told in ((tmp_path, "is a folder; give --out"), (out / "x", "is no folder; make it")):
        assert harness("kit", "--out", bad) == 2
        assert told in capsys.readouterr().err
    assert harness("kit", "--ci", "gitlab", "--out", out) == 0
    with zipfile.ZipFile(io.BytesIO(out.read_bytes())) as archive:
        assert ".gitlab-ci.yml" in archive.namelist()
        assert b".venv/\nreports/\n" in archive.read(".gitignore")
        assert ".gitignore" not in json.loads(archive.read("kit.json"))["files"]
    assert "kit: " in capsys.readouterr().out
