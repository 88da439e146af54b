"""The pipeline: submission → outputs → checks against golden → grade. Readable top to bottom."""

from __future__ import annotations

import importlib
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from harness import calibrated as calibration
from harness import golden as golden_outputs
from harness import techniques
from harness.calibrated import Calibrated
from harness.calls import Call, Oracle
from harness.diagnosis import diagnose
from harness.environment import code_digest, versions
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox
from harness.judging import judge
from harness.keeping import Digests, merged, usable
from harness.lab import Case, Lab, read_lab
from harness.language import gettext as _
from harness.language import marked, speaking
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.preflight import look, problems
from harness.remembered import Remembered, digest
from harness.results import (
    Grade,
    RunStatus,
    RunSummary,
)
from harness.similarity import Likeness, digest_of, fingerprints, is_among
from harness.submission import Submission
from harness.techniques.base import OutputError

UNSANDBOXED = marked(
    "graded without a sandbox: this code ran with all the rights of the person who graded it"
)


@dataclass(frozen=True)
class Graded:
    """A grade and the outputs that it rests on; `ran` tells whether student code was run."""

    grade: Grade
    outputs: Outputs
    remembered: Remembered
    ran: bool


def open_lab(path: Path, files: Sequence[Path] = ()) -> Lab:
    """Read a lab file and validate all of it.

    Args:
        path: the file.
        files: further folders that its files may lie in, as its owner says.

    Raises:
        LabError: with file, line, key, what was found and what is allowed.
    """
    lab = read_lab(path, files)
    techniques.validate(lab)
    return lab


# What only judging needs, and takes long to import.
_LATE = ("scipy.ndimage", "skimage.measure", "scipy.stats", "copydetect.utils")


def _import_ahead() -> None:
    """Import what judging needs, while a template imports TensorFlow on another core."""
    for name in _LATE:
        importlib.import_module(name)


_Method = TypeVar("_Method", bound=Callable[..., Any])


def _in_the_labs_language(method: _Method) -> _Method:
    """Have a method of `Grader` make its texts in the lab's language."""

    @wraps(method)
    def speaking_it(self: Grader, *args: Any, **kwargs: Any) -> Any:
        with speaking(self.lab.language):
            return method(self, *args, **kwargs)

    return cast("_Method", speaking_it)


class Grader:
    """Grades submissions of one lab; a context manager that owns the runner.

    Args:
        lab: the lab.
        public_only: leave hidden cases out, as a student's self-check does.
        calibrated: use the lab's calibration; only calibrating itself does not.
        sandbox: the walls around student code; None for those that this host has.
        ahead: student code will be run soon.

    Raises:
        UsageError: this host has no inner wall.
        GoldenError: golden outputs are missing, damaged or stale.
        LabError: the calibration is missing or damaged.
    """

    def __init__(
        self,
        lab: Lab,
        *,
        public_only: bool = False,
        calibrated: bool = True,
        sandbox: Sandbox | None = None,
        ahead: bool = False,
    ) -> None:
        self.runner = Runner(lab, techniques.CONTRACT, sandbox=sandbox)
        try:
            if ahead:
                self.runner.warm()
            self.golden = golden_outputs.load(lab)
            self.calibrated = calibration.load(lab) if calibrated else Calibrated()
            self.lab = calibration.with_thresholds(lab, self.calibrated.thresholds)
            self.cases = tuple(case for case in lab.cases if not (public_only and case.hidden))
            self._versions = versions()
            self._prepare_calls()
        except BaseException:
            self.runner.close()
            raise

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.runner.close()

    def narrow(self, lab: Lab) -> None:
        """Go on with a part of the lab: some of its cases and checks, and its limits."""
        self.lab, self.cases, self.runner.limits = lab, lab.cases, lab.limits
        self._prepare_calls()

    def _prepare_calls(self) -> None:
        self._calls = [techniques.call_of(self.lab, case) for case in self.cases]
        self._digests = Digests(self.lab, techniques.CONTRACT, self._calls, self.environment)

    @property
    def environment(self) -> dict[str, str]:
        """What a grade was made with, walls included."""
        return {**self._versions, "sandbox": str(self.runner.sandbox)}

    @property
    def oracle(self) -> Oracle:
        """Answers the harness's own questions."""
        return self.runner.oracle

    def digests(self, submission: Submission) -> dict[str, str]:
        """What a grade depends on: while these stay the same, so does the grade."""
        public_only = len(self.cases) < len(self.lab.cases)
        return {
            "lab": self.lab.digest() + ("-public" if public_only else ""),
            "submission": submission.digest(),
            "golden": self.golden.digest,
            "calibration": self.calibrated.digest,
            "harness": code_digest(),
        }

    @_in_the_labs_language
    def grade(
        self, submission: Submission, kept: Outputs | None = None, remembered: bytes = b""
    ) -> Graded:
        """Run a submission and judge what it returned.

        Args:
            submission: what was handed in.
            kept: its stored outputs; those that still hold are not run again.
            remembered: what was worked out from them before, as it was stored.
        """
        digests = self.digests(submission)
        wanted = self._digests.of(digests["submission"])
        holds = usable(kept, wanted)
        calls = [call for call in self._calls if holds is None or call.key not in holds.cases]
        fresh = self._run(submission, calls) if calls else None
        outputs = replace(merged(holds, fresh, [call.key for call in self._calls]), digests=wanted)
        told = Remembered.from_bytes(
            remembered, digest(wanted, self.golden.digest, self.lab.language)
        )
        told = told if not calls else Remembered(told.of)
        with _numbers_of_any_size():
            checks = judge(
                self.lab, self.cases, self.golden, outputs, self.runner.oracle, told.values
            )
            found = diagnose(checks, self.calibrated.known)
        run = outputs.run
        if not self.runner.sandbox.inner:
            run = replace(run, notes=(*run.notes, _(UNSANDBOXED)))
        if "likeness" not in told.values:
            told.values["likeness"] = self._likeness(submission, outputs)
        alike = told.values["likeness"]
        grade = Grade(submission.name, checks, run, self.environment, digests, found, alike)
        return Graded(grade, outputs, told, ran=bool(calls))

    def _run(self, submission: Submission, calls: Sequence[Call]) -> Outputs:
        """What it returns, with what could be said of it before it was run."""
        threading.Thread(target=_import_ahead).start()
        outputs = self.runner.run(submission, calls)
        if outputs.run.status is RunStatus.NOT_RUN:
            return outputs
        asked = techniques.contract_of(self.cases)
        own = self.lab.folder.resolve().is_relative_to(submission.path.resolve())
        found = problems(look(submission, asked, self.lab.kit, own_lab=own))
        told = (*outputs.run.notes, outputs.run.message)
        notes = (*outputs.run.notes, *(problem for problem in found if problem not in told))
        return replace(outputs, run=replace(outputs.run, notes=notes))

    def _likeness(self, submission: Submission, outputs: Outputs) -> dict[str, Any]:
        """What a cohort's board compares submissions by."""
        own = {
            key: case
            for case in self.cases
            if not case.hidden
            and techniques.technique_of(case).one_of_many
            and (key := techniques.key(case)) in outputs.cases
        }
        digests = {key: digest_of(outputs.cases[key].value) for key in own}
        golden = [key for key, case in own.items() if self._is_golden(case, outputs.cases[key])]
        found = {key: digest for key, digest in digests.items() if digest}
        return Likeness(fingerprints(submission), found, golden).to_json()

    def _is_golden(self, case: Case, output: CaseOutput) -> bool:
        """Whether an output is one that is stored in the kit, to the last bit."""
        try:
            value = techniques.technique_of(case).normalise(self.lab, case, output.value)
        except OutputError:
            return False
        return is_among(value, self.golden.accepted[techniques.key(case)])

    @_in_the_labs_language
    def not_judged(self, submission: Submission, message: str) -> Graded:
        """The grade of a submission that no process survived, for a reason that is not known."""
        failed = CaseOutput(CaseStatus.NOT_RUN, message=message)
        run = RunSummary(RunStatus.NOT_RUN, 0.0, message)
        outputs = Outputs(submission.name, run, {call.key: failed for call in self._calls})
        checks = judge(self.lab, self.cases, self.golden, outputs, self.runner.oracle)
        digests = self.digests(submission)
        grade = Grade(submission.name, checks, run, self.environment, digests)
        return Graded(grade, outputs, Remembered(""), ran=True)


@contextmanager
def _numbers_of_any_size() -> Iterator[None]:
    """What a submission returns may overflow: data, and no warning or, under pytest, an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
