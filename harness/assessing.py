"""What comes after the run: outputs judged, drawn and written up, answers read, all but stored.

`harness.examining` does it in a process of its own with limits of time and memory, since all of it
reads what students made. Each step says what it is about to read, so that the step which goes
beyond a limit is known, and can be left out the next time.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import techniques
from harness.answers import Answers
from harness.calls import Oracle
from harness.diagnosis import KnownMistake, diagnose
from harness.disclosure import public
from harness.golden import Golden
from harness.judging import judge
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import speaking
from harness.marks import Marks, questions_of
from harness.opened import Opened, open_submission, open_what_can_be_read
from harness.outputs import CaseOutput, Outputs
from harness.preflight import look, problems
from harness.remembered import Remembered, digest
from harness.results import Grade
from harness.similarity import Likeness, digest_of, fingerprints, is_among
from harness.submission import Submission
from harness.techniques.base import OutputError
from harness.written import settled, written_answers

# What is read, in the names by which a step goes; a case goes by its key.
FILES, CODE, ANSWERS, FIGURES, REPORT = "files", "code", "answers", "figures", "report"

At = Callable[[str], None]


def nowhere(_place: str) -> None:
    """For those who need not know which step comes next."""


@dataclass(frozen=True)
class Work:
    """One submission to assess.

    Attributes:
        submission: what was handed in.
        opened: the same, opened, where it has been; else it is opened when it is needed.
        folder: where to open it to; not there yet.
        outputs: what it returned.
        ran: whether some of that is new, so that nothing remembered of it holds.
        remembered: what was worked out from the outputs before, as it was stored.
        environment: what the grade is made with.
        digests: what it depends on.
        marks: the marks of its written answers, as they are stored.
        handed_in: whose it is and when it was handed in, as plain data, if that is known.
        notes: what the grade says of the run beside what the outputs say.
        pages: whether to draw, and to make the report.
        left_out: the steps that went beyond a limit before: they are not tried again.
    """

    submission: Submission
    opened: Opened | None
    folder: Path
    outputs: Outputs
    ran: bool
    remembered: bytes
    environment: Mapping[str, str]
    digests: Mapping[str, str]
    marks: bytes = b""
    handed_in: Mapping[str, Any] | None = None
    notes: tuple[str, ...] = ()
    pages: bool = True
    left_out: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Assessed:
    """What came of it.

    Attributes:
        grade: as in `grade.json`.
        report: the page; empty where none was asked for.
        remembered: to be stored; empty where what is stored still holds.
        answers: the written answers, to be stored; empty for a lab without questions.
    """

    grade: dict[str, Any]
    report: bytes = b""
    remembered: bytes = b""
    answers: bytes = b""


@dataclass(frozen=True)
class Assessor:
    """All that submissions of a lab are held against.

    Attributes:
        lab: checks with their thresholds, questions, policy.
        cases: what is judged.
        golden: what is expected.
        known: what the known mistakes return.
    """

    lab: Lab
    cases: tuple[Case, ...]
    golden: Golden
    known: Sequence[KnownMistake] = field(default=(), repr=False)

    def open(self, submission: Submission, folder: Path, at: At = nowhere) -> Opened:
        """Open a submission, and note what will not work of what it holds.

        Args:
            submission: what was handed in.
            folder: where to; made.
            at: is called with the name of each step before it is begun.

        Raises:
            OSError: it cannot be read, or the disk is full.
        """
        at(FILES)
        with speaking(self.lab.language):
            opened = open_submission(submission, folder)
            if opened.source.problem:
                return opened
            at(CODE)
            asked = techniques.contract_of(self.cases)
            own = self.lab.folder.resolve().is_relative_to(submission.path.resolve())
            found = look(opened, asked, self.lab.kit, own_lab=own)
            return replace(opened, problems=tuple(problems(found)))

    def answers(self, submission: Submission, folder: Path, at: At = nowhere) -> Answers:
        """The written answers of a submission, which is opened for that.

        Args:
            submission: what was handed in.
            folder: where to open it to; made.
            at: is called with the name of each step before it is begun.

        Raises:
            OSError: it cannot be read, or the disk is full.
        """
        at(ANSWERS)
        with speaking(self.lab.language):
            return written_answers(self.lab, self.golden, open_submission(submission, folder))

    def assess(self, work: Work, oracle: Oracle, at: At = nowhere) -> Assessed:
        """Judge what a submission returned, and write its report.

        Args:
            work: the submission, and what it returned.
            oracle: answers questions about the models.
            at: is called with the name of each step before it is begun.

        Raises:
            UsageError: the marks are damaged.
        """
        with speaking(self.lab.language), _numbers_of_any_size():
            told = self._remembered(work)
            checks = judge(self.lab, self.cases, self.golden, work.outputs, oracle, told.values, at)
            found = diagnose(checks, self.known)
            alike, opened = self._likeness(work, told, at)
            run, name = work.outputs.run, work.submission.name
            run = replace(run, notes=(*run.notes, *work.notes))
            grade = Grade(name, checks, run, work.environment, work.digests, found, alike)
            written = self._written(work, opened, at)
            document = self._completed(grade.to_json(), written, work)
            fresh = told.figures is None
            report = self._report(document, work, told, written, at) if work.pages else b""
            return Assessed(
                document,
                report,
                told.to_bytes() if fresh and work.pages else b"",
                written.to_bytes() if self.lab.questions else b"",
            )

    def without_submission(self, work: Work, oracle: Oracle, written: Answers) -> Assessed:
        """The grade and report of a submission that could not be run, its files left alone.

        Args:
            work: the submission, and that it could not be run.
            oracle: answers questions about the models.
            written: the answers, as they were read before.

        Raises:
            UsageError: the marks are damaged.
        """
        with speaking(self.lab.language):
            checks = judge(self.lab, self.cases, self.golden, work.outputs, oracle)
            name, run = work.submission.name, work.outputs.run
            grade = Grade(name, checks, run, work.environment, work.digests).to_json()
            document = self._completed(grade, written, work)
            from harness.report import report_html  # templates: not where nothing is written

            html = report_html(document, work.outputs, self.lab, {}, written)
            return Assessed(document, html.encode(errors="backslashreplace"))

    def _remembered(self, work: Work) -> Remembered:
        """What was worked out from the very same outputs before."""
        of = digest(work.outputs.digests, self.golden.digest, self.lab.language)
        return Remembered(of) if work.ran else Remembered.from_bytes(work.remembered, of)

    def _likeness(
        self, work: Work, told: Remembered, at: At
    ) -> tuple[dict[str, Any], Opened | None]:
        """What a cohort's board compares submissions by; and the submission, if it was opened."""
        opened = work.opened
        if "likeness" not in told.values:
            opened = opened or self._opened(work, at)
            told.values["likeness"] = self._compared(work, opened, at)
        return told.values["likeness"], opened

    def _compared(self, work: Work, opened: Opened, at: At) -> dict[str, Any]:
        own = {
            key: case
            for case in public(self.cases)
            if techniques.technique_of(case).one_of_many
            and (key := techniques.key(case)) in work.outputs.cases
        }
        outputs = {key: work.outputs.cases[key] for key in own}
        digests = {key: found for key in own if (found := digest_of(outputs[key].value))}
        golden = [key for key, case in own.items() if self._is_golden(case, outputs[key])]
        at(CODE)
        left_out = CODE in work.left_out
        code = np.zeros(0, "uint32") if left_out else fingerprints(opened)
        return Likeness(code, digests, golden).to_json()

    def _is_golden(self, case: Case, output: CaseOutput) -> bool:
        """Whether an output is one that is stored in the kit, to the last bit."""
        try:
            value = techniques.technique_of(case).normalise(self.lab, case, output.value)
        except OutputError:
            return False
        return is_among(value, self.golden.accepted[techniques.key(case)])

    def _opened(self, work: Work, at: At) -> Opened:
        at(FILES)
        return open_what_can_be_read(work.submission, work.folder)

    def _written(self, work: Work, opened: Opened | None, at: At) -> Answers:
        """The written answers, as they were handed in."""
        if not self.lab.questions:
            return Answers()
        opened = opened or self._opened(work, at)
        at(ANSWERS)
        if ANSWERS in work.left_out:
            return unread_answers()
        return written_answers(self.lab, self.golden, opened)

    def _completed(self, grade: dict[str, Any], written: Answers, work: Work) -> dict[str, Any]:
        if self.lab.questions:
            found = Marks.from_bytes(work.marks, f"the marks of {grade['submission']}")
            grade["questions"] = questions_of(self.lab.questions, written, found)
        return settled(self.lab, grade, work.handed_in)

    def _report(
        self, grade: dict[str, Any], work: Work, told: Remembered, written: Answers, at: At
    ) -> bytes:
        from harness.report import draw, report_html

        if told.figures is None:
            at(FIGURES)
            left_out = FIGURES in work.left_out
            told.figures = (
                {} if left_out else draw(self.lab, self.golden, work.outputs, told.values)
            )
        at(REPORT)
        html = report_html(grade, work.outputs, self.lab, told.figures, written)
        return html.encode(errors="backslashreplace")


def unread_answers() -> Answers:
    """In the place of answers that take more to be read than is allowed."""
    return Answers(notes=(_("your answers are too large to be read; shorten them"),))


@contextmanager
def _numbers_of_any_size() -> Iterator[None]:
    """What a submission returns may overflow: data, and no warning or, under pytest, an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield
