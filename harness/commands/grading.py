"""`check`, `grade`, `mark`: what a submission or a cohort is worth."""

from __future__ import annotations

import argparse
import os
from typing import Any

from rich.console import Console

from harness.commands.printing import (
    EXIT_BELOW,
    EXIT_ERROR,
    EXIT_NOT_JUDGED,
    EXIT_OK,
    line_of,
    print_checks,
    teller,
)
from harness.errors import UsageError


def check(options: argparse.Namespace, console: Console) -> int:
    """Check one submission on the public cases, as a student does."""
    from harness.courseci import running
    from harness.courseci.facts import Checked
    from harness.courseci.looking import look
    from harness.disclosure import hidden_in
    from harness.gradebook import Gradebook
    from harness.kitfiles import sentence

    if options.preflight:
        return _preflight(options, console)
    tell = teller(console)

    def looked() -> Checked:
        checked = look(
            options.submission,
            options.lab,
            Gradebook(options.out),
            tell,
            cases=options.case,
            unsandboxed=options.unsandboxed,
            lab_files=options.lab_files,
        )
        print_checks(console, checked.grade, hidden_in(checked.lab))
        if checked.changed:
            tell(f"note: {sentence(checked.changed)}")
        if checked.report:
            tell(f"report: {checked.report}")
        return checked

    checked = running.check(options.ci, options.out, looked) if options.ci else looked()
    if checked is None:
        return EXIT_ERROR
    if not checked.judged:
        return EXIT_NOT_JUDGED
    return EXIT_OK if checked.passed else EXIT_BELOW


def _preflight(options: argparse.Namespace, console: Console) -> int:
    """Say what can be said before anything runs."""
    from harness.courseci.looking import before

    tell = teller(console)
    findings = before(options.submission, options.lab, options.lab_files)
    for finding in findings:
        tell(f"{'ok  ' if finding.well else 'FAIL'} {finding.text}")
    well = all(finding.well for finding in findings)
    tell("nothing of yours was run; now: harness check" if well else "nothing of yours was run")
    return EXIT_OK if well else EXIT_BELOW


def grade(options: argparse.Namespace, console: Console) -> int:
    """Grade a cohort."""
    from harness.cohort import grade_cohort, told_before
    from harness.disclosure import can_be_copied
    from harness.execution.memory import available_mb, shortage
    from harness.execution.sandbox import Sandbox, choose
    from harness.final import unmarked
    from harness.finding import find_lab
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.progress import Progress
    from harness.submission import find_submissions

    submissions = find_submissions(options.submissions)
    lab = open_lab(find_lab(options.lab, options.submissions), options.lab_files)
    book = Gradebook(options.out)
    walls = Sandbox() if options.unsandboxed else choose()
    width = min(40, max(len(submission.name) for submission in submissions))
    tell = teller(console)
    tell(f"lab: {lab.source.path}")
    notes = told_before(lab, submissions, options.submissions)
    for note in (*notes, *filter(None, [can_be_copied(lab), shortage(available_mb())])):
        tell(f"note: {note}")
    if len({case.hidden for case in lab.cases}) == 2:
        tell("note: public cases of all submissions are run first, then the hidden ones")
    engine = _engine(options, lab)
    with Grader(lab, sandbox=walls) as grader, Progress(console, len(submissions)) as progress:
        grades = grade_cohort(
            grader,
            submissions,
            book,
            engine,
            lambda done: progress.show(done, line_of(done.grade, width)),
            progress.show_public,
        )
    progress.tell_changes()
    left = [grade["submission"] for grade in grades if grade["outcome"] != "judged"]
    if left:
        tell(f"not judged ({len(left)}): {', '.join(left)}")
    waiting = sum(any(map(unmarked, grade.get("questions", ()))) for grade in grades)
    if waiting:
        tell(f"written answers to mark ({waiting}): harness mark --out {options.out}")
    tell(f"reports: {book.folder}{os.sep}, starting at {book.index}")
    return EXIT_NOT_JUDGED if left else EXIT_OK


def _engine(options: argparse.Namespace, lab: Any) -> Any:
    """This machine's processes, or a cluster."""
    from harness.engine import LocalEngine, Work

    if options.scheduler is None:
        files = tuple(map(str, lab.source.allowed))
        return LocalEngine(Work(str(lab.source.path), options.unsandboxed, files), options.jobs)
    try:
        from harness.cluster import ClusterEngine
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask: pip install 'xai-grading-harness[cluster]'"
        ) from None
    return ClusterEngine(options.scheduler, lab, unsandboxed=options.unsandboxed)


def mark(options: argparse.Namespace, console: Console) -> int:
    """Serve the page on which answers are marked."""
    from harness.marking.command import run

    run(options, teller(console))
    return EXIT_OK
