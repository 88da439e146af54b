"""What becomes of work that takes more time or memory to be read than it is allowed.

The verdict is the student's: what could not be read has failed, in words that say which part and
what the limit is. Everything else is graded as ever.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from harness.assessing import (
    ANSWERS,
    CODE,
    FIGURES,
    FILES,
    REPORT,
    Assessed,
    Work,
    unread_answers,
)
from harness.errors import GradingError, MachineError
from harness.examining.examiner import BeyondError, Examiner
from harness.execution.folders import remove
from harness.language import gettext as _
from harness.opened import Opened, Source
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.submission import Submission

# A step that goes beyond its allowance is left out the next time: each of the five that are not a
# case, one case, then all cases.
_MOST_BEYOND = 8


def opened(examiner: Examiner, submission: Submission, folder: Path) -> Opened:
    """The submission opened; without any file to run where that takes too much.

    Raises:
        OSError: it cannot be read, or the disk is full.
        GradingError: a fault of ours, or of the machine.
    """
    try:
        return examiner.open(submission, folder)
    except MachineError as error:
        raise GradingError(str(error)) from error
    except BeyondError as error:
        remove(folder)
        folder.mkdir()
        text = _(
            "reading your files takes more than the limit of {limit}; hand in your own code and "
            "answers only, as small plain files"
        )
        return Opened(submission, folder, Source((), problem=text.format(limit=_limit(error))))


def answers(examiner: Examiner, submission: Submission, folder: Path) -> bytes:
    """The written answers of a submission, or a note that they take too much to be read.

    Args:
        examiner: reads them.
        submission: what was handed in.
        folder: where to open it to; made.

    Raises:
        OSError: it cannot be read, or the disk is full.
        GradingError, MachineError: a fault of ours, or of the machine.
    """
    try:
        return examiner.answers(submission, folder)
    except BeyondError:
        return unread_answers().to_bytes()


def assessed(examiner: Examiner, work: Work) -> tuple[Assessed, Outputs]:
    """The work assessed, and the outputs that were judged.

    What goes beyond its allowance is left out, and is the student's failure: of the outputs one
    case first, and all of them if that happens again.

    Raises:
        GradingError: it is a fault of ours or of the machine, or went beyond with everything left
            out.
        UsageError: the marks are damaged.
    """
    for _attempt in range(_MOST_BEYOND):
        try:
            return examiner.assess(work), work.outputs
        except BeyondError as error:
            work = _without(work, error)
            remove(work.folder)
        except (OSError, MachineError) as error:
            raise GradingError(f"{work.submission.name} could not be read: {error}") from error
    raise GradingError(f"{work.submission.name} could not be assessed within the limits")


def _without(work: Work, error: BeyondError) -> Work:
    """The work without the step that went beyond its allowance."""
    cases = work.outputs.cases
    if error.place in cases:
        again = not work.left_out.isdisjoint(cases)
        work = replace(
            work, outputs=_too_much(work.outputs, cases if again else {error.place}, error)
        )
    else:
        work = replace(work, notes=(*work.notes, _note(error)))
    return replace(work, left_out=work.left_out | {error.place})


def _too_much(outputs: Outputs, keys: Collection[str], error: BeyondError) -> Outputs:
    """The outputs, with these cases failed: what they returned cannot be judged."""
    text = _(
        "judging what was returned takes more than the limit of {limit}; return what the contract "
        "asks for, and no more"
    )
    message = text.format(limit=_limit(error))
    failed = CaseOutput(CaseStatus.OVER_LIMIT, message=message)
    cases = {
        key: failed if key in keys and one.status is CaseStatus.RETURNED else one
        for key, one in outputs.cases.items()
    }
    return replace(outputs, cases=cases)


def _note(error: BeyondError) -> str:
    """What was left out, for the report."""
    names = {
        FILES: _("your files"),
        CODE: _("the comparison of your code with others'"),
        ANSWERS: _("your written answers"),
        FIGURES: _("the pictures of your outputs"),
        REPORT: _("your report"),
    }
    text = _("left out: {what}, which took more than the limit of {limit}")
    return text.format(what=names.get(error.place, error.place), limit=_limit(error))


def _limit(error: BeyondError) -> str:
    """What a step may take, in words."""
    if error.what == "time":
        return _("{n} s of processor time").format(n=error.allowed.cpu_seconds)
    return _("{n} MB of memory").format(n=error.allowed.memory_mb)
