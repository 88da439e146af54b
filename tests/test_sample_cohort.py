"""The sample cohort, graded from end to end by the command that the README gives.

Good work in any style keeps every point; each fault loses points in the technique that it breaks
and in no other.
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from harness.grading import open_lab
from harness.kit.building import write_kit
from harness.results import SCHEMA_FILE

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
COHORT = ROOT / "submissions"
ALL = {
    "top_predictions",
    "layer_activations",
    "activation_maximization",
    "class_activation_maps",
}
BROKEN = {
    "good-compact": set(),
    "good-notebook": set(),
    "good-plain": set(),
    "fault-ascending-top5": {"top_predictions"},
    "fault-class-ignored": {"class_activation_maps"},
    "fault-endless-loop": {"class_activation_maps"},
    "fault-exception": {"layer_activations"},
    "fault-missing-function": {"layer_activations"},
    "fault-no-relu": {"class_activation_maps"},
    "fault-one-of-two-filters": {"activation_maximization"},
    "fault-softmax-gradient": {"class_activation_maps"},
    "fault-syntax-error": ALL,
    "fault-tv-ignored": {"activation_maximization"},
    "fault-wrong-layer": {"class_activation_maps"},
    "fault-wrong-shape": {"layer_activations"},
}


def harness(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The reports' folder of the whole cohort, and what the command printed."""
    out = tmp_path_factory.mktemp("reports")
    run = harness("grade", COHORT, "--out", out, "--jobs", 2)
    assert run.returncode == 0, run.stdout + run.stderr
    return out, run.stdout


@pytest.fixture(scope="module")
def grades(graded):
    out, _ = graded
    return {path.parent.name: json.loads(path.read_text()) for path in out.glob("*/grade.json")}


def test_every_submission_has_a_line_a_grade_and_a_report(graded, grades):
    out, printed = graded
    assert set(grades) == set(BROKEN) == {path.name for path in COHORT.iterdir()}
    for name in BROKEN:
        assert f"{name} " in printed
        assert (out / name / "report.html").is_file()
    assert str(out / "index.html") in printed
    # The sample lab asks for written answers, and nobody has marked one.
    assert f"written answers to mark ({len(BROKEN)}): harness mark --out {out}\n" in printed
    with (out / "grades.csv").open() as stream:
        rows = {row["submission"]: row for row in csv.DictReader(stream)}
    assert float(rows["good-plain"]["points"]) == 20


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_points_are_lost_where_the_work_is_wrong_and_nowhere_else(grades, name):
    techniques = grades[name]["techniques"]
    assert set(techniques) == ALL
    lost = {key for key, value in techniques.items() if value["points"] < value["max_points"]}
    failed = [
        (check["id"], case["id"], case["message"])
        for check in grades[name]["checks"]
        for case in check["cases"]
        if case["outcome"] != "passed"
    ]
    assert lost == BROKEN[name], failed


def test_every_failed_case_says_what_happened_and_what_to_do(grades):
    for grade in grades.values():
        for check in grade["checks"]:
            for case in check["cases"]:
                assert bool(case["message"]) == (case["outcome"] != "passed")
                assert bool(case["hint"]) == (case["outcome"] != "passed")


def test_grades_keep_their_schema(grades):
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    for grade in grades.values():
        jsonschema.validate(grade, schema)


def test_the_endless_loop_costs_its_own_cases_and_says_so(grades):
    grade = grades["fault-endless-loop"]
    failed = {
        case["id"]: case["message"]
        for check in grade["checks"]
        for case in check["cases"]
        if case["outcome"] == "failed"
    }
    assert set(failed) == {"soccer03-guided", "baseball_racket01-baseball-guided"}
    assert all("timed out" in message for message in failed.values())


def test_a_second_run_grades_nothing_again(graded):
    out, _ = graded
    again = harness("grade", COHORT, "--out", out)
    assert again.returncode == 0
    assert again.stdout.count("(unchanged)") == len(BROKEN)


def test_two_runs_give_the_same_grade_but_for_time_and_memory(graded, tmp_path):
    out, _ = graded
    run = harness("grade", COHORT / "good-notebook", "--out", tmp_path, "--jobs", 1)
    assert run.returncode == 0, run.stderr
    first, second = (
        json.loads((folder / "good-notebook" / "grade.json").read_text())
        for folder in (out, tmp_path)
    )
    for measured in ("seconds", "memory_mb"):
        assert first["run"].pop(measured) > 0
        assert second["run"].pop(measured) > 0
    assert first == second


def test_the_kits_verdicts_are_those_of_grading(graded, grades, tmp_path):
    """The same cases: outputs of the graded run still hold, so that no student code is run."""
    book, kit = tmp_path / "reports", tmp_path / "kit"
    shutil.copytree(graded[0], book)
    write_kit(open_lab(ROOT / "fixtures" / "lab.yaml"), tmp_path / "kit.zip")
    shutil.unpack_archive(tmp_path / "kit.zip", kit)
    stored = [book / name / "outputs.safetensors" for name in grades]
    before = [path.stat().st_mtime_ns for path in stored]
    lab = kit / "fixtures" / "lab.yaml"
    run = harness("grade", COHORT, "--out", book, "--jobs", 2, "--lab", lab)
    assert run.returncode == 0, run.stderr
    assert "student code was run for 0" in run.stdout, run.stdout
    assert len(grades) == 15
    for name, grade in grades.items():
        now = json.loads((book / name / "grade.json").read_text("utf-8"))
        assert now["digests"]["lab"] != grade["digests"]["lab"]  # it really is the other lab
        for key in ("points", "max_points", "techniques", "checks"):
            assert now[key] == grade[key], (name, key)
    assert [path.stat().st_mtime_ns for path in stored] == before


def test_check_tells_a_student_the_same_and_exits_by_the_pass_mark(grades, tmp_path):
    good = harness("check", COHORT / "good-compact", "--out", tmp_path)
    assert good.returncode == 0, good.stdout + good.stderr
    assert "20 of 20 points" in good.stdout
    checked = json.loads((tmp_path / "good-compact" / "grade.json").read_text())
    assert checked["checks"] == grades["good-compact"]["checks"]
    bad = harness("check", COHORT / "fault-syntax-error", "--out", tmp_path)
    assert bad.returncode == 1
    assert "SyntaxError" in bad.stdout


def test_golden_outputs_hold_on_other_process_counts_and_without_onednn():
    run = harness("golden", "verify", "--jobs", 2, TF_ENABLE_ONEDNN_OPTS="0")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "DRIFT" not in run.stdout
    assert "changed since" not in run.stdout
