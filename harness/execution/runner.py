"""Runs submissions in child processes, each in a home of its own, behind the walls of this host."""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from harness.calls import Call, Contract
from harness.errors import MachineError
from harness.execution import doctor
from harness.execution.folders import Folder, remove
from harness.execution.oracle import MAX_MB, QUESTIONS, ChildOracle
from harness.execution.processes import ColdStarter, Starter
from harness.execution.run import Run
from harness.execution.sandbox import Sandbox, choose
from harness.execution.session import Session, clean_environment
from harness.execution.staging import Staged
from harness.execution.templates import Templates
from harness.lab import Lab, Limits
from harness.opened import Opened, open_submission
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import RunStatus, RunSummary
from harness.submission import Submission


class Runner:
    """Runs submissions of one lab; a context manager that owns a temporary folder.

    Args:
        lab: the lab; its models and images are staged once, apart from everything else of it.
            None to run the probes only.
        contract: the functions that a submission may define, with their parameters.
        threads: how many threads TensorFlow has in each child.
        sandbox: the walls around student code; None for those that this host has.

    Raises:
        UsageError: this host has no inner wall.
    """

    def __init__(
        self,
        lab: Lab | None,
        contract: Contract,
        *,
        threads: int = 1,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.limits = lab.limits if lab is not None else Limits()
        self.contract = contract
        self.threads = threads
        self.sandbox = choose() if sandbox is None else sandbox
        # To pass through, for the user that templates run as.
        self._temporary = Folder(self.sandbox.temporary(), passable=True)
        self.folder = self._temporary.path
        self._staged = Staged(self.folder)
        self._homes = self.folder / "homes"
        self._homes.mkdir(mode=0o711)
        if lab is not None:
            self._staged.take(lab)
        for folder in self._staged.folders:
            self.sandbox.open_to(folder)
        self._starter = self._new_starter()
        self.oracle = ChildOracle(self._start_oracle)
        self._proving = threading.Lock()
        self._proven = not self.sandbox.inner

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
        self._temporary.close()

    def warm(self) -> None:
        """Student code will be run soon: begin what that takes, and do not wait for it."""
        if isinstance(self._starter, Templates):
            self._starter.warm()

    def run(self, submission: Submission, calls: Sequence[Call]) -> Outputs:
        """Open a submission of our own and run the calls: the reference's, or one of the catalogue.

        Raises:
            UsageError: the sandbox was tried first, and does not hold.
        """
        folder = self.new_folder()
        try:
            return self.run_opened(open_submission(submission, folder / "s"), calls)
        except OSError as error:
            return not_run(submission, calls, f"{submission.name} could not be read: {error}")
        finally:
            remove(folder)

    def run_opened(self, opened: Opened, calls: Sequence[Call]) -> Outputs:
        """Run the calls; every one of them has an output in the end.

        Raises:
            UsageError: the sandbox was tried first, and does not hold.
        """
        submission, source = opened.submission, opened.source
        try:
            self._prove_sandbox()
        except MachineError as error:
            return not_run(submission, calls, str(error))
        if not source.files:
            return _nothing_to_run(opened, calls)
        prepared = partial(self._prepared, opened)
        walls = self.sandbox.inner
        return Run(
            self.limits, self.contract, source, prepared, loads=self.oracle.loads, jailed=walls
        ).all(submission.name, calls)

    def new_folder(self) -> Path:
        """A new folder for an opened submission, which no child can read; the caller removes it."""
        return Path(tempfile.mkdtemp(prefix="opened-", dir=self.folder))

    def probe(self) -> Mapping[str, str]:
        """What a hostile submission would get here; empty texts where it is held.

        Raises:
            MachineError: the probes could not be run.
        """
        folder = self.folder / "secret"
        folder.mkdir(mode=0o755)
        return doctor.probe(self._probes, folder)

    def _prove_sandbox(self) -> None:
        """Before the first submission, see that the sandbox holds; tried once more if it fails."""
        with self._proving:
            if self._proven:
                return
            try:
                got = self.probe()
            except MachineError:
                got = self.probe()
            doctor.check(got)
            self._proven = True

    @contextmanager
    def _probes(self, file: Path) -> Iterator[Session]:
        home = self._new_home()
        try:
            shutil.copy(file, home)
            changes: dict[str, Any] = {"contract": dict(doctor.CONTRACT), "models": {}}
            with self.session(home, [file.name], home, cpu_seconds=60, **changes) as session:
                yield session
        finally:
            remove(home)

    @contextmanager
    def _prepared(self, opened: Opened, cpu_seconds: float, hidden: bool) -> Iterator[Session]:
        """A child in a new home with a copy of the submission, for hidden cases or for others."""
        home = self._new_home()
        submission = opened.submission
        try:
            folder = shutil.copytree(opened.folder, home / "submission")
            for library in submission.libraries:
                shutil.copytree(library, folder / library.name)
            with self.session(
                folder, opened.source.files, home, cpu_seconds=cpu_seconds, hidden=hidden
            ) as session:
                yield session
        except OSError as error:
            raise MachineError(f"{submission.name} could not be run: {error}") from error
        finally:
            remove(home)

    def session(
        self,
        folder: Path,
        files: Sequence[str],
        home: Path,
        *,
        cpu_seconds: float,
        hidden: bool = False,
        trusted: bool = False,
        **changes: Any,
    ) -> Session:
        """Start a child for the Python files in a folder.

        Args:
            folder: holds the files.
            files: to be run in order.
            home: its work folder.
            cpu_seconds: processor time that it may take.
            hidden: it is asked hidden cases, and may read their models.
            trusted: it runs no student's code.
            changes: of the setup.

        Raises:
            MachineError: it could not be started.
        """
        limits = self.limits
        own = {name: getattr(limits, name) for name in ("memory_mb", "disk_mb", "threads")}
        setup = {
            "folder": str(folder),
            "files": list(files),
            "models": self._staged.models(hidden or trusted),
            "contract": {name: list(names) for name, names in self.contract.items()},
            "limits": None if trusted else {**own, "cpu_seconds": math.ceil(cpu_seconds)},
            "threads": self.threads,
            "trusted": trusted,
            "output_mb": limits.output_mb,
            "disk_mb": limits.disk_mb,
            "disk_files": limits.disk_files,
            **changes,
        }
        reads = self._staged.folders if hidden else self._staged.folders[:1]
        return Session(setup, home, self._starter, reads=reads, trusted=trusted)

    def _new_home(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="run-", dir=self._homes))

    def _new_starter(self) -> Starter:
        readable = self._staged.folders
        environment = clean_environment(readable[0])
        if sys.platform != "linux":
            return ColdStarter(environment, confined=False)
        folder = self.folder / "templates"
        return Templates(environment, folder, self.sandbox, readable, self._homes)

    def _start_oracle(self) -> Session:
        contract = {name: list(names) for name, names in QUESTIONS.items()}
        changes: dict[str, Any] = {"contract": contract, "output_mb": MAX_MB}
        home = self._new_home()
        name = "questions.py"
        shutil.copy(Path(__file__).with_name(name), home)
        return self.session(home, [name], home, cpu_seconds=0, trusted=True, **changes)


def _nothing_to_run(opened: Opened, calls: Sequence[Call]) -> Outputs:
    """Outputs of a submission without a file that could be run.

    A path that leads nowhere is for the instructor to fix, so it costs the student nothing.
    """
    submission, source = opened.submission, opened.source
    if not submission.path.exists():
        return not_run(submission, calls, source.problem)
    failed = CaseOutput(CaseStatus.NOT_LOADED, message=source.problem)
    run = RunSummary(RunStatus.FAILED_TO_LOAD, 0.0, source.problem, source.notes)
    return Outputs(submission.name, run, {call.key: failed for call in calls})


def not_run(submission: Submission, calls: Sequence[Call], message: str) -> Outputs:
    """Outputs of a submission that this machine could not run."""
    failed = CaseOutput(CaseStatus.NOT_RUN, message=message)
    run = RunSummary(RunStatus.NOT_RUN, 0.0, message)
    return Outputs(submission.name, run, {call.key: failed for call in calls})
