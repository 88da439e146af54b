"""The pipeline: submission → outputs → checks against golden → grade. Readable top to bottom."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from harness import calibrated as calibration
from harness import golden as golden_outputs
from harness import techniques
from harness.answers import Answers
from harness.assessing import Assessed, Assessor, Work
from harness.calibrated import Calibrated
from harness.calls import Call, Oracle
from harness.disclosure import public
from harness.environment import code_digest, versions
from harness.errors import GradingError
from harness.examining import overload
from harness.examining.examiner import Examiner
from harness.execution.folders import remove
from harness.execution.runner import Runner, not_run
from harness.execution.sandbox import Sandbox
from harness.keeping import Digests, merged, usable
from harness.lab import Lab, read_lab
from harness.language import gettext as _
from harness.language import marked, speaking
from harness.opened import Opened
from harness.outputs import Outputs
from harness.results import RunStatus
from harness.submission import Submission

UNSANDBOXED = marked(
    "graded without a sandbox: this code ran with all the rights of the person who graded it"
)


@dataclass(frozen=True)
class Stored:
    """What is stored of a submission from before.

    Attributes:
        outputs: what it returned then.
        remembered: what was worked out from that.
        marks: the marks of its written answers.
        handed_in: whose it is and when it was handed in, as plain data, if that is known.
    """

    outputs: Outputs | None = None
    remembered: bytes = b""
    marks: bytes = b""
    handed_in: Mapping[str, Any] | None = None


NOTHING = Stored()


@dataclass(frozen=True)
class Graded:
    """A grade with its report, and the outputs that it rests on.

    Attributes:
        assessed: the grade, the report, and what else is to be stored.
        outputs: what the submission returned.
        ran: whether student code was run.
    """

    assessed: Assessed
    outputs: Outputs
    ran: bool

    @property
    def grade(self) -> dict[str, Any]:
        """The grade, as in `grade.json`."""
        return self.assessed.grade


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
            self.cases = public(lab.cases) if public_only else lab.cases
            self._versions = versions()
            self._prepare_calls()
            self.examiner = Examiner(self.assessor, self.runner.oracle, self.runner.folder)
            if ahead:
                self.examiner.warm()
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
        self.close()

    def close(self) -> None:
        """End all processes."""
        self.examiner.close()
        self.runner.close()

    def narrow(self, lab: Lab) -> None:
        """Go on with a part of the lab: some of its cases and checks, and its limits."""
        self.lab, self.cases, self.runner.limits = lab, lab.cases, lab.limits
        self._prepare_calls()
        self.examiner.take(self.assessor)

    def _prepare_calls(self) -> None:
        self._calls = [
            techniques.call_of(self.lab, case, self.golden.accepted[techniques.key(case)][0])
            for case in self.cases
        ]
        self.assessor = Assessor(self.lab, self.cases, self.golden, self.calibrated.known)
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

    @property
    def in_two_parts(self) -> bool:
        """Whether some cases are hidden, and others are not."""
        return len({case.hidden for case in self.cases}) == 2

    @_in_the_labs_language
    def run_public(self, submission: Submission, kept: Outputs | None = None) -> Outputs | None:
        """Run what is not hidden, where stored outputs do not hold; None where all of them do.

        What a hidden child leaves in the machine, an earlier public one cannot have seen: of a
        cohort, this comes first for everybody, and then `grade` with `public_done`.

        Args:
            submission: what was handed in.
            kept: its stored outputs.

        Returns:
            what is to be stored, with the hidden outputs that still hold.
        """
        wanted = self._digests.of(submission.digest())
        holds = usable(kept, wanted)
        calls = [call for call in self._missing(holds) if not call.hidden]
        if not calls:
            return None
        folder = self.runner.new_folder()
        try:
            _opened, fresh = self._run(submission, calls, folder / "s")
        finally:
            remove(folder)
        there = {*fresh.cases, *(holds.cases if holds else ())}
        order = [call.key for call in self._calls if call.key in there]
        return replace(merged(holds, fresh, order), digests=wanted)

    def _missing(self, holds: Outputs | None) -> list[Call]:
        return [call for call in self._calls if holds is None or call.key not in holds.cases]

    @_in_the_labs_language
    def grade(
        self,
        submission: Submission,
        stored: Stored = NOTHING,
        *,
        public_done: bool = False,
        pages: bool = True,
    ) -> Graded:
        """Run a submission, judge what it returned, and write its report.

        Args:
            submission: what was handed in.
            stored: what is known of it from before; outputs that still hold are not run again.
            public_done: the stored outputs come from `run_public`, so that only what is hidden is
                to be run.
            pages: whether to draw, and to make the report.

        Raises:
            GradingError: a fault of ours that this submission brought out.
            UsageError: its marks are damaged, or the sandbox does not hold.
        """
        folder = self.runner.new_folder()
        try:
            return self._grade(submission, stored, folder, public_done, pages)
        finally:
            remove(folder)

    def _grade(
        self, submission: Submission, stored: Stored, folder: Path, public_done: bool, pages: bool
    ) -> Graded:
        digests = self.digests(submission)
        wanted = self._digests.of(digests["submission"])
        public_keys = [call.key for call in self._calls if not call.hidden]
        holds = usable(stored.outputs, wanted, just_made=public_keys if public_done else ())
        calls = self._missing(holds)
        aside = self.in_two_parts and all(call.hidden for call in calls)
        opened, fresh = None, None
        if calls:
            opened, fresh = self._run(submission, calls, folder / "s", aside=aside)
        order = [call.key for call in self._calls]
        outputs = replace(merged(holds, fresh, order, aside=aside), digests=wanted)
        work = Work(
            submission,
            opened,
            folder / "t",
            outputs,
            bool(calls),
            stored.remembered,
            self.environment,
            digests,
            stored.marks,
            stored.handed_in,
            () if self.runner.sandbox.inner else (_(UNSANDBOXED),),
            pages,
        )
        assessed, outputs = overload.assessed(self.examiner, work)
        return Graded(assessed, outputs, ran=bool(calls))

    def _run(
        self, submission: Submission, calls: Sequence[Call], folder: Path, *, aside: bool = False
    ) -> tuple[Opened | None, Outputs]:
        """The submission opened, and what it returns, with what could be said before it was run.

        Nothing of that is said again where the calls are run `aside`, after the others.
        """
        try:
            opened = overload.opened(self.examiner, submission, folder)
        except OSError as error:
            message = f"{submission.name} could not be read: {error}"
            return None, not_run(submission, calls, message)
        outputs = self.runner.run_opened(opened, calls)
        if aside or outputs.run.status is RunStatus.NOT_RUN:
            return opened, outputs
        told = (*outputs.run.notes, outputs.run.message)
        notes = (*outputs.run.notes, *(text for text in opened.problems if text not in told))
        return opened, replace(outputs, run=replace(outputs.run, notes=notes))

    @_in_the_labs_language
    def not_judged(
        self, submission: Submission, message: str, stored: Stored, answers: Answers
    ) -> Graded:
        """The grade of a submission that could not be graded, for a reason that is not its own.

        Args:
            submission: what was handed in.
            message: the reason.
            stored: what is known of it from before.
            answers: its written answers, as they were read before.
        """
        outputs = not_run(submission, self._calls, message)
        work = Work(
            submission,
            None,
            self.runner.folder,
            outputs,
            True,
            b"",
            self.environment,
            self.digests(submission),
            stored.marks,
            stored.handed_in,
        )
        assessed = self.assessor.without_submission(work, self.runner.oracle, answers)
        return Graded(assessed, outputs, ran=True)


def grade_or_not(
    grader: Grader, submission: Submission, stored: Stored, answers: Answers
) -> Graded:
    """The grade; *not judged* where a fault of ours came out, twice.

    Args:
        grader: of the lab.
        submission: what was handed in.
        stored: what is known of it from before.
        answers: its written answers, as they were read before.
    """
    try:
        return grader.grade(submission, stored)
    except GradingError:
        try:
            return grader.grade(submission, stored)
        except GradingError as error:
            return grader.not_judged(submission, fault(error), stored, answers)


def fault(error: GradingError) -> str:
    """What is said of a submission that could not be graded."""
    return f"the harness could not grade this, tried twice ({error}); please report it"
