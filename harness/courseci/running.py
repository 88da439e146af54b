"""`harness check --ci`: the check as always, and then what GitHub or GitLab shows of it.

Sources of the rules: GitHub's documentation of workflow commands (`stop-commands`, environment
files, 1 MiB per step summary) and of default environment variables; GitLab's predefined variables.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.courseci.annotations import Annotation, annotate, code_quality, github_lines, of_error
from harness.courseci.facts import Checked
from harness.courseci.junit import junit, junit_of_error
from harness.courseci.summary import summary, summary_of_error
from harness.errors import HarnessError, UsageError
from harness.exchange.classroom import classroom_result
from harness.gradebook import write_whole
from harness.texts import one_line, visible

# The step that tells Classroom gets the result in an environment variable; Linux allows 128 KiB.
MAX_RESULT = 100_000
_SHORTER = (200, 80, 20, 0)


@dataclass(frozen=True)
class _Shown:
    """All that is shown of a check."""

    said: Sequence[Annotation]
    junit: bytes
    page: str
    result: str


def check(kind: str, out: Path, look: Callable[[], Checked]) -> Checked | None:
    """Check, and write what the system shows.

    Args:
        kind: `github` or `gitlab`.
        out: the reports' folder; gets `junit.xml`, `summary.md` and, for GitLab,
            `gl-code-quality-report.json`.
        look: makes the check, and prints what it finds.

    Returns:
        what was checked; None where the check could not be made, which is written and printed
        like any other outcome.

    Raises:
        UsageError: the reports cannot be written.
    """
    checked = None
    with _no_commands() if kind == "github" else nullcontext():
        try:
            checked = look()
            shown = _shown(checked)
        # Whatever it is, a run that ends without a word would be taken for the student's fault.
        except Exception as error:
            checked, shown = None, _shown_of_error(_problem(error))
    if kind == "github":
        _tell_github(shown)
    _write_files(kind, out, shown)
    return checked


def _shown(checked: Checked) -> _Shown:
    said = annotate(checked, _root(checked.path))
    result = encoded(classroom_result(checked.grade))
    return _Shown(said, junit(checked), summary(checked), result)


def _shown_of_error(problem: str) -> _Shown:
    # As much of a grade as Classroom's result needs to tell that there is none.
    run = {"message": problem}
    grade = {"outcome": "not_judged", "points": 0, "max_points": 0, "checks": [], "run": run}
    result = encoded(classroom_result(grade))
    return _Shown([of_error(problem)], junit_of_error(problem), summary_of_error(problem), result)


def _problem(error: Exception) -> str:
    """What went wrong, which is printed as well."""
    problem = one_line(str(error))
    if not isinstance(error, (HarnessError, OSError)):
        problem = f"{type(error).__name__}: {problem}; this is a fault of the harness: report it"
        sys.stdout.write(visible(traceback.format_exc()))
    sys.stdout.write(f"harness: error: {problem}\n")
    return problem


@contextmanager
def _no_commands() -> Iterator[None]:
    """Have GitHub take nothing that is printed meanwhile for a command.

    Errors go to the same stream: of two, GitHub does not keep the order.
    """
    token = secrets.token_hex(16)
    sys.stdout.write(f"::stop-commands::{token}\n")
    sys.stdout.flush()
    try:
        with redirect_stderr(sys.stdout):
            yield
    finally:
        # What was printed last may have no line break at its end.
        sys.stdout.write(f"\n::{token}::\n")
        sys.stdout.flush()


def _write_files(kind: str, out: Path, shown: _Shown) -> None:
    files = {"junit.xml": shown.junit, "summary.md": _utf8(shown.page)}
    if kind == "gitlab":
        report = code_quality(shown.said, "submission.py")
        files["gl-code-quality-report.json"] = _utf8(report)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            write_whole(out / name, data)
    except OSError as error:
        raise UsageError(f"the reports' folder {out} cannot be written: {error}") from None


def _tell_github(shown: _Shown) -> None:
    """Annotations, the page of the run, and the output `result`, each where there is a place."""
    for line in github_lines(shown.said):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    _append("GITHUB_STEP_SUMMARY", shown.page)
    _append("GITHUB_OUTPUT", f"result={shown.result}\n")


def encoded(result: Mapping[str, Any]) -> str:
    """Classroom's result as base64 of JSON, texts shortened until it fits an environment variable.

    Args:
        result: as `classroom_result` makes it.
    """
    text = _base64(result)
    for most in _SHORTER:
        if len(text) <= MAX_RESULT:
            break
        tests = [
            {
                name: value[:most] if name in ("output", "message", "test_code") else value
                for name, value in test.items()
            }
            for test in result["tests"]
        ]
        text = _base64({**result, "tests": tests})
    return text


def _base64(result: Mapping[str, Any]) -> str:
    return base64.b64encode(json.dumps(result).encode()).decode()


def _append(variable: str, text: str) -> None:
    """Add to one of the files that GitHub names in the environment, if it names it."""
    name = os.environ.get(variable)
    if not name:
        return
    try:
        with Path(name).open("ab") as stream:
            stream.write(_utf8(text))
    except OSError as error:
        raise UsageError(f"{variable} names a file that cannot be written: {error}") from None


def _root(path: Path) -> Path:
    """The folder of the repository: as the system says, else as git does, else the present one."""
    path = path.resolve()
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        if given := os.environ.get(name):
            folder = Path(given).resolve()
            if folder == path or folder in path.parents:
                return folder
    return next((one for one in (path, *path.parents) if (one / ".git").exists()), Path.cwd())


def _utf8(text: str) -> bytes:
    return text.encode(errors="backslashreplace")
