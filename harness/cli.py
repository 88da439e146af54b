"""The `harness` command: arguments and exit codes, nothing else.

Exit codes:

- 0: all is well (`check`: at or above the pass mark; `grade`: every submission judged).
- 1: `check` below the pass mark, `golden verify` drifted, `calibrate` found what no case tells.
- 2: a usage, lab or golden error.
- 3: `grade` could not judge some submission.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

import harness
from harness.errors import HarnessError, UsageError
from harness.texts import visible

EXIT_OK, EXIT_BELOW, EXIT_ERROR, EXIT_NOT_JUDGED, EXIT_INTERRUPTED = 0, 1, 2, 3, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, Console(highlight=False, soft_wrap=True)))
    except HarnessError as error:
        sys.stderr.write(f"harness: error: {visible(str(error))}\n")
        return EXIT_ERROR
    except OSError as error:
        text = visible(str(error))
        sys.stderr.write(f"harness: error: {text}; what was graded before is kept\n")
        return EXIT_ERROR
    except KeyboardInterrupt:
        sys.stderr.write("\nharness: stopped; the same command goes on where it stopped\n")
        return EXIT_INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="harness", description=harness.__doc__)
    parser.add_argument("--version", action="version", version=harness.__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument("--lab", type=Path, help="lab file (default: the nearest one upward)")
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--out", type=Path, default=Path("reports"), help="default: %(default)s")
    many = argparse.ArgumentParser(add_help=False)
    many.add_argument("--jobs", type=_jobs, default=os.cpu_count() or 1, help="default: cores")

    check = commands.add_parser(
        "check", parents=[shared, output], help="check your own submission on the public cases"
    )
    check.add_argument("submission", type=Path, nargs="?", default=Path("."))
    check.set_defaults(run=_check)
    grade = commands.add_parser(
        "grade", parents=[shared, output, many], help="grade a folder of submissions"
    )
    grade.add_argument("submissions", type=Path)
    grade.set_defaults(run=_grade)
    calibrate = commands.add_parser(
        "calibrate",
        parents=[shared, many],
        help="run all accepted variants and known mistakes: does every case tell right from wrong?",
    )
    calibrate.add_argument("only", nargs="*", help="names, or beginnings of names, of entries")
    calibrate.set_defaults(run=_calibrate)
    golden = commands.add_parser("golden", help="golden outputs of the reference")
    actions = golden.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, text in (
        ("build", _golden_build, "run the reference and store what it returns"),
        ("verify", _golden_verify, "run it again and report any drift"),
    ):
        action = actions.add_parser(name, parents=[shared, many], help=text)
        action.set_defaults(run=run)
    return parser


def _jobs(text: str) -> int:
    jobs = int(text) if text.isdigit() else 0
    if jobs < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return jobs


def _check(options: argparse.Namespace, console: Console) -> int:
    from harness.cohort import grade_one
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.lab import find_lab
    from harness.submission import find_submissions

    found = find_submissions(options.submission)
    if len(found) > 1:
        raise UsageError(
            f"{options.submission} holds {len(found)} submissions; check takes one: name it, or "
            f"run: harness grade {options.submission}"
        )
    lab = open_lab(find_lab(options.submission, options.lab))
    book = Gradebook(options.out)
    with Grader(lab, public_only=True) as grader:
        grade = grade_one(grader, found[0], book).grade
    _print_checks(console, grade)
    console.print(f"report: {book.report(found[0].name)}", markup=False)
    if grade["outcome"] != "judged":
        return EXIT_NOT_JUDGED
    return EXIT_OK if grade["points"] >= lab.pass_mark * grade["max_points"] else EXIT_BELOW


def _grade(options: argparse.Namespace, console: Console) -> int:
    from harness.cohort import Done, grade_cohort
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.lab import find_lab
    from harness.submission import find_submissions

    submissions = find_submissions(options.submissions)
    lab = open_lab(find_lab(options.submissions, options.lab))
    book = Gradebook(options.out)
    width = min(40, max(len(submission.name) for submission in submissions))
    count = 0

    def show(done: Done) -> None:
        nonlocal count
        count += 1
        console.print(
            f"[{count}/{len(submissions)}] {_line(done.grade, width)}"
            + (" (unchanged)" if done.kept else ""),
            markup=False,
        )

    with Grader(lab) as grader:
        grades = grade_cohort(grader, submissions, book, jobs=options.jobs, on_done=show)
    left = [grade["submission"] for grade in grades if grade["outcome"] != "judged"]
    if left:
        console.print(f"not judged ({len(left)}): {visible(', '.join(left))}", markup=False)
    console.print(f"reports: {book.folder}{os.sep}, starting at {book.index}", markup=False)
    return EXIT_NOT_JUDGED if left else EXIT_OK


def _calibrate(options: argparse.Namespace, console: Console) -> int:
    from harness.calibration import Finding, calibrate, read_catalogue
    from harness.grading import Grader, open_lab
    from harness.lab import find_lab

    lab = open_lab(find_lab(Path.cwd(), options.lab))
    if lab.reference is None:
        raise UsageError(f"{lab.source.path}: no 'reference' folder is named; nothing to calibrate")
    entries = read_catalogue(lab.reference)
    if options.only:
        entries = [entry for entry in entries if entry.path.stem.startswith(tuple(options.only))]
    if not entries:
        raise UsageError(f"no variant or mistake of that name in {lab.reference}")

    def show(finding: Finding) -> None:
        entry = finding.entry
        word = "ok   " if finding.as_it_should_be else "WRONG"
        kind = "mistake" if entry.is_mistake else "variant"
        cases = ", ".join((*finding.failed, *finding.not_judged)) or "none"
        line = f"{word} {kind} {entry.path.stem}: {len(set(finding.failed))} failed: {cases}"
        console.print(line, markup=False)

    with Grader(lab) as grader:
        findings = calibrate(grader, entries, jobs=options.jobs, on_found=show)
    for is_mistake, text in ((False, "variants keep every point"), (True, "mistakes are caught")):
        chosen = [item for item in findings if item.entry.is_mistake == is_mistake]
        right = sum(item.as_it_should_be for item in chosen)
        console.print(f"{right} of {len(chosen)} {text}", markup=False)
    return EXIT_OK if all(item.as_it_should_be for item in findings) else EXIT_BELOW


def _golden_build(options: argparse.Namespace, console: Console) -> int:
    from harness import golden

    lab, runner = _open(options)
    with runner:
        folder = golden.build(lab, runner, options.jobs)
    console.print(f"golden outputs of {len(lab.cases)} cases: {folder}", markup=False)
    return EXIT_OK


def _golden_verify(options: argparse.Namespace, console: Console) -> int:
    from harness import golden

    lab, runner = _open(options)
    with runner:
        drifts = golden.verify(lab, runner, options.jobs)
    for name in golden.changed_sources(lab):
        console.print(f"changed since they were built: {lab.reference}{os.sep}{name}", markup=False)
    for drift in drifts:
        word = "ok   " if drift.within else "DRIFT"
        line = f"{word} {drift.key}: {drift.drift:.2g} (at most {drift.tolerance:g})"
        console.print(line, markup=False)
    beyond = sum(not drift.within for drift in drifts)
    console.print(f"{len(drifts) - beyond} of {len(drifts)} cases within tolerance", markup=False)
    return EXIT_BELOW if beyond else EXIT_OK


def _open(options: argparse.Namespace) -> tuple[Any, Any]:
    from harness.execution.runner import Runner
    from harness.grading import open_lab
    from harness.lab import find_lab
    from harness.techniques import CONTRACT

    lab = open_lab(find_lab(Path.cwd(), options.lab))
    return lab, Runner(lab, CONTRACT)


def _line(grade: Mapping[str, Any], width: int) -> str:
    name = f"{visible(grade['submission']):{width}}"
    if grade["outcome"] != "judged":
        return f"{name}  not judged: {visible(grade['run']['message'])}"
    status = grade["run"]["status"]
    told = "" if status == "completed" else f"  {status.replace('_', ' ')}"
    return f"{name}  {grade['points']:5.2f} / {grade['max_points']:g}{told}"


def _print_checks(console: Console, grade: Mapping[str, Any]) -> None:
    """The terminal summary: each check's points, and each failed case with what to do next."""
    run = grade["run"]
    if run["message"]:
        message = escape(visible(run["message"]))
        console.print(f"[bold]{run['status'].replace('_', ' ')}[/]: {message}")
    for note in run["notes"]:
        console.print(f"note: {visible(note)}", markup=False)
    for check in grade["checks"]:
        full = check["points"] == check["max_points"]
        colour = "green" if full else "red"
        points = f"{check['points']:5.2f} / {check['max_points']:g}"
        console.print(f"[{colour}]{points:>12}[/]  {check['technique']}  {check['id']}")
        told: dict[tuple[str, str], list[str]] = {}
        for case in check["cases"]:
            if case["outcome"] != "passed":
                told.setdefault((case["message"], case["hint"]), []).append(case["id"])
        for (message, hint), cases in told.items():
            console.print(f"      ✗ {', '.join(cases)}: {visible(message)}", markup=False)
            if hint:
                console.print(f"        → {visible(hint)}", markup=False)
    console.print(f"{grade['points']:g} of {grade['max_points']:g} points", style="bold")
