"""The `harness` command: arguments and exit codes, nothing else.

Exit codes:

- 0: all is well (`check`: at or above the pass mark; `grade`: every submission judged).
- 1: `check` below the pass mark, `golden verify` drifted, `calibrate` found what no case tells,
  `doctor` or `redteam` found that the sandbox does not hold, `import` found what needs a person's
  eye (all else is imported).
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

    walls = argparse.ArgumentParser(add_help=False)
    walls.add_argument(
        "--unsandboxed",
        action="store_true",
        help="run submissions with your own rights, and say so in every grade",
    )
    check = commands.add_parser(
        "check",
        parents=[shared, output, walls],
        help="check your own submission on the public cases",
    )
    check.add_argument("submission", type=Path, nargs="?", default=Path("."))
    check.add_argument(
        "--case",
        action="append",
        default=[],
        metavar="TECHNIQUE/CASE",
        help="run just this case, and write no report; may be given several times",
    )
    check.set_defaults(run=_check)
    grade = commands.add_parser(
        "grade", parents=[shared, output, many, walls], help="grade a folder of submissions"
    )
    grade.add_argument("submissions", type=Path)
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on a Dask cluster (tcp://HOST:8786)"
    )
    grade.set_defaults(run=_grade)
    _add_import(commands, shared)
    mark = commands.add_parser(
        "mark", parents=[shared, output], help="mark written answers in a browser"
    )
    mark.add_argument("--port", type=_port, default=0, help="default: any that is free")
    mark.add_argument("--marker", metavar="NAME", default="", help="default: your login name")
    mark.add_argument(
        "submissions",
        type=Path,
        nargs="?",
        help="read the answers again from here (default: as they were graded)",
    )
    mark.set_defaults(run=_mark)
    calibrate = commands.add_parser(
        "calibrate",
        parents=[shared, output, many],
        help="run all accepted variants and known mistakes: does every case tell right from wrong?",
    )
    calibrate.add_argument("only", nargs="*", help="names, or beginnings of names, of entries")
    calibrate.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the proof does not hold"
    )
    calibrate.set_defaults(run=_calibrate)
    fixtures = commands.add_parser("fixtures", help="hidden sets of cases")
    sets = fixtures.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = sets.add_parser(
        "new", parents=[shared, many], help="draw a hidden set, build its golden outputs, prove it"
    )
    new.add_argument("--seed", type=_seed, required=True, help="the same seed draws the same set")
    new.add_argument("--out", type=Path, required=True, help="a new folder")
    new.add_argument(
        "--unproven", action="store_true", help="leave out the proof, and with it all diagnoses"
    )
    new.set_defaults(run=_fixtures_new)
    doctor = commands.add_parser("doctor", help="does the sandbox hold on this machine?")
    doctor.set_defaults(run=_doctor)
    redteam = commands.add_parser(
        "redteam", parents=[shared], help="run the hostile submissions against this lab and machine"
    )
    redteam.add_argument(
        "--attacks", type=Path, help="their folder (default: tests/attacks beside the reference)"
    )
    redteam.add_argument(
        "--without-bubblewrap", action="store_true", help="try the inner wall alone"
    )
    redteam.set_defaults(run=_redteam)
    golden = commands.add_parser("golden", help="golden outputs of the reference")
    actions = golden.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, text in (
        ("build", _golden_build, "run the reference and store what it returns"),
        ("verify", _golden_verify, "run it again and report any drift"),
    ):
        action = actions.add_parser(name, parents=[shared, many], help=text)
        action.set_defaults(run=run)
    return parser


def _add_import(commands: Any, shared: argparse.ArgumentParser) -> None:
    bring = commands.add_parser(
        "import", parents=[shared], help="turn what a course's system exports into submissions"
    )
    bring.add_argument("archive", type=Path, help=".zip, .tar.gz, or the unpacked folder")
    bring.add_argument(
        "--from",
        dest="system",
        required=True,
        choices=("moodle", "canvas", "gradescope", "github", "folder"),
    )
    bring.add_argument("--out", type=Path, default=Path("submissions"), help="default: %(default)s")
    bring.add_argument(
        "--sheet",
        action="append",
        default=[],
        type=Path,
        help="names and times: Moodle's offline grading worksheet, Canvas's gradebook, GitHub "
        "Classroom's roster or grades (may be given twice)",
    )
    bring.add_argument(
        "--attempts", choices=("last", "all"), default="", help="default: as the lab says, or last"
    )
    bring.add_argument(
        "--column",
        action="append",
        default=[],
        type=_column,
        metavar="MEANING=HEADING",
        help="what a column of Moodle's worksheet means, where its heading is not recognised",
    )
    bring.set_defaults(run=_import)


def _column(text: str) -> tuple[str, str]:
    meaning, equals, heading = text.partition("=")
    if not (meaning and equals and heading):
        raise argparse.ArgumentTypeError(f"expected MEANING=HEADING, found {text!r}")
    return meaning, heading


def _seed(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0, found {text!r}")
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a number from 0 to 65535, found {text!r}")
    return int(text)


def _jobs(text: str) -> int:
    jobs = int(text) if text.isdigit() else 0
    if jobs < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return jobs


def _check(options: argparse.Namespace, console: Console) -> int:
    from harness.cohort import grade_one
    from harness.execution.sandbox import Sandbox, choose_for_own_work, inner_problem
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.lab import find_lab
    from harness.submission import find_submissions
    from harness.techniques import part_of

    found = find_submissions(options.submission)
    if len(found) > 1:
        raise UsageError(
            f"{options.submission} holds {len(found)} submissions; check takes one: name it, or "
            f"run: harness grade {options.submission}"
        )
    lab = open_lab(find_lab(options.submission, options.lab))
    book = Gradebook(options.out)
    walls = Sandbox() if options.unsandboxed else choose_for_own_work()
    if not walls.inner:
        console.print(
            f"not sandboxed: {inner_problem() or '--unsandboxed was given'}", markup=False
        )
    with Grader(lab, public_only=True, sandbox=walls) as grader:
        if options.case:
            grader.narrow(part_of(grader.lab, options.case))
            grade: Mapping[str, Any] = grader.grade(found[0]).grade.to_json()
        else:
            grade = grade_one(grader, found[0], book)
    _print_checks(console, grade)
    if not options.case:
        console.print(f"report: {book.report(found[0].name)}", markup=False)
    if grade["outcome"] != "judged":
        return EXIT_NOT_JUDGED
    return EXIT_OK if grade["points"] >= lab.pass_mark * grade["max_points"] else EXIT_BELOW


def _grade(options: argparse.Namespace, console: Console) -> int:
    from harness.cohort import grade_cohort
    from harness.execution.sandbox import Sandbox, choose
    from harness.gradebook import Gradebook
    from harness.grading import Grader, open_lab
    from harness.lab import find_lab
    from harness.progress import Progress
    from harness.submission import find_submissions

    submissions = find_submissions(options.submissions)
    lab = open_lab(find_lab(options.submissions, options.lab))
    book = Gradebook(options.out)
    walls = Sandbox() if options.unsandboxed else choose()
    width = min(40, max(len(submission.name) for submission in submissions))
    engine = _engine(options, lab)
    with Grader(lab, sandbox=walls) as grader, Progress(console, len(submissions)) as progress:
        grades = grade_cohort(
            grader,
            submissions,
            book,
            engine,
            lambda done: progress.show(done, _line(done.grade, width)),
        )
    progress.tell_changes()
    left = [grade["submission"] for grade in grades if grade["outcome"] != "judged"]
    if left:
        console.print(f"not judged ({len(left)}): {visible(', '.join(left))}", markup=False)
    console.print(f"reports: {book.folder}{os.sep}, starting at {book.index}", markup=False)
    return EXIT_NOT_JUDGED if left else EXIT_OK


def _engine(options: argparse.Namespace, lab: Any) -> Any:
    """This machine's processes, or a cluster."""
    from harness.engine import LocalEngine, Work

    if options.scheduler is None:
        return LocalEngine(Work(str(lab.source.path), options.unsandboxed), options.jobs)
    try:
        from harness.cluster import ClusterEngine
    except ImportError:
        raise UsageError(
            "--scheduler needs Dask: pip install 'xai-grading-harness[cluster]'"
        ) from None
    return ClusterEngine(options.scheduler, lab, unsandboxed=options.unsandboxed)


def _import(options: argparse.Namespace, console: Console) -> int:
    from harness.exchange.command import run_import

    fine = run_import(options, lambda line: console.print(visible(line), markup=False))
    return EXIT_OK if fine else EXIT_BELOW


def _mark(options: argparse.Namespace, console: Console) -> int:
    from harness.marking.command import run

    run(options, lambda line: console.print(visible(line), markup=False))
    return EXIT_OK


def _calibrate(options: argparse.Namespace, console: Console) -> int:
    from harness.grading import open_lab
    from harness.lab import find_lab

    lab = open_lab(find_lab(Path.cwd(), options.lab))
    return _prove(lab, options, console, check_only=options.check, only=options.only)


def _fixtures_new(options: argparse.Namespace, console: Console) -> int:
    from harness import fixtures
    from harness.grading import open_lab
    from harness.lab import find_lab

    base = open_lab(find_lab(Path.cwd(), options.lab))
    lab = fixtures.new(base, options.seed, options.out, jobs=options.jobs)
    console.print(f"hidden set of {len(lab.cases)} cases: {lab.source.path}", markup=False)
    if options.unproven:
        return EXIT_OK
    return _prove(fixtures.name_calibration(lab), options, console)


def _prove(
    lab: Any,
    options: argparse.Namespace,
    console: Console,
    *,
    check_only: bool = False,
    only: Sequence[str] = (),
) -> int:
    from harness.calibration import page
    from harness.calibration.running import Row
    from harness.calibration.whole import calibrate

    def show(row: Row) -> None:
        kind = "mistake" if row.entry.is_mistake else "variant"
        word = "ok   " if page.comes_out_right(row) else "WRONG"
        console.print(f"{word} {kind} {row.entry.name}: {page.verdict(row)}", markup=False)

    done = calibrate(
        lab, options.out, jobs=options.jobs, on_row=show, check_only=check_only, only=only
    )
    texts = [*done.proof.notes, *done.proof.problems, *page.counts(done.proof)]
    if done.written:
        texts.append(f"calibration: {done.written}")
    for text in (*texts, f"page: {done.page}"):
        console.print(text, markup=False)
    return EXIT_BELOW if done.proof.problems else EXIT_OK


def _doctor(options: argparse.Namespace, console: Console) -> int:
    from harness.execution import doctor, sandbox
    from harness.execution.runner import Runner

    if problem := sandbox.inner_problem():
        found = doctor.no_inner_wall(problem)
    else:
        walls = sandbox.choose()
        with Runner(None, {}, sandbox=walls) as runner:
            found = doctor.findings(walls, runner.probe())
    width = max(len(finding.name) for finding in found)
    for finding in found:
        word = "ok  " if finding.holds else "FAIL" if finding.needed else "weak"
        console.print(f"{word} {finding.name:{width}}  {finding.found}", markup=False)
        if finding.fix:
            console.print(f"     {'':{width}}  → {finding.fix}", markup=False)
    return EXIT_OK if all(f.holds for f in found if f.needed) else EXIT_BELOW


def _redteam(options: argparse.Namespace, console: Console) -> int:
    from harness import redteam
    from harness.execution.sandbox import choose
    from harness.grading import open_lab
    from harness.lab import find_lab

    lab = open_lab(find_lab(Path.cwd(), options.lab))
    beside = lab.reference.parent / "tests" / "attacks" if lab.reference else Path("attacks")
    walls = choose(bubblewrap=not options.without_bubblewrap)
    console.print(f"walls: {walls}", markup=False)
    width = 0

    def show(result: redteam.Result) -> None:
        word = "FAIL" if result.problems else "held"
        name = f"{result.attack.name:{width}}"
        console.print(f"{word} {name}  {result.attack.about}", markup=False)
        for problem in result.problems:
            console.print(f"     {'':{width}}  → {visible(problem)}", markup=False)

    with redteam.RedTeam(lab, options.attacks or beside, walls) as team:
        width = max(len(attack.name) for attack in team.attacks)
        results = team.run(show)
    console.print(redteam.held(results), markup=False)
    return EXIT_BELOW if any(result.problems for result in results) else EXIT_OK


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
    from harness.execution.sandbox import choose_for_own_work
    from harness.grading import open_lab
    from harness.lab import find_lab
    from harness.techniques import CONTRACT

    lab = open_lab(find_lab(Path.cwd(), options.lab))
    return lab, Runner(lab, CONTRACT, sandbox=choose_for_own_work())


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
        _print_check(console, check)
    for name, entry in grade["techniques"].items():
        if diagnosis := entry["diagnosis"]:
            sure = f"{100 * diagnosis['confidence']:.0f} % sure"
            console.print(
                f"{name}: this looks like the known mistake {diagnosis['mistake']} ({sure})",
                markup=False,
            )
            console.print(f"  → {visible(diagnosis['hint'])}", markup=False)
    console.print(f"{grade['points']:g} of {grade['max_points']:g} points", style="bold")


def _print_check(console: Console, check: Mapping[str, Any]) -> None:
    full = check["points"] == check["max_points"]
    colour = "green" if full else "red"
    points = f"{check['points']:5.2f} / {check['max_points']:g}"
    console.print(f"[{colour}]{points:>12}[/]  {check['technique']}  {check['id']}")
    told: dict[tuple[str, str], list[str]] = {}
    for case in check["cases"]:
        if case["outcome"] != "passed":
            told.setdefault((case["message"], case["hint"]), []).append(case["id"])
        elif case["message"]:
            told.setdefault((f"passed; {case['message']}", ""), []).append(case["id"])
    for (message, hint), cases in told.items():
        mark = "✓" if message.startswith("passed; ") else "✗"
        console.print(f"      {mark} {', '.join(cases)}: {visible(message)}", markup=False)
        if hint:
            console.print(f"        → {visible(hint)}", markup=False)
