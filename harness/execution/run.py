"""One submission on its way through its calls, and a verdict for every way in which it can end.

A child that is killed, dies or sends nonsense fails the case at hand; a new one goes on with the
next. The cases of a function that ran out of time move to the end of the queue, so that a function
that never returns cannot eat the time of the others. What the machine did to a child is tried again
once, and is never the student's fault.
"""

from __future__ import annotations

import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import numpy as np

from harness.calls import Call, Contract, misnamed
from harness.errors import MachineError, WireError
from harness.execution.asking import ask, read_loaded
from harness.execution.session import DiedError, LimitError, Session, TimedOutError
from harness.lab import Limits
from harness.language import gettext as _
from harness.opened import Source
from harness.outputs import CaseOutput, CaseStatus, Outputs, Value
from harness.results import RunStatus, RunSummary

# How often a submission is tried again after a fault of the machine.
MACHINE_FAULTS = 1
MAX_PRINTED = 40_000
_CPU_SIGNALS = (-signal.SIGXCPU, -signal.SIGKILL) if hasattr(signal, "SIGXCPU") else ()


class Run:
    """One run.

    Args:
        limits: of the lab.
        contract: the functions that may be defined.
        source: the submission, read.
        session: starts a child for it that may take so many seconds of processor time, and is
            asked hidden cases, or others.
        loads: whether a model of that name can be loaded, asked where no student's code runs.
        jailed: whether a child cannot send SIGKILL to itself, so that one comes from outside.
    """

    def __init__(
        self,
        limits: Limits,
        contract: Contract,
        source: Source,
        session: Callable[[float, bool], AbstractContextManager[Session]],
        *,
        loads: Callable[[str], bool],
        jailed: bool,
    ) -> None:
        self.limits = limits
        self.contract = contract
        self.source = source
        self.session = session
        self.loads = loads
        self.jailed = jailed
        self.outputs: dict[str, CaseOutput] = {}
        self.memory_mb = 0.0
        self.notes = list(source.notes)
        self.printed = ""
        self._begin(hidden=False)

    def _begin(self, *, hidden: bool) -> None:
        """Start on the public calls or on the hidden ones, with all the time that there is."""
        self.hidden = hidden
        self.seconds_left = self.limits.submission_seconds
        self.cpu_left = self.limits.cpu_seconds
        self.bytes_left = self.limits.total_output_mb * 2**20
        self.ended: tuple[RunStatus, str] | None = None
        self.found: list[str] = []
        self.defined: list[str] = []
        self.load_failure = CaseOutput(CaseStatus.NOT_LOADED)
        self.machine_faults = 0

    def all(self, name: str, calls: Sequence[Call]) -> Outputs:
        """Run the calls; every one of them has an output in the end.

        A child that has seen a hidden case could tell of it in any other: it is asked no other. Nor
        is anything told of it in words, of its time or its memory: the run that is told of is that
        of the public calls, which is over before the first hidden one.
        """
        started = time.monotonic()
        public, hidden = ([c for c in calls if c.hidden is value] for value in (False, True))
        self._part(deque(public))
        run = self._summary(time.monotonic() - started)
        if hidden:
            self._begin(hidden=True)
            self._part(deque(hidden))
            run = run if public else self._summary(0.0)
        return Outputs(name, run, {call.key: self.outputs[call.key] for call in calls})

    def _summary(self, seconds: float) -> RunSummary:
        status, message = self.ended or (RunStatus.COMPLETED, "")
        notes = tuple(dict.fromkeys(self.notes))
        return RunSummary(status, seconds, message, notes, self.printed, self.memory_mb)

    def _part(self, queue: deque[Call]) -> None:
        while queue and self.ended is None:
            try:
                if self.seconds_left > 0:
                    self._one_child(queue)
                else:
                    self._out_of_time()
            except MachineError as error:
                self._machine_failed(str(error))
        self._fail_all(queue, self.load_failure)

    def _one_child(self, queue: deque[Call]) -> None:
        """Run calls until the child is of no more use or none is left."""
        session = None
        try:
            with self.session(self.cpu_left, self.hidden) as session:
                if self._load(session):
                    while queue and self.seconds_left > 0 and self._call(session, queue):
                        pass
        finally:
            # Closed, it has taken in all that was printed: an answer may come before its text.
            if session and not self.hidden and session.printed not in self.printed:
                self.printed = (self.printed + session.printed)[:MAX_PRINTED]
        self.cpu_left = max(1.0, self.cpu_left - session.cpu_seconds)
        if not self.hidden:
            self.memory_mb = max(self.memory_mb, session.memory_mb)

    @contextmanager
    def _clock(self) -> Iterator[float]:
        """Seconds that the student's code may take now; what it takes is counted, our start not."""
        started = time.monotonic()
        try:
            yield min(self.limits.case_seconds, self.seconds_left)
        finally:
            self.seconds_left -= time.monotonic() - started

    def _load(self, session: Session) -> bool:
        """Load the submission; False, with `load_failure` and `ended` set, when that is in vain."""
        seconds = 0.0
        try:
            with self._clock() as seconds:
                loaded = read_loaded(session.ask({"ask": "load"}, [], seconds))
        except TimedOutError:
            text = _(
                "importing your file did not end within {seconds:.0f} s; put code that runs long, "
                'and calls such as input(), under if __name__ == "__main__":'
            )
            return self._load_failed(RunStatus.TIMED_OUT, text.format(seconds=seconds))
        except DiedError as error:
            if self._out_of_cpu(session, error):
                return False
            message = _("importing your file ended the process ({how})").format(
                how=how(error.returncode)
            )
            return self._load_failed(RunStatus.CRASHED, message)
        except LimitError as error:
            text = _("importing your file {what}").format(what=error)
            return self._load_failed(RunStatus.OVER_LIMIT, text)
        except WireError as error:
            message = _("the process sent no valid answer while importing ({error})").format(
                error=error
            )
            return self._load_failed(RunStatus.REFUSED, message)
        self.found, self.defined = loaded.found, loaded.defined
        if self.found:
            if not self.hidden:
                note = _("{text}; what was defined before it is graded")
                self.notes += [note.format(text=text) for text in loaded.failures]
            return True
        if loaded.failures:
            message = _("your file could not be imported:") + " " + "; ".join(loaded.failures)
            return self._load_failed(RunStatus.FAILED_TO_LOAD, message[:3000], loaded.traceback)
        message = _(
            "no function of the contract is defined; found {found}, expected {expected}"
        ).format(
            found=", ".join(self.defined[:20]) or _("no function at all"),
            expected=", ".join(self.contract),
        )
        return self._load_failed(RunStatus.FAILED_TO_LOAD, message)

    def _load_failed(self, run: RunStatus, message: str, traceback: str = "") -> bool:
        if self.hidden:
            message, traceback = _("your file could not be imported for the hidden cases"), ""
        self.ended = (run, message)
        self.load_failure = CaseOutput(CaseStatus.NOT_LOADED, message=message, traceback=traceback)
        return False

    def _call(self, session: Session, queue: deque[Call]) -> bool:
        """Run the first call of the queue; False if the child is then of no more use."""
        call = queue.popleft()
        if call.function not in self.found:
            message = self._missing(call.function)
            self.outputs[call.key] = CaseOutput(CaseStatus.MISSING, message=message)
            return True
        seconds = 0.0
        try:
            with self._clock() as seconds:
                output = ask(session, call, seconds)
            self.outputs[call.key] = self._checked(call, output)
            return True
        except TimedOutError:
            text = _("timed out in {case} after {seconds:.0f} s; the other cases are graded")
            message = text.format(case=call.key, seconds=seconds)
            output = CaseOutput(CaseStatus.TIMED_OUT, message=message, seconds=seconds)
            postpone(queue, call.function)
        except DiedError as error:
            queue.appendleft(call)
            if self._out_of_cpu(session, error):
                return False
            queue.popleft()
            text = _("the process ended in {case} ({how})")
            message = text.format(case=call.key, how=how(error.returncode))
            output = CaseOutput(CaseStatus.CRASHED, message=message)
        except LimitError as error:
            output = CaseOutput(CaseStatus.OVER_LIMIT, message=f"{call.key} {error}")
            postpone(queue, call.function)
        except WireError as error:
            text = _("the process sent no valid answer for {case} ({error})")
            message = text.format(case=call.key, error=error)
            output = CaseOutput(CaseStatus.REFUSED, message=message)
        except MachineError:
            queue.appendleft(call)
            raise
        self.outputs[call.key] = output
        if not self.hidden:
            self.notes.append(output.message)
        return False

    def _missing(self, function: str) -> str:
        """What is said of a function that is not there: what is, and which of it may be meant."""
        found = ", ".join(self.defined[:12]) + (", …" if len(self.defined) > 12 else "")
        if meant := misnamed(function, self.defined, self.contract):
            text = _("no function {name!r} is defined; did you mean {meant!r}? found: {found}")
            return text.format(name=function, meant=meant, found=found)
        text = _("no function {name!r} is defined; found: {found}")
        return text.format(name=function, found=found)

    def _checked(self, call: Call, output: CaseOutput) -> CaseOutput:
        """The output, unless it is more than may be returned in all, or blames the machine."""
        if output.status is CaseStatus.NOT_RUN and self.loads(call.model):
            text = _("the process said that model {model!r} cannot be loaded; it can")
            message = text.format(model=call.model)
            return replace(output, status=CaseStatus.REFUSED, message=message)
        self.bytes_left -= _size(output.value)
        if self.bytes_left >= 0:
            return output
        text = _("returned more than {n} MB over all cases")
        message = text.format(n=self.limits.total_output_mb)
        return replace(output, status=CaseStatus.OVER_LIMIT, value=None, message=message)

    def _out_of_cpu(self, session: Session, error: DiedError) -> bool:
        """Whether the child was ended for its processor time; the run then ends, too.

        Raises:
            MachineError: it was killed, and cannot have done that itself.
        """
        if error.returncode not in _CPU_SIGNALS:
            return False
        if session.cpu_seconds >= self.cpu_left - 1:
            text = _("used more than {seconds:g} s of processor time in all")
            message = text.format(seconds=self.limits.cpu_seconds)
            self.ended = (RunStatus.OVER_LIMIT, message)
            self.load_failure = CaseOutput(CaseStatus.OVER_LIMIT, message=message)
            return True
        if error.returncode == -signal.SIGKILL and self.jailed:
            raise MachineError(
                _(
                    "the process was killed from outside, as happens when the machine has too "
                    "little memory"
                )
            )
        return False

    def _machine_failed(self, message: str) -> None:
        """A fault of ours or of the machine: tried again once, and never the student's."""
        self.machine_faults += 1
        if self.machine_faults > MACHINE_FAULTS:
            self.ended = (RunStatus.NOT_RUN, message)
            self.load_failure = CaseOutput(CaseStatus.NOT_RUN, message=message)

    def _out_of_time(self) -> None:
        message = _(
            "stopped after the {seconds:g} s that a submission may take in all; this case was not "
            "reached"
        ).format(seconds=self.limits.submission_seconds)
        self.ended = (RunStatus.TIMED_OUT, message)
        self.load_failure = CaseOutput(CaseStatus.TIMED_OUT, message=message)

    def _fail_all(self, queue: deque[Call], output: CaseOutput) -> None:
        for call in queue:
            self.outputs[call.key] = output
        queue.clear()


def postpone(queue: deque[Call], function: str) -> None:
    """Move the calls of a function to the end of the queue, in their order."""
    others = [call for call in queue if call.function != function]
    same = [call for call in queue if call.function == function]
    queue.clear()
    queue.extend(others + same)


def how(returncode: int) -> str:
    """How a process ended, in words."""
    if returncode >= 0:
        text = _("exit status {status}; a graded function must return, not exit")
        return text.format(status=returncode)
    known = {int(number): number.name for number in signal.Signals}
    name = known.get(-returncode, str(-returncode))  # real-time signals have no name
    hint = {
        "SIGSEGV": _("a crash in native code"),
        "SIGABRT": _("often too little memory"),
        "SIGSYS": _("a forbidden system call"),
    }
    return _("signal {name}").format(name=name) + (f", {hint[name]}" if name in hint else "")


def _size(value: Value) -> int:
    if isinstance(value, np.ndarray):
        return value.nbytes
    if isinstance(value, dict):
        return sum(len(key) + _size(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value) if isinstance(value, str) else 8
