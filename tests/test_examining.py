"""What students made is read in a process with limits; beyond them, their work has failed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from strange_assessors import Strange

from harness.assessing import ANSWERS, FIGURES, Assessed, Work, unread_answers
from harness.errors import GradingError, MachineError, UsageError
from harness.examining import allowance, overload
from harness.examining import examiner as module
from harness.examining.allowance import Allowance
from harness.examining.examiner import BeyondError, Examiner
from harness.opened import Opened, Source
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import RunStatus, RunSummary
from harness.submission import Submission

LITTLE = Allowance(cpu_seconds=1, memory_mb=256)
linux = pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")


class Asked:
    """An oracle that says what it was asked."""

    def layer_outputs(self, model, layer_name, images, *, preprocess=False):
        return np.array([images.sum(), preprocess, len(layer_name)], "float32")

    def probabilities(self, model, images):
        if model == "gone":
            raise MachineError("no such model")
        return np.array([len(model), images.shape[0]], "float32")


@pytest.fixture(scope="module")
def _examiner(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ours")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PYTHONPATH", str(Path(__file__).parent))  # for `strange_assessors`
        patched.setattr(module, "ASSESS", LITTLE)
        patched.setattr(module, "OPEN", LITTLE)
        with closing(Examiner(Strange(), Asked(), folder)) as made:
            yield made


@pytest.fixture
def examiner(_examiner):
    return _examiner


def work(name: str, **changes) -> Work:
    run = RunSummary(RunStatus.COMPLETED, 1.0)
    outputs = Outputs(name, run, {"cam/a": CaseOutput(CaseStatus.RETURNED, 1.0)})
    submission = Submission(name, Path("nowhere"))
    made = Work(submission, None, Path("nowhere") / "t", outputs, True, b"", {}, {})
    return replace(made, **changes)


def found(examiner: Examiner, name: str) -> object:
    return examiner.assess(work(name)).grade["found"]


def test_one_process_serves_all_that_is_within_its_allowance(examiner, tmp_path):
    pid = found(examiner, "well")
    assert pid != os.getpid()
    assert found(examiner, "well") == pid
    opened = examiner.open(Submission("well", tmp_path), tmp_path / "s")
    assert opened == Opened(
        Submission("well", tmp_path), tmp_path / "s", Source(("a.py",), ("a note",)), ("a problem",)
    )
    answers = json.loads(examiner.answers(Submission("well", tmp_path), tmp_path / "s"))
    assert answers["texts"] == {"q": "because"}
    assert examiner.assess(work("well")).report == b"<html>"


@linux
@pytest.mark.parametrize(
    ("name", "place", "what"),
    [
        ("takes_memory", "cam/a", "memory"),
        ("takes_memory_bit_by_bit", "cam/b", "memory"),
        ("takes_time", "cam/c", "time"),
        ("crashes", "cam/d", "crash"),
    ],
)
def test_what_goes_beyond_its_allowance_is_named_and_the_next_one_is_judged(
    examiner, name, place, what
):
    with pytest.raises(BeyondError) as caught:
        found(examiner, name)
    assert (caught.value.place, caught.value.what) == (place, what)
    assert caught.value.allowed is LITTLE
    assert isinstance(found(examiner, "well"), int)


@linux
def test_files_and_answers_have_an_allowance_as_well(examiner, tmp_path):
    with pytest.raises(BeyondError, match="cam/a went beyond its memory"):
        examiner.open(Submission("takes_memory", tmp_path), tmp_path / "s")
    with pytest.raises(BeyondError, match="cam/c went beyond its time"):
        examiner.answers(Submission("takes_time", tmp_path), tmp_path / "s")
    assert overload.answers(examiner, Submission("crashes", tmp_path), tmp_path / "s") == (
        unread_answers().to_bytes()
    )


def test_a_process_that_was_ended_from_outside_is_nobodys_fault(examiner):
    with pytest.raises(MachineError, match=r"ended \(status -9\)"):
        found(examiner, "is_killed")
    with pytest.raises(MachineError, match=r"ended \(status 3\).*out of luck"):
        found(examiner, "exits")
    assert isinstance(found(examiner, "well"), int)


def test_a_process_that_cannot_be_started_is_nobodys_fault(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with (
        closing(Examiner(Strange(), None, tmp_path)) as made,
        pytest.raises(MachineError, match=r"could not be started: .*/nowhere/python"),
    ):
        found(made, "well")


def test_a_machine_that_is_far_too_busy_is_nobodys_fault(examiner, monkeypatch):
    monkeypatch.setattr(Allowance, "wall_seconds", 0.5)
    with pytest.raises(MachineError, match="the machine is too busy"):
        found(examiner, "sleeps")


def test_errors_come_out_as_what_they_were(examiner):
    with pytest.raises(GradingError, match=r"KeyError: 'not there'; strange_assessors.py, line"):
        found(examiner, "has_a_fault")
    with pytest.raises(UsageError, match="the marks are damaged"):
        found(examiner, "misuses")
    with pytest.raises(OSError, match="Permission denied"):
        found(examiner, "cannot_read")


def test_a_process_that_says_no_frames_is_a_fault_of_ours(examiner):
    with pytest.raises(GradingError, match="the process that reads submissions: a frame begins"):
        found(examiner, "says_nonsense")
    assert isinstance(found(examiner, "well"), int)


def test_questions_about_models_are_answered_meanwhile(examiner):
    assert found(examiner, "asks") == [[126.0, 1.0, 4.0], [3.0, 2.0]]


def test_a_question_that_no_model_answers_is_the_machines_fault(examiner, monkeypatch):
    def gone(*_, **__):
        raise MachineError("the harness's own child failed")

    monkeypatch.setattr(Asked, "layer_outputs", gone)
    with pytest.raises(MachineError, match="the harness's own child failed"):
        found(examiner, "asks")


def test_it_judges_on_one_core(examiner):
    assert found(examiner, "threads") == "1"


def test_no_module_of_the_present_folder_is_imported(tmp_path, monkeypatch):
    """A student checks in the folder of the submission, which may hold a `random.py`."""
    for name in ("random", "numpy", "json", "harness"):
        (tmp_path / f"{name}.py").write_text("open('pwned', 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    (tmp_path / "ours").mkdir()
    with closing(Examiner(Strange(), Asked(), tmp_path / "ours")) as made:
        where, imported = found(made, "where")
    assert where == str(tmp_path)
    assert Path(imported).parent != tmp_path
    assert not (tmp_path / "pwned").exists()


@linux
def test_it_ends_with_the_process_that_started_it(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from harness.examining.examiner import *\n"
        "from strange_assessors import Strange\n"
        f"made = Examiner(Strange(), None, Path({str(tmp_path)!r})); made.warm()\n"
        "print(made._process.pid, flush=True); time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as grader:
        pid = int(grader.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        grader.kill()
    deadline = time.monotonic() + 60
    while _runs(pid) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(pid)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_limit_that_the_system_has_already_is_not_raised(monkeypatch):
    resource = pytest.importorskip("resource")
    set_to = []
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (10, 100))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, pair: set_to.append(pair))
    allowance._set_soft("RLIMIT_CPU", 50)
    allowance._set_soft("RLIMIT_CPU", 500)
    assert set_to == [(50, 100), (100, 100)]


def test_where_there_are_no_limits_none_are_set(monkeypatch):
    monkeypatch.setattr(allowance, "resource", None)
    allowance.apply(LITTLE)
    allowance.lift()
    allowance.no_core_dump()
    monkeypatch.setattr(allowance, "_STATM", Path("/nowhere"))
    assert allowance._address_space() is None


# What becomes of work that goes beyond.


class Fake:
    """An examiner with a script: what it raises, and at last what it answers."""

    def __init__(self, *script):
        self.script = list(script)
        self.seen = []

    def _next(self, asked):
        self.seen.append(asked)
        item = self.script.pop(0)
        if isinstance(item, Exception):
            raise item
        return item

    def assess(self, work):
        return self._next(work)

    def open(self, submission, folder):
        return self._next(submission)


def returned(*keys: str) -> Outputs:
    cases = {key: CaseOutput(CaseStatus.RETURNED, 1.0) for key in keys}
    return Outputs("a", RunSummary(RunStatus.COMPLETED, 1.0), cases)


def beyond(place: str, what: str = "memory") -> BeyondError:
    return BeyondError(place, what, Allowance(120, 1536))


def test_the_case_that_goes_beyond_has_failed_and_the_others_are_judged(tmp_path):
    made = Assessed({})
    fake = Fake(beyond("cam/b"), made)
    start = work("a", outputs=returned("cam/a", "cam/b"), folder=tmp_path / "t")
    assessed, outputs = overload.assessed(fake, start)
    assert assessed is made
    assert outputs.cases["cam/a"] == CaseOutput(CaseStatus.RETURNED, 1.0)
    assert outputs.cases["cam/b"] == CaseOutput(
        CaseStatus.OVER_LIMIT,
        message="judging what was returned takes more than the limit of 1536 MB of memory; return "
        "what the contract asks for, and no more",
    )


def test_if_a_second_case_goes_beyond_all_have_failed(tmp_path):
    """Each costs its whole allowance: a student cannot make it be spent once per case."""
    fake = Fake(beyond("cam/a", "time"), beyond("cam/c", "time"), Assessed({}))
    start = work("a", outputs=returned("cam/a", "cam/b", "cam/c"), folder=tmp_path / "t")
    _assessed, outputs = overload.assessed(fake, start)
    assert {one.status for one in outputs.cases.values()} == {CaseStatus.OVER_LIMIT}
    assert "120 s of processor time" in outputs.cases["cam/b"].message


def test_what_is_no_case_is_left_out_with_a_note(tmp_path):
    fake = Fake(beyond(ANSWERS), beyond(FIGURES, "crash"), Assessed({}))
    _assessed, outputs = overload.assessed(fake, work("a", folder=tmp_path / "t"))
    assert outputs == work("a").outputs
    last = fake.seen[-1]
    assert last.left_out == {ANSWERS, FIGURES}
    assert last.notes == (
        "left out: your written answers, which took more than the limit of 1536 MB of memory",
        "left out: the pictures of your outputs, which took more than the limit of 1536 MB of "
        "memory",
    )


def test_with_everything_left_out_it_is_a_fault_of_ours(tmp_path):
    fake = Fake(*(beyond("report") for _ in range(8)))
    with pytest.raises(GradingError, match="could not be assessed within the limits"):
        overload.assessed(fake, work("a", folder=tmp_path / "t"))
    with pytest.raises(GradingError, match="a could not be read: too busy"):
        overload.assessed(Fake(MachineError("too busy")), work("a"))


def test_files_that_go_beyond_are_a_submission_without_any(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "half").write_text("")
    submission = Submission("a", tmp_path)
    opened = overload.opened(Fake(beyond("code", "time")), submission, tmp_path / "s")
    assert opened.source.files == ()
    assert opened.source.problem == (
        "reading your files takes more than the limit of 120 s of processor time; hand in your own "
        "code and answers only, as small plain files"
    )
    assert list((tmp_path / "s").iterdir()) == []
    with pytest.raises(GradingError, match="too busy"):
        overload.opened(Fake(MachineError("too busy")), submission, tmp_path / "s")
