"""The runner's words and its queue, without a child process."""

from __future__ import annotations

import signal
from collections import deque
from contextlib import contextmanager
from dataclasses import replace

import pytest

from harness.calls import Call
from harness.execution import asking
from harness.execution import run as run_module
from harness.execution.run import Run, how, postpone
from harness.execution.runner import _nothing_to_run
from harness.execution.session import TimedOutError
from harness.execution.wire import Frame
from harness.lab import Limits
from harness.opened import Opened, Source
from harness.outputs import CaseStatus
from harness.results import RunStatus, RunSummary
from harness.submission import Submission

CALLS = [Call(f"t/{n}", function, "net", {}) for n, function in enumerate("abab")]


@pytest.mark.parametrize(
    ("returncode", "said"),
    [
        (0, "exit status 0; a graded function must return, not exit"),
        (3, "exit status 3; a graded function must return, not exit"),
        (-signal.SIGSEGV, "signal SIGSEGV, a crash in native code"),
        (-signal.SIGABRT, "signal SIGABRT, often too little memory"),
        (-signal.SIGKILL, "signal SIGKILL"),
        (-signal.SIGSYS, "signal SIGSYS, a forbidden system call"),
        (-40, "signal 40"),
    ],
)
def test_how_a_process_ended_is_said_for_every_signal(returncode, said):
    assert how(returncode) == said


def test_no_signal_that_a_student_can_send_stops_the_harness():
    assert all(how(-number).startswith("signal ") for number in range(1, signal.NSIG))


def test_calls_of_a_slow_function_go_to_the_end_in_their_order():
    queue = deque(CALLS)
    postpone(queue, "a")
    assert [call.key for call in queue] == ["t/1", "t/3", "t/0", "t/2"]


class Clock:
    """Goes on when somebody waits."""

    now = 0.0

    def monotonic(self):
        return self.now


class Slow:
    """A child for public calls, each 7 s long, or for hidden ones, which never end."""

    printed, cpu_seconds, memory_mb = "printed", 1.0, 400.0

    def __init__(self, clock, hidden):
        self.clock, self.hidden = clock, hidden
        self.memory_mb = 4000.0 if hidden else 400.0

    def ask(self, header, arrays, seconds, *, most_bytes=None):
        if header["ask"] == "load":
            return Frame({"found": ["a", "b"], "defined": [], "failures": []}, [])
        if self.hidden:
            self.clock.now += seconds
            raise TimedOutError
        self.clock.now += 7
        return Frame({"reply": "returned", "value": 1, "seconds": 7}, [])


def run_slowly(calls, monkeypatch):
    clock = Clock()
    monkeypatch.setattr(run_module, "time", clock)
    monkeypatch.setattr(asking, "time", clock)

    @contextmanager
    def session(cpu_seconds, hidden):
        yield Slow(clock, hidden)

    limits = Limits(case_seconds=10, submission_seconds=15)
    contract = {"a": (), "b": ()}
    run = Run(limits, contract, Source(("s.py",)), session, loads=lambda name: True, jailed=True)
    return run.all("alice", calls)


def test_hidden_calls_out_of_time_change_nothing_of_what_is_told_of_the_others(monkeypatch):
    hidden = [replace(call, key=f"hidden{n}", hidden=True) for n, call in enumerate(CALLS)]
    public = CALLS[:2]
    both = run_slowly([*hidden[:2], *public, *hidden[2:]], monkeypatch)
    assert both.run == run_slowly(public, monkeypatch).run
    assert both.run == RunSummary(RunStatus.COMPLETED, 14.0, printed="printed", memory_mb=400.0)
    statuses = {key: output.status for key, output in both.cases.items()}
    assert {statuses[call.key] for call in public} == {CaseStatus.RETURNED}
    assert {statuses[call.key] for call in hidden} == {CaseStatus.TIMED_OUT}
    # All the time that a submission may take, whatever the public calls took.
    assert both.cases["hidden0"].seconds == 10


def test_of_hidden_calls_alone_neither_time_nor_memory_is_told(monkeypatch):
    outputs = run_slowly([replace(call, hidden=True) for call in CALLS], monkeypatch)
    assert outputs.run.status is RunStatus.TIMED_OUT
    assert (outputs.run.seconds, outputs.run.memory_mb, outputs.run.printed) == (0, 0, "")
    assert outputs.run.message.startswith("stopped after the 15 s")


def test_a_submission_without_code_fails_and_a_path_without_submission_is_not_run(tmp_path):
    source = Source((), ("a note",), "nothing here")
    failed = _nothing_to_run(Opened(Submission("alice", tmp_path), tmp_path, source), CALLS)
    assert failed.run.status is RunStatus.FAILED_TO_LOAD
    assert {case.status for case in failed.cases.values()} == {CaseStatus.NOT_LOADED}
    assert (failed.run.message, failed.run.notes) == ("nothing here", ("a note",))
    gone = _nothing_to_run(Opened(Submission("alice", tmp_path / "gone"), tmp_path, source), CALLS)
    assert gone.run.status is RunStatus.NOT_RUN
    assert {case.status for case in gone.cases.values()} == {CaseStatus.NOT_RUN}
    assert list(gone.cases) == [call.key for call in CALLS]
