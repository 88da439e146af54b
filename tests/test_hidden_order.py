"""Of a cohort, what is not hidden is run first, of everybody; what is hidden tells no time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
import yaml

from harness.cohort import grade_cohort
from harness.engine import LocalEngine, Part, Work
from harness.execution.runner import Runner, not_run
from harness.execution.sandbox import choose
from harness.gradebook import Gradebook
from harness.grading import Grader, Stored, open_lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import RunStatus, RunSummary
from harness.submission import find_submissions

ROOT = Path(__file__).parents[1]
# Right; in the hidden case alone it takes five seconds and 700 MB, and prints.
TEXT = """
import os, time
seen = []
def top_predictions(model, image, k=5):
    seen.append("a public case")
    probabilities = model.predict(model.preprocess_input(image[None]), verbose=0)
    return [(n, float(v)) for _, n, v in model.decode_predictions(probabilities, top=k)[0]]
def class_activation_map(model, image, class_index, layer_name, modifier=None):
    if not seen:
        held = bytearray(os.urandom(2**20) * 700)
        time.sleep(5)
        print("seen")
    return image[..., 0]
"""


@pytest.fixture
def lab_folder(tmp_path):
    """A lab with a public case of one function and a hidden one of another."""
    data = yaml.safe_load((ROOT / "fixtures" / "lab.yaml").read_text())
    cases = {
        "top_predictions": data["cases"]["top_predictions"][:1],
        "class_activation_map": [
            {**case, "hidden": True}
            for case in data["cases"]["class_activation_map"]
            if case["id"] == "digit4-as-9"
        ],
    }
    checks = [
        {"id": "top", "metric": "top_predictions.agreement", "points": 1},
        {"id": "maps", "metric": "class_activation_maps.agreement", "points": 1},
    ]
    del data["calibration"], data["questions"]
    changed = {"cases": cases, "checks": checks, "reference": str(ROOT / "reference")}
    folder = tmp_path / "lab"
    folder.mkdir()
    for part in ("models", "images", "datasets", "golden"):
        shutil.copytree(ROOT / "fixtures" / part, folder / part)
    (folder / "lab.yaml").write_text(yaml.safe_dump({**data, **changed}))
    return folder


@pytest.fixture
def submissions(tmp_path):
    for name in ("s0", "s1"):
        (tmp_path / "c" / name).mkdir(parents=True)
        (tmp_path / "c" / name / "submission.py").write_text(f"# {name}\n{TEXT}")
    return find_submissions(tmp_path / "c")


@pytest.fixture
def runs(monkeypatch):
    """What would be run, as it would be: a name, and whether public or hidden cases."""
    found: list[tuple[str, str]] = []

    def recorded(self, opened, calls):
        submission = opened.submission
        kinds = {"hidden" if call.hidden else "public" for call in calls}
        found.append((submission.name, " and ".join(sorted(kinds))))
        returned = CaseOutput(CaseStatus.RETURNED, [["ball", 1.0]])
        run = RunSummary(RunStatus.COMPLETED, 1.0)
        return Outputs(submission.name, run, {call.key: returned for call in calls})

    monkeypatch.setattr(Runner, "run_opened", recorded)
    return found


def grade(lab_folder, submissions, out, engine=None):
    path = lab_folder / "lab.yaml"
    engine = engine or LocalEngine(Work(str(path), False), 1)
    counts = []
    with Grader(open_lab(path), sandbox=choose()) as grader:
        grades = grade_cohort(
            grader,
            submissions,
            Gradebook(out),
            engine,
            lambda done: None,
            lambda *n: counts.append(n),
        )
    assert all(done <= count for done, count in counts)
    assert not counts or counts[-1][0] == counts[-1][1]
    return [grade["outcome"] for grade in grades]


PUBLIC = [("s0", "public"), ("s1", "public")]
HIDDEN = [("s0", "hidden"), ("s1", "hidden")]
JUDGED = ["judged", "judged"]


def test_public_cases_of_everybody_come_before_any_hidden_one(
    lab_folder, submissions, runs, tmp_path
):
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == PUBLIC + HIDDEN
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == PUBLIC + HIDDEN
    (submissions[1].path / "submission.py").write_text("# changed\n")
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == [*PUBLIC, *HIDDEN, ("s1", "public"), ("s1", "hidden")]


@pytest.mark.tensorflow
def test_time_and_memory_of_hidden_cases_are_not_told(lab_folder, submissions):
    with Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader:
        public = grader.run_public(submissions[1])
        later = grader.grade(submissions[1], Stored(public), public_done=True)
        started = time.monotonic()
        at_once = grader.grade(submissions[0])
        seconds = time.monotonic() - started
    assert len(public.cases) == 1
    assert later.grade["run"] == public.run.to_json()
    for graded in (later, at_once):
        run = graded.grade["run"]
        assert (run["status"], run["printed"], run["message"]) == ("completed", "", "")
        assert 0 < run["memory_mb"] < 900
        assert [output.status.value for output in graded.outputs.cases.values()] == ["returned"] * 2
    assert 0 < at_once.grade["run"]["seconds"] < seconds - 5


class Stops(LocalEngine):
    """Is stopped when the first hidden case would be run."""

    def run(self, executor, task):
        if task.part is Part.HIDDEN:
            raise KeyboardInterrupt
        return super().run(executor, task)


def test_stopped_between_it_goes_on_with_the_hidden_cases(lab_folder, submissions, runs, tmp_path):
    stops = Stops(Work(str(lab_folder / "lab.yaml"), False), 1)
    with pytest.raises(KeyboardInterrupt):
        grade(lab_folder, submissions, tmp_path / "out", stops)
    assert runs == PUBLIC
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == PUBLIC + HIDDEN


def test_what_the_machine_could_not_run_is_not_tried_again_beside_hidden_cases(
    lab_folder, submissions, runs, tmp_path, monkeypatch
):
    recorded, faults = Runner.run_opened, [1]

    def fails_once(self, opened, calls):
        outputs = recorded(self, opened, calls)
        if opened.submission.name == "s0" and faults:
            faults.pop()
            return not_run(opened.submission, calls, "no memory")
        return outputs

    monkeypatch.setattr(Runner, "run_opened", fails_once)
    found = grade(lab_folder, submissions, tmp_path / "out")
    assert found == ["not_judged", "judged"]
    assert runs == PUBLIC + HIDDEN
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == PUBLIC + HIDDEN + [("s0", "public")]


def test_a_hidden_case_that_the_machine_could_not_run_is_run_the_next_time(
    lab_folder, submissions, runs, tmp_path, monkeypatch
):
    recorded, faults = Runner.run_opened, [1]

    def fails_once(self, opened, calls):
        outputs = recorded(self, opened, calls)
        if calls[0].hidden and faults:
            faults.pop()
            return not_run(opened.submission, calls, "no memory")
        return outputs

    monkeypatch.setattr(Runner, "run_opened", fails_once)
    found = grade(lab_folder, submissions, tmp_path / "out")
    assert found == ["not_judged", "judged"]
    assert grade(lab_folder, submissions, tmp_path / "out") == JUDGED
    assert runs == PUBLIC + HIDDEN + [("s0", "hidden")]


class Fails(LocalEngine):
    """Cannot hand over the public cases of one submission."""

    def task(self, submission, book):
        self.asked = [*getattr(self, "asked", []), submission.name]
        if submission.name == "s0":
            raise PermissionError(13, "Permission denied")
        return super().task(submission, book)


def test_who_fails_with_public_cases_is_not_run_beside_hidden_ones(
    lab_folder, submissions, runs, tmp_path
):
    engine = Fails(Work(str(lab_folder / "lab.yaml"), False), 1)
    found = grade(lab_folder, submissions, tmp_path / "out", engine)
    assert found == ["not_judged", "judged"]
    assert runs == [("s1", "public"), ("s1", "hidden")]
    assert engine.asked == ["s0", "s1", "s0", "s1"]
