"""The `harness` command: arguments and exit codes, nothing else.

Exit codes:

- 0: all is well (`check`: at or above the pass mark; `grade`: every submission judged).
- 1: `check` below the pass mark, `golden verify` drifted, `calibrate` found what no case tells,
  `doctor` or `redteam` found that the sandbox does not hold, `import` or `export` found what needs
  a person's eye (all else is done).
- 2: a usage, lab or golden error.
- 3: `check` or `grade` could not judge some submission.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import harness
from harness.commands import course, grading, proving
from harness.commands.printing import EXIT_ERROR, EXIT_INTERRUPTED
from harness.courseci.workflows import KINDS
from harness.errors import HarnessError
from harness.texts import one_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, Console(highlight=False, soft_wrap=True)))
    except HarnessError as error:
        sys.stderr.write(f"harness: error: {one_line(str(error))}\n")
        return EXIT_ERROR
    except OSError as error:
        kept = "; what was graded before is kept" if options.command == "grade" else ""
        sys.stderr.write(f"harness: error: {one_line(str(error))}{kept}\n")
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
    shared.add_argument(
        "--lab-files",
        action="append",
        default=[],
        type=Path,
        metavar="DIR",
        help="a folder outside the lab's own that its files may lie in; may be given several times",
    )
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
    check.add_argument(
        "--ci",
        choices=("github", "gitlab"),
        help="also write junit.xml and what GitHub or GitLab shows at a push",
    )
    check.add_argument(
        "--preflight",
        action="store_true",
        help="look at files, names and versions, and run nothing",
    )
    check.set_defaults(run=grading.check)
    grade = commands.add_parser(
        "grade", parents=[shared, output, many, walls], help="grade a folder of submissions"
    )
    grade.add_argument("submissions", type=Path)
    grade.add_argument(
        "--scheduler", metavar="ADDRESS", help="grade on a Dask cluster (tcp://HOST:8786)"
    )
    grade.set_defaults(run=grading.grade)
    _add_kit(commands, shared, walls)
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
    mark.set_defaults(run=grading.mark)
    _add_export(commands, shared)
    calibrate = commands.add_parser(
        "calibrate",
        parents=[shared, output, many],
        help="run all accepted variants and known mistakes: does every case tell right from wrong?",
    )
    calibrate.add_argument("only", nargs="*", help="names, or beginnings of names, of entries")
    calibrate.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if the proof does not hold"
    )
    calibrate.set_defaults(run=proving.calibrate)
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
    new.set_defaults(run=proving.fixtures_new)
    doctor = commands.add_parser("doctor", help="does the sandbox hold on this machine?")
    doctor.set_defaults(run=proving.doctor)
    redteam = commands.add_parser(
        "redteam", parents=[shared], help="run the hostile submissions against this lab and machine"
    )
    redteam.add_argument(
        "--attacks", type=Path, help="their folder (default: tests/attacks beside the reference)"
    )
    redteam.add_argument(
        "--without-bubblewrap", action="store_true", help="try the inner wall alone"
    )
    redteam.set_defaults(run=proving.redteam)
    golden = commands.add_parser("golden", help="golden outputs of the reference")
    actions = golden.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, run, text in (
        ("build", proving.golden_build, "run the reference and store what it returns"),
        ("verify", proving.golden_verify, "run it again and report any drift"),
    ):
        action = actions.add_parser(name, parents=[shared, many], help=text)
        action.set_defaults(run=run)
    shown = commands.add_parser("help", help="read about a topic")
    shown.add_argument("topic", nargs="?", default="", help="default: list them")
    shown.set_defaults(run=course.show_help)
    return parser


def _add_kit(
    commands: Any, shared: argparse.ArgumentParser, walls: argparse.ArgumentParser
) -> None:
    kit = commands.add_parser(
        "kit", parents=[shared, walls], help="write what students get, or an autograder"
    )
    kit.add_argument("--out", type=Path, default=Path("kit.zip"), help="default: %(default)s")
    kit.add_argument("--ci", choices=KINDS, default="", help="add a workflow that checks each push")
    kit.add_argument(
        "--autograder", choices=("gradescope",), default="", help="write one, instead of the kit"
    )
    kit.set_defaults(run=course.kit)


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
    bring.set_defaults(run=course.bring_in)


def _add_export(commands: Any, shared: argparse.ArgumentParser) -> None:
    export = commands.add_parser(
        "export", parents=[shared], help="bring grades back to where submissions came from"
    )
    export.add_argument("reports", type=Path, help="the folder that grading left behind")
    systems = ("moodle", "canvas", "gradescope", "github", "csv")
    export.add_argument("--to", required=True, choices=systems)
    export.add_argument("--sheet", type=Path, help="the sheet that was downloaded from there")
    export.add_argument("--out", type=Path, help="default: a name of the system's in this folder")
    export.add_argument("--title", default="", metavar="'TITLE (ID)'", help="Canvas's column")
    export.add_argument(
        "--column",
        action="append",
        default=[],
        type=_column,
        metavar="MEANING=HEADING",
        help="what a column of Moodle's worksheet means, where its heading is not recognised",
    )
    export.add_argument("--dry-run", action="store_true", help="give the account, write nothing")
    export.set_defaults(run=course.export)


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
