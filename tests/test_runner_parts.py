"""The runner's words and its queue, without a child process."""

from __future__ import annotations

import signal
from collections import deque

import pytest

from harness.calls import Call
from harness.execution.run import how, postpone
from harness.execution.runner import _nothing_to_run
from harness.outputs import CaseStatus
from harness.results import RunStatus
from harness.submission import Source, Submission

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


def test_a_submission_without_code_fails_and_a_path_without_submission_is_not_run(tmp_path):
    source = Source((), ("a note",), "nothing here")
    failed = _nothing_to_run(Submission("alice", tmp_path), source, CALLS)
    assert failed.run.status is RunStatus.FAILED_TO_LOAD
    assert {case.status for case in failed.cases.values()} == {CaseStatus.NOT_LOADED}
    assert (failed.run.message, failed.run.notes) == ("nothing here", ("a note",))
    gone = _nothing_to_run(Submission("alice", tmp_path / "gone"), source, CALLS)
    assert gone.run.status is RunStatus.NOT_RUN
    assert {case.status for case in gone.cases.values()} == {CaseStatus.NOT_RUN}
    assert list(gone.cases) == [call.key for call in CALLS]
