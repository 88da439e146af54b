"""The plugin as pytest sees it: items, options, refusals."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.lab import Case
from harness.plugin import CaseFailedError, CaseItem

ROOT = Path(__file__).parents[2]
pytest_plugins = ["pytester"]

# One function only, so that a submission takes seconds; digit3 fails, all else is missing.
TEXT = """
import os, pathlib, time
pathlib.Path({log!r}).open("a").write("run\\n")
def top_predictions(model, image, k):
    return [("3", 1.0)]
"""


@pytest.fixture
def cohort(pytester):
    """A folder of two submissions below a copy of the lab, and the log of how often each ran."""
    shutil.copytree(ROOT / "fixtures", pytester.path / "fixtures")
    log = pytester.path / "runs.log"
    log.touch()
    for name in ("alice", "bob"):
        folder = pytester.path / "submissions" / name
        folder.mkdir(parents=True)
        (folder / "submission.py").write_text(TEXT.format(log=str(log)), "utf-8")
    return pytester.path / "submissions"


def test_there_is_one_item_per_submission_and_case(pytester, cohort):
    result = pytester.runpytest("--submissions", cohort, "--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [
            "alice::top_predictions::soccer01",
            "alice::layer_activations::mean-l2",
            "alice::activation_maximization::digit9",
            "alice::class_activation_maps::soccer03-guided",
            "bob::class_activation_maps::soccer03-guided",
        ]
    )
    assert result.ret == 0


def test_other_tests_are_not_collected_with_submissions_nor_submissions_with_tests(
    pytester, cohort
):
    pytester.makepyfile(test_other="def test_other(): pass")
    with_submissions = pytester.runpytest("--submissions", cohort, "--collect-only", "-q")
    assert "test_other" not in with_submissions.stdout.str()
    without = pytester.runpytest("--collect-only", "-q", "test_other.py")
    without.stdout.fnmatch_lines(["test_other.py::test_other"])
    assert "alice" not in without.stdout.str()


def test_collection_imports_no_tensorflow(pytester, cohort):
    script = (
        "import sys, pytest; "
        f"pytest.main(['--submissions', {str(cohort)!r}, '--collect-only', '-q']); "
        "assert not {'tensorflow', 'keras', 'jinja2'} & set(sys.modules)"
    )
    assert pytester.runpython_c(script).ret == 0


@pytest.mark.tensorflow
def test_k_selects_and_a_failure_reads_as_the_student_will_read_it(pytester, cohort):
    result = pytester.runpytest_subprocess(
        # Without walls, because it writes down that it was run.
        *("--submissions", cohort, "--unsandboxed"),
        *("-k", "alice and digit4", "--junitxml", "junit.xml"),
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        ["*alice::top_predictions::digit4*", "top-5: expected 5 predictions, got 1"]
    )
    assert "Traceback" not in result.stdout.str()
    assert "plugin.py" not in result.stdout.str()
    cases = list(ET.parse(pytester.path / "junit.xml").iter("testcase"))
    assert len(cases) == 2
    assert (pytester.path / "runs.log").read_text() == "run\n"


@pytest.mark.tensorflow
@pytest.mark.parametrize("dist", [(), ("--dist", "loadgroup")])
def test_on_two_workers_each_submission_runs_once_and_reports_are_written(pytester, cohort, dist):
    result = pytester.runpytest_subprocess(
        *("--submissions", cohort, "--unsandboxed", "-n", "2", "--reports", "out", *dist)
    )
    outcomes = result.parseoutcomes()
    assert outcomes["failed"] > 50
    assert "error" not in outcomes
    assert (pytester.path / "runs.log").read_text() == "run\nrun\n"
    for name in ("index.html", "grades.csv", "alice/report.html", "bob/grade.json"):
        assert (pytester.path / "out" / name).is_file()


@pytest.mark.tensorflow
def test_what_cannot_be_judged_is_an_error_of_the_session(pytester, cohort):
    (cohort / "carol").symlink_to(cohort / "gone")
    result = pytester.runpytest_subprocess(
        "--submissions", cohort, "-k", "carol and soccer01", "--tb=short"
    )
    result.stdout.fnmatch_lines(["*not judged, which is not the student's fault*leads nowhere*"])
    assert result.ret == 1


def plant(folder: Path, marker: Path) -> None:
    """Files that pytest would run or obey if it were pointed at them."""
    folder.joinpath("conftest.py").write_text(f"open({str(marker)!r}, 'w')")


def test_a_path_inside_submissions_is_refused_before_its_conftest_is_read(pytester, cohort):
    marker = pytester.path / "pwned"
    plant(cohort / "alice", marker)
    (cohort / "alice" / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n")
    for path in (cohort / "alice", cohort / "alice" / "submission.py", cohort):
        result = pytester.runpytest_subprocess(path)
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert not marker.exists()
    result = pytester.runpytest_subprocess(cohort)
    result.stderr.fnmatch_lines(["*inside a folder of submissions*pytest --submissions DIR*"])


def test_no_conftest_is_loaded_with_submissions(pytester, cohort):
    marker = pytester.path / "pwned"
    plant(cohort / "alice", marker)
    plant(cohort, marker)
    pytester.chdir()
    # With code at its top, the folder is one submission, and the lab lies beside it.
    given = ("--submissions", cohort, "--lab", "fixtures", "--collect-only", "-q")
    result = pytester.runpytest_subprocess(*given)
    assert result.ret == 0
    assert not marker.exists()


def test_settings_among_the_submissions_stop_the_session(pytester, cohort, monkeypatch):
    (cohort / "pytest.ini").write_text("[pytest]\n")
    monkeypatch.chdir(cohort)
    result = pytester.runpytest_subprocess("--submissions", ".", "--collect-only")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*would obey*pytest.ini*run it from the course's folder*"])


def test_paths_beside_submissions_are_refused(pytester, cohort):
    pytester.makepyfile(test_other="def test_other(): pass")
    result = pytester.runpytest_subprocess("--submissions", cohort, "test_other.py")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--submissions takes no paths to collect, found test_other.py*"])


def test_a_tests_folder_beside_a_single_submission_is_collected_as_ever(pytester):
    pytester.path.joinpath("submission.py").write_text("")
    pytester.makepyfile(**{"tests/test_mine": "def test_mine(): pass"})
    pytester.runpytest("tests").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--submissions", "nowhere"], "*nowhere: expected a submission or a folder*"),
        (["--submissions", "submissions", "--lab", "gone.yaml"], "*no lab file at gone.yaml*"),
        (
            ["--submissions", "submissions"],
            "*manifest.json is missing; run: harness golden*",
        ),
    ],
)
def test_a_wrong_option_is_a_usage_error_without_a_traceback(pytester, cohort, arguments, said):
    (pytester.path / "fixtures" / "golden" / "manifest.json").unlink()
    result = pytester.runpytest_subprocess(*arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([said])
    assert "Traceback" not in result.stderr.str()


def test_a_failed_item_carries_the_diagnosis_of_its_technique():
    case = {"id": "digit3", "outcome": "failed", "score": 0.1, "message": "no", "hint": "look"}
    case |= {"measured": {}, "threshold": {}}
    lab = SimpleNamespace(cases=[Case("digit3", "top_predictions", "m", {}, "digit3")])
    grade = {
        "checks": [{"id": "top", "technique": "top_predictions", "cases": [case]}],
        "techniques": {
            "top_predictions": {"diagnosis": {"mistake": "top_bgr", "hint": "keep RGB"}}
        },
    }
    item = object.__new__(CaseItem)
    item.user_properties = []
    item.prepare(None, "top_predictions", "digit3", SimpleNamespace(of=lambda _: grade, lab=lab))
    with pytest.raises(CaseFailedError) as caught:
        item.runtest()
    assert str(caught.value) == "top: no\n  look\nlike the known mistake top_bgr: keep RGB"


def test_the_header_says_which_lab_and_a_students_own_is_not_it(pytester, cohort):
    text = (pytester.path / "fixtures" / "lab.yaml").read_text("utf-8")
    # The kit's own folders, with a lab of fewer cases.
    hijacked = text.replace("{id: soccer01, model: objects", "{id: mine, model: objects")
    for place in ("alice", "alice/fixtures", "fixtures"):
        for part in ("models", "images", "datasets", "golden", "calibration"):
            given = pytester.path / "fixtures" / part
            shutil.copytree(given, cohort / place / part, dirs_exist_ok=True)
        (cohort / place / "lab.yaml").write_text(hijacked, "utf-8")
    for path in (cohort, cohort / "alice"):
        result = pytester.runpytest("--submissions", path, "--collect-only")
        result.stdout.fnmatch_lines([f"lab: {pytester.path / 'fixtures' / 'lab.yaml'}"])
        assert result.ret == 0
        assert "::mine" not in result.stdout.str()
    result = pytester.runpytest("--submissions", cohort, "--collect-only")
    result.stdout.fnmatch_lines(["not graded, as the names mean something to the harness: fixt*"])
    assert "fixtures::" not in result.stdout.str()
    other = pytester.runpytest("--collect-only")
    assert "lab: " not in other.stdout.str()


def test_a_folder_that_the_labs_owner_allows_is_allowed(pytester, cohort):
    lab = pytester.path / "fixtures"
    (lab / "models").rename(pytester.path / "models")
    text = (lab / "lab.yaml").read_text("utf-8")
    for key in ("file", "classes"):
        text = text.replace(f"{key}: models/", f"{key}: ../models/")
    (lab / "lab.yaml").write_text(text)
    refused = pytester.runpytest("--submissions", cohort, "--collect-only")
    refused.stderr.fnmatch_lines(["*models.digits.file: '../models/digits.keras' is */models/dig*"])
    allowed = ("--submissions", cohort, "--collect-only", "--lab-files", "models")
    assert pytester.runpytest(*allowed).ret == 0
