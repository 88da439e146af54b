"""Of a cohort, what is not hidden is run first, of everybody; what is hidden tells no time."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from quick_lab import quick_lab

from harness.cohort import grade_cohort
from harness.engine import LocalEngine, Part, Work
from harness.execution.runner import Runner, _not_run
from harness.execution.sandbox import choose
from harness.gradebook import Gradebook
from harness.grading import Grader, open_lab
from harness.results import RunStatus
from harness.submission import find_submissions

pytestmark = pytest.mark.tensorflow

# Right; in the hidden case alone it takes five seconds and 700 MB, and prints.
TEXT = """
import os, time
def top_predictions(model, image, k=5):
    if HIDDEN == tuple(image.shape) + (int(image.sum()),):
        held = bytearray(os.urandom(2**20) * 700)
        time.sleep(5)
        print("seen")
    probabilities = model.predict(model.preprocess_input(image[None]), verbose=0)
    return [(n, float(v)) for _, n, v in model.decode_predictions(probabilities, top=k)[0]]
"""


@pytest.fixture(scope="module")
def lab_folder(tmp_path_factory):
    """A lab with two public cases and a hidden one."""
    folder = quick_lab(tmp_path_factory.mktemp("lab"))
    data = yaml.safe_load((folder / "lab.yaml").read_text())
    data["cases"]["top_predictions"][-1]["hidden"] = True
    (folder / "lab.yaml").write_text(yaml.safe_dump(data))
    return folder


@pytest.fixture
def submissions(tmp_path, lab_folder):
    lab = open_lab(lab_folder / "lab.yaml")
    image = lab.images[lab.cases[-1].arguments["image"]].pixels()
    hidden = (*image.shape, int(image.sum()))
    for name in ("s0", "s1"):
        (tmp_path / "c" / name).mkdir(parents=True)
        text = f"# {name}\nHIDDEN = {hidden}\n{TEXT}"
        (tmp_path / "c" / name / "submission.py").write_text(text)
    return find_submissions(tmp_path / "c")


class Runs(list):
    """Names and kinds of cases, in the order in which they were run, and the time of each."""

    def __init__(self):
        super().__init__()
        self.seconds = {}


@pytest.fixture
def runs(monkeypatch):
    """What is run in this process, as it is: a name, and whether public or hidden cases."""
    found = Runs()
    run = Runner.run

    def recorded(self, submission, calls):
        kinds = {"hidden" if call.hidden else "public" for call in calls}
        found.append((submission.name, " and ".join(sorted(kinds))))
        started = time.monotonic()
        outputs = run(self, submission, calls)
        found.seconds[found[-1]] = time.monotonic() - started
        return outputs

    monkeypatch.setattr(Runner, "run", recorded)
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
    return [(grade["outcome"], grade["points"]) for grade in grades]


PUBLIC = [("s0", "public"), ("s1", "public")]
HIDDEN = [("s0", "hidden"), ("s1", "hidden")]
FULL = [("judged", 4.0)] * 2


def test_public_cases_of_everybody_come_before_any_hidden_one(
    lab_folder, submissions, runs, tmp_path
):
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
    assert runs == PUBLIC + HIDDEN
    run = json.loads((tmp_path / "out" / "s0" / "grade.json").read_text())["run"]
    assert (run["status"], run["printed"]) == ("completed", "")
    assert 0 < run["seconds"] < runs.seconds["s0", "public"]
    assert 0 < run["memory_mb"] < 900
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
    assert runs == PUBLIC + HIDDEN
    (submissions[1].path / "submission.py").open("a").write("# changed\n")
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
    assert runs == PUBLIC + HIDDEN + [("s1", "public"), ("s1", "hidden")]


def test_one_submission_alone_tells_no_time_and_no_memory_of_hidden_cases(
    lab_folder, submissions, runs
):
    with Grader(open_lab(lab_folder / "lab.yaml"), sandbox=choose()) as grader:
        grader.grade(submissions[1])  # so that nothing is left to start
        run = grader.grade(submissions[0]).grade.run
    assert runs == [("s1", "hidden and public"), ("s0", "hidden and public")]
    assert (run.status, run.printed) == (RunStatus.COMPLETED, "")
    assert 0 < run.seconds < runs.seconds["s0", "hidden and public"] - 5
    assert 0 < run.memory_mb < 900


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
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
    assert runs == PUBLIC + HIDDEN


def test_what_the_machine_could_not_run_is_not_tried_again_beside_hidden_cases(
    lab_folder, submissions, runs, tmp_path, monkeypatch
):
    recorded, faults = Runner.run, [1]

    def fails_once(self, submission, calls):
        outputs = recorded(self, submission, calls)
        if submission.name == "s0" and faults:
            faults.pop()
            return _not_run(submission, calls, "no memory")
        return outputs

    monkeypatch.setattr(Runner, "run", fails_once)
    found = grade(lab_folder, submissions, tmp_path / "out")
    assert [outcome for outcome, _ in found] == ["not_judged", "judged"]
    assert runs == PUBLIC + HIDDEN
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
    assert runs == PUBLIC + HIDDEN + [("s0", "public")]


def test_a_hidden_case_that_the_machine_could_not_run_is_run_the_next_time(
    lab_folder, submissions, runs, tmp_path, monkeypatch
):
    recorded, faults = Runner.run, [1]

    def fails_once(self, submission, calls):
        outputs = recorded(self, submission, calls)
        if calls[0].hidden and faults:
            faults.pop()
            return _not_run(submission, calls, "no memory")
        return outputs

    monkeypatch.setattr(Runner, "run", fails_once)
    found = grade(lab_folder, submissions, tmp_path / "out")
    assert [outcome for outcome, _ in found] == ["not_judged", "judged"]
    assert grade(lab_folder, submissions, tmp_path / "out") == FULL
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
    assert [outcome for outcome, _ in found] == ["not_judged", "judged"]
    assert runs == [("s1", "public"), ("s1", "hidden")]
    assert engine.asked == ["s0", "s1", "s0", "s1"]
