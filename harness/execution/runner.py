"""Runs a submission case by case in child processes, and survives whatever it does.

A child that is killed, dies or sends nonsense fails the case at hand; a new one goes on with the
next. The cases of a function that ran out of time move to the end of the queue, so that a function
that never returns cannot eat the time of the others.
"""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.calls import Call, Contract
from harness.errors import MachineError, WireError, suggest
from harness.execution.asking import ask
from harness.execution.oracle import MAX_MB, QUESTIONS, ChildOracle
from harness.execution.processes import starter
from harness.execution.session import (
    DiedError,
    Session,
    TimedOutError,
    clean_environment,
    without_addresses,
)
from harness.lab import Lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import RunStatus, RunSummary
from harness.submission import Source, Submission, prepare

# How often a submission is tried again after a fault of the machine.
MACHINE_FAULTS = 1


class Runner:
    """Runs submissions of one lab; a context manager that owns a temporary folder.

    Args:
        lab: the lab; its models and images are staged once, apart from everything else of it.
        contract: the functions that a submission may define, with their parameters.
        threads: how many threads TensorFlow has in each child.
    """

    def __init__(self, lab: Lab, contract: Contract, *, threads: int = 1) -> None:
        self.lab = lab
        self.contract = contract
        self.threads = threads
        self._folder = Path(tempfile.mkdtemp(prefix="harness-"))
        self._materials = self._folder / "materials"
        self._models = _stage(lab, self._materials)
        self._starter = starter(clean_environment(self._materials), self._folder / "template")
        self.oracle = ChildOracle(self._start_oracle)

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the oracle's child and the template, and remove the temporary folder."""
        self.oracle.close()
        self._starter.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, submission: Submission, calls: Sequence[Call]) -> Outputs:
        """Run the calls; every one of them has an output in the end."""
        home = self._new_home()
        try:
            source = prepare(submission, home / "submission")
            for library in submission.libraries:
                shutil.copytree(library, home / "submission" / library.name)
            if not source.files:
                return _nothing_to_run(submission, source, calls)
            return _Run(self, submission, source, home).all(calls)
        except OSError as error:
            return _not_run(submission, calls, f"{submission.name} could not be run: {error}")
        finally:
            shutil.rmtree(home, ignore_errors=True)

    def session(self, folder: Path, files: Sequence[str], home: Path, **changes: Any) -> Session:
        """Start a child for the Python files in a folder.

        Raises:
            MachineError: it could not be started.
        """
        limits = self.lab.limits
        setup = {
            "folder": str(folder),
            "files": list(files),
            "models": self._models,
            "contract": {name: list(names) for name, names in self.contract.items()},
            "memory_mb": limits.memory_mb,
            "threads": self.threads,
            "keep_models": False,
            "output_mb": limits.output_mb,
            **changes,
        }
        return Session(setup, home, self._starter)

    def _new_home(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="run-", dir=self._folder))

    def _start_oracle(self) -> Session:
        contract = {name: list(names) for name, names in QUESTIONS.items()}
        changes = {
            "contract": contract,
            "output_mb": MAX_MB,
            "memory_mb": 0,
            "keep_models": True,
        }
        return self.session(Path(__file__).parent, ["questions.py"], self._new_home(), **changes)


class _Run:
    """One submission on its way through its calls."""

    def __init__(self, runner: Runner, submission: Submission, source: Source, home: Path) -> None:
        self.runner = runner
        self.submission = submission
        self.source = source
        self.home = home
        self.outputs: dict[str, CaseOutput] = {}
        self.seconds_left = runner.lab.limits.submission_seconds
        self.notes = list(source.notes)
        self.printed = ""
        self.ended: tuple[RunStatus, str] | None = None
        self.found: list[str] = []
        self.defined: list[str] = []
        self.load_failure = CaseOutput(CaseStatus.NOT_LOADED)
        self.machine_faults = 0

    def all(self, calls: Sequence[Call]) -> Outputs:
        started = time.monotonic()
        queue = deque(calls)
        while queue and self.ended is None:
            try:
                if self.seconds_left > 0:
                    self._one_child(queue)
                else:
                    self._out_of_time(queue)
            except MachineError as error:
                self._machine_failed(queue, str(error))
        status, message = self.ended or (RunStatus.COMPLETED, "")
        notes = tuple(dict.fromkeys(self.notes))
        run = RunSummary(status, time.monotonic() - started, message, notes, self.printed)
        ordered = {call.key: self.outputs[call.key] for call in calls}
        return Outputs(self.submission.name, run, ordered)

    def _machine_failed(self, queue: deque[Call], message: str) -> None:
        """A fault of ours or of the machine: tried again once, and never the student's."""
        self.machine_faults += 1
        if self.machine_faults > MACHINE_FAULTS:
            self.ended = (RunStatus.NOT_RUN, message)
            self._fail_all(queue, CaseOutput(CaseStatus.NOT_RUN, message=message))

    def _one_child(self, queue: deque[Call]) -> None:
        """Run calls until the child is of no more use or none is left."""
        folder = self.home / "submission"
        with self.runner.session(folder, self.source.files, self.home) as session:
            try:
                if not self._load(session):
                    self._fail_all(queue, self.load_failure)
                    return
                while queue and self.seconds_left > 0 and self._call(session, queue):
                    pass
            finally:
                if session.printed and session.printed not in self.printed:
                    self.printed = (self.printed + session.printed)[:40_000]

    @contextmanager
    def _clock(self) -> Iterator[float]:
        """Seconds that the student's code may take now; what it takes is counted, our start not."""
        started = time.monotonic()
        try:
            yield min(self.runner.lab.limits.case_seconds, self.seconds_left)
        finally:
            self.seconds_left -= time.monotonic() - started

    def _load(self, session: Session) -> bool:
        """Load the submission; False, with `load_failure` and `ended` set, when that is in vain."""
        seconds = 0.0
        try:
            with self._clock() as seconds:
                reply = session.ask({"ask": "load"}, [], seconds).header
            self.found = _strings(reply["found"])
            self.defined = _strings(reply["defined"])
            failures = reply["failures"]
            texts = [without_addresses(f"{f['file']} stopped: {f['message']}") for f in failures]
            traces = without_addresses("\n\n".join(str(f["traceback"]) for f in failures))
        except TimedOutError:
            return self._load_failed(
                RunStatus.TIMED_OUT,
                f"importing your file did not end within {seconds:.0f} s; put code that runs long, "
                'and calls such as input(), under if __name__ == "__main__":',
            )
        except DiedError as error:
            message = f"importing your file ended the process ({_how(error.returncode)})"
            return self._load_failed(RunStatus.CRASHED, message)
        except (WireError, KeyError, TypeError) as error:
            message = f"the process sent no valid answer while importing ({error})"
            return self._load_failed(RunStatus.REFUSED, message)
        if self.found:
            self.notes += [f"{text}; what was defined before it is graded" for text in texts]
            return True
        if failures:
            message = "your file could not be imported: " + "; ".join(texts)
            return self._load_failed(RunStatus.FAILED_TO_LOAD, message[:3000], traces[:8000])
        message = (
            "no function of the contract is defined; found "
            f"{', '.join(self.defined[:20]) or 'no function at all'}, expected "
            f"{', '.join(self.runner.contract)}"
        )
        return self._load_failed(RunStatus.FAILED_TO_LOAD, message)

    def _load_failed(self, run: RunStatus, message: str, traceback: str = "") -> bool:
        self.ended = (run, message)
        self.load_failure = CaseOutput(CaseStatus.NOT_LOADED, message=message, traceback=traceback)
        return False

    def _call(self, session: Session, queue: deque[Call]) -> bool:
        """Run the first call of the queue; False if the child is then of no more use."""
        call = queue.popleft()
        if call.function not in self.found:
            self.outputs[call.key] = CaseOutput(
                CaseStatus.MISSING,
                message=f"no function {call.function!r} is defined; "
                + suggest(call.function, self.defined).replace("allowed:", "found:"),
            )
            return True
        seconds = 0.0
        try:
            with self._clock() as seconds:
                self.outputs[call.key] = ask(session, call, seconds)
            return True
        except TimedOutError:
            message = f"timed out in {call.key} after {seconds:.0f} s; the other cases are graded"
            output = CaseOutput(CaseStatus.TIMED_OUT, message=message, seconds=seconds)
            _postpone(queue, call.function)
        except DiedError as error:
            kind = CaseStatus.CRASHED
            message = f"the process ended in {call.key} ({_how(error.returncode)})"
            output = CaseOutput(kind, message=message)
        except WireError as error:
            message = f"the process sent no valid answer for {call.key} ({error})"
            output = CaseOutput(CaseStatus.REFUSED, message=message)
        except MachineError:
            queue.appendleft(call)
            raise
        self.outputs[call.key] = output
        self.notes.append(output.message)
        return False

    def _out_of_time(self, queue: deque[Call]) -> None:
        message = (
            f"stopped after the {self.runner.lab.limits.submission_seconds:g} s that a submission "
            "may take in all; this case was not reached"
        )
        self.ended = (RunStatus.TIMED_OUT, message)
        self._fail_all(queue, CaseOutput(CaseStatus.TIMED_OUT, message=message))

    def _fail_all(self, queue: deque[Call], output: CaseOutput) -> None:
        for call in queue:
            self.outputs[call.key] = output
        queue.clear()


def _nothing_to_run(submission: Submission, source: Source, calls: Sequence[Call]) -> Outputs:
    """Outputs of a submission without a file that could be run.

    A path that leads nowhere is for the instructor to mend, so it costs the student nothing.
    """
    if not submission.path.exists():
        return _not_run(submission, calls, source.problem)
    failed = CaseOutput(CaseStatus.NOT_LOADED, message=source.problem)
    run = RunSummary(RunStatus.FAILED_TO_LOAD, 0.0, source.problem, source.notes)
    return Outputs(submission.name, run, {call.key: failed for call in calls})


def _not_run(submission: Submission, calls: Sequence[Call], message: str) -> Outputs:
    """Outputs of a submission that this machine could not run."""
    failed = CaseOutput(CaseStatus.NOT_RUN, message=message)
    run = RunSummary(RunStatus.NOT_RUN, 0.0, message)
    return Outputs(submission.name, run, {call.key: failed for call in calls})


def _postpone(queue: deque[Call], function: str) -> None:
    """Move the calls of a function to the end of the queue, in their order."""
    others = [call for call in queue if call.function != function]
    same = [call for call in queue if call.function == function]
    queue.clear()
    queue.extend(others + same)


def _how(returncode: int) -> str:
    if returncode >= 0:
        return f"exit status {returncode}; a graded function must return, not exit"
    known = {int(number): number.name for number in signal.Signals}
    name = known.get(-returncode, str(-returncode))  # real-time signals have no name
    hint = {"SIGSEGV": "a crash in native code", "SIGABRT": "often too little memory"}
    return f"signal {name}" + (f", {hint[name]}" if name in hint else "")


def _strings(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("expected a list of names")
    return [item[:200] for item in value[:200]]


def _stage(lab: Lab, folder: Path) -> dict[str, Any]:
    """Copy models and images apart, so that a child is given these and nothing else of the lab."""
    folder.mkdir()
    models, images = {}, {}
    for name, spec in lab.models.items():
        if spec.file is not None:
            spec = replace(spec, file=Path(shutil.copy(spec.file, folder / f"{name}.keras")))
        models[name] = spec.to_json()
    for name, image in lab.images.items():
        images[name] = shutil.copy(image.file, folder / f"{name}{image.file.suffix}")
    text = json.dumps({"models": models, "images": {n: str(p) for n, p in images.items()}})
    (folder / "materials.json").write_text(text, "utf-8")
    return models
