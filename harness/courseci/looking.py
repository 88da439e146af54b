"""One submission checked on the public cases, as a student does at home and CI at each push."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from harness import installed, preflight
from harness.answers import Answers, read_answers
from harness.calls import Contract
from harness.cohort import grade_one
from harness.courseci.facts import Checked
from harness.disclosure import public
from harness.errors import GoldenError, LabError, UsageError
from harness.execution.sandbox import Sandbox, choose_for_own_work, inner_problem
from harness.finding import own_lab
from harness.gradebook import Gradebook
from harness.grading import NOTHING, Grader, grade_or_not, open_lab
from harness.kitfiles import Changed, changed_files, find_kit, sentence
from harness.lab import Lab
from harness.opened import Opened, opened
from harness.outputs import Outputs
from harness.preflight import Finding, problems
from harness.results import RunSummary
from harness.submission import Submission, find_submissions
from harness.techniques import contract_of, part_of


def look(
    path: Path,
    lab_file: Path | None,
    book: Gradebook,
    tell: Callable[[str], None],
    *,
    lab_files: Sequence[Path] = (),
    cases: Sequence[str] = (),
    unsandboxed: bool = False,
) -> Checked:
    """Check a submission.

    Args:
        path: the submission.
        lab_file: the lab; None for the nearest one upward.
        book: where the report is written.
        tell: gets a line that is to be known before anything runs.
        lab_files: further folders that the lab's files may lie in.
        cases: check just these, and write no report.
        unsandboxed: run it with the present rights.

    Raises:
        HarnessError: there is not one submission, or lab or golden outputs are wrong.
    """
    submission = _only(path)
    kit = find_kit(path)
    changed = tuple(changed_files(kit)) if kit else ()
    with _telling(changed):
        lab = open_lab(own_lab(path, lab_file), lab_files)
        walls = Sandbox() if unsandboxed else choose_for_own_work()
        if not walls.inner:
            tell(f"not sandboxed: {inner_problem() or '--unsandboxed was given'}")
        with opened(submission) as ready:
            found = preflight.look(ready, asked_for(lab))
            for problem in (*problems(found), *(one.text for one in _of_answers(ready, lab))):
                tell(f"note: {problem}")
        with Grader(lab, public_only=True, sandbox=walls, ahead=True) as grader:
            return _graded(grader, submission, book, cases, changed)


def before(path: Path, lab_file: Path | None, lab_files: Sequence[Path] = ()) -> list[Finding]:
    """What can be said of a submission, the kit and this environment before anything runs.

    Args:
        path: the submission.
        lab_file: the lab; None for the nearest one upward.
        lab_files: further folders that its files may lie in.

    Raises:
        HarnessError: there is not one submission, or the lab is wrong.
    """
    submission = _only(path)
    kit = find_kit(path)
    changed = changed_files(kit) if kit else []
    with _telling(changed):
        lab = open_lab(own_lab(path, lab_file), lab_files)
    with opened(submission) as ready:
        findings = [*preflight.look(ready, asked_for(lab)), *_of_answers(ready, lab)]
    if kit:
        findings += installed.look(kit)
        text = sentence(changed) if changed else "the kit's files are as they were given out"
        findings.append(Finding(not changed, text))
    return findings


def _of_answers(opened: Opened, lab: Lab) -> Iterator[Finding]:
    """To which written questions an answer was found; what stands below another heading is none."""
    if not lab.questions:
        return
    answers = read_answers(opened, lab.questions)
    missing = [one.title for one in lab.questions if one.id not in answers.texts]
    text = f"written questions answered: {len(answers.texts)} of {len(lab.questions)}"
    yield Finding(True, f"{text}; not yet: {'; '.join(missing)}" if missing else text)
    yield from (Finding(False, note) for note in answers.notes)


@contextmanager
def _telling(changed: Sequence[Changed]) -> Iterator[None]:
    """Have an error tell of files of the kit that were changed, which may well be its reason."""
    try:
        yield
    except (UsageError, LabError, GoldenError) as error:
        if not changed:
            raise
        raise type(error)(f"{error}; {sentence(changed)}") from None


def asked_for(lab: Lab) -> Contract:
    """The functions that a lab's public cases call."""
    return contract_of(public(lab.cases))


def _only(path: Path) -> Submission:
    found = find_submissions(path, own=True)
    if len(found) > 1:
        raise UsageError(
            f"{path} holds {len(found)} submissions; check takes one: name it, or "
            f"run: harness grade {path}"
        )
    return found[0]


def _graded(
    grader: Grader,
    submission: Submission,
    book: Gradebook,
    cases: Sequence[str],
    changed: tuple[Changed, ...],
) -> Checked:
    if cases:
        grader.narrow(part_of(grader.lab, cases))
        graded = grade_or_not(grader, submission, NOTHING, Answers())
        lab, golden = grader.lab, grader.golden
        return Checked(graded.grade, graded.outputs, lab, golden, submission.path, changed)
    stored = grade_one(grader, submission, book)
    name = submission.name
    kept = book.outputs(name) or Outputs(name, RunSummary.from_json(stored["run"]))
    report = book.report(name)
    return Checked(stored, kept, grader.lab, grader.golden, submission.path, changed, report)
