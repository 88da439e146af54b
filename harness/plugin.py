"""The pytest plugin: `pytest --submissions DIR`, one item per submission and case.

It is imported in every pytest session, so nothing heavy is imported before it is asked for.

Submissions come in through `--submissions` only, never as paths to collect: pytest would import a
student's `conftest.py` and obey a student's `pytest.ini`. With `--submissions` no conftest file is
loaded at all, and a path into a folder of submissions stops the session before one could be.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.texts import one_line

if TYPE_CHECKING:
    from harness.disclosure import Shown
    from harness.grading import Grader
    from harness.lab import Lab
    from harness.submission import Submission

_GRADES: pytest.StashKey[Grades] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the plugin."""
    group = parser.getgroup("harness", "grading submissions of a lab")
    group.addoption("--submissions", metavar="DIR", help="grade the submissions in this folder")
    group.addoption("--lab", metavar="PATH", help="lab file (default: the nearest one upward)")
    group.addoption(
        "--lab-files",
        metavar="DIR",
        action="append",
        default=[],
        help="a folder outside the lab's own that its files may lie in; may be given several times",
    )
    group.addoption(
        "--unsandboxed", action="store_true", help="run submissions with your own rights"
    )
    group.addoption("--reports", metavar="DIR", help="also write grades and reports here")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Refuse what would make pytest load a student's files, before it does."""
    options = early_config.known_args_namespace
    given = [Path(str(path).split("::")[0]) for path in options.file_or_dir]
    if options.submissions is None:
        inside = next((path for path in given if _in_submissions(path)), None)
        if inside is not None:
            raise pytest.UsageError(
                f"{inside} is inside a folder of submissions: pytest would run a student's "
                "conftest.py and settings. Use: pytest --submissions DIR"
            )
        return
    if given:
        raise pytest.UsageError(
            f"--submissions takes no paths to collect, found {given[0]}; give one or the other"
        )
    folder = Path(options.submissions).absolute()
    if early_config.inipath is not None and _within(early_config.inipath, folder):
        raise pytest.UsageError(
            f"pytest would obey {early_config.inipath}, a file among the submissions; run it from "
            "the course's folder"
        )
    options.noconftest = early_config.option.noconftest = True


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """With `--submissions`, collect nothing else."""
    if config.getoption("submissions") is not None:
        config.args = []


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Which lab the submissions are graded by, and what among them is passed over."""
    if config.getoption("submissions") is None:
        return []
    from harness.errors import HarnessError
    from harness.submission import passed_over, sentence_of_passed_over

    try:
        lines = [f"lab: {_find_lab(config)}"]
        if names := passed_over(Path(config.getoption("submissions"))):
            lines.append(sentence_of_passed_over(names))
        return lines
    except (HarnessError, OSError):
        return []  # said at collection


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out whole submissions to pytest-xdist's workers, whatever `--dist` says.

    A mark `xdist_group` would say the same, but pytest-xdist 3.8 under pytest 9.2 loses it.
    """
    if config.getoption("submissions") is None:
        return None
    from xdist.scheduler import LoadScopeScheduling

    class SubmissionScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            return nodeid.split("::")[0]

    return SubmissionScheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Add the items of every submission."""
    if config.getoption("submissions") is None:
        return
    from harness.errors import HarnessError

    try:
        grades = config.stash[_GRADES] = Grades(config)
        for submission in grades.submissions:
            collector = SubmissionCollector.from_parent(session, name=one_line(submission.name))
            items.extend(collector.items(submission, grades))
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the child processes; in the main process, write the cohort's page if asked for."""
    config = session.config
    grades = config.stash.get(_GRADES, None)
    if grades is not None:
        grades.close()
    is_main = not hasattr(config, "workerinput")
    if config.getoption("reports") is not None and is_main and not config.option.collectonly:
        _write_index(config)


def _open(config: pytest.Config) -> tuple[list[Submission], Lab]:
    from harness.grading import open_lab
    from harness.submission import find_submissions

    folder = Path(config.getoption("submissions"))
    files = [Path(folder) for folder in config.getoption("lab_files")]
    return find_submissions(folder), open_lab(_find_lab(config), files)


def _find_lab(config: pytest.Config) -> Path:
    from harness.finding import find_lab

    given = config.getoption("lab")
    return find_lab(Path(given) if given else None, Path(config.getoption("submissions")))


def _write_index(config: pytest.Config) -> None:
    from harness.errors import HarnessError
    from harness.gradebook import Gradebook, summary
    from harness.marks import locked
    from harness.report import write_index

    try:
        submissions, lab = _open(config)
    except HarnessError:
        return  # said at collection
    book = Gradebook(Path(config.getoption("reports")))
    with locked(book, "board"):
        stored = [book.read(submission.name) for submission in submissions]
        grades = [summary(grade) for grade in stored if grade is not None]
        book.write_csv(grades)
        write_index(book.index, lab, grades)


class NotJudgedError(Exception):
    """A case that could not be judged: an error of the session, never a student's failure."""


class CaseFailedError(Exception):
    """A case that failed, told as the student will read it."""


class Grades:
    """The grades of this session: each submission is run once, when its first item is."""

    def __init__(self, config: pytest.Config) -> None:
        self.submissions, self.lab = _open(config)
        self._reports = config.getoption("reports")
        self._done: dict[str, Mapping[str, Any]] = {}
        self._grader: Grader | None = None
        if not config.option.collectonly:
            from harness.execution.sandbox import Sandbox, choose
            from harness.grading import Grader

            walls = Sandbox() if config.getoption("unsandboxed") else choose()
            # Damaged golden outputs are found here.
            self._grader = Grader(self.lab, sandbox=walls)

    def of(self, submission: Submission) -> Mapping[str, Any]:
        """The grade of a submission, as in `grade.json`."""
        if submission.name not in self._done:
            self._done[submission.name] = self._grade(submission)
        return self._done[submission.name]

    def _grade(self, submission: Submission) -> Mapping[str, Any]:
        from harness.answers import Answers
        from harness.grading import NOTHING, grade_or_not

        assert self._grader is not None
        if self._reports is None:
            return grade_or_not(self._grader, submission, NOTHING, Answers()).grade
        from harness.cohort import grade_one
        from harness.gradebook import Gradebook

        return grade_one(self._grader, submission, Gradebook(Path(self._reports)))

    def close(self) -> None:
        """End the child processes."""
        if self._grader is not None:
            self._grader.close()
            self._grader = None


class SubmissionCollector(pytest.Collector):
    """One submission in pytest's tree."""

    def collect(self) -> list[pytest.Item | pytest.Collector]:
        """Nothing: the items are added by `pytest_collection_modifyitems`."""
        return []

    def items(self, submission: Submission, grades: Grades) -> Iterator[CaseItem]:
        """One item per technique and case (or group of cases) that some check judges."""
        from harness import techniques

        seen: set[str] = set()
        for check in grades.lab.checks:
            technique, _ = techniques.metric_of(check)
            for identifier, _ in techniques.selected(grades.lab, check):
                name = f"{technique.name}::{identifier}"
                if name in seen:
                    continue
                seen.add(name)
                item = CaseItem.from_parent(self, name=name, nodeid=f"{self.name}::{name}")
                item.prepare(submission, technique.name, identifier, grades)
                yield item


class CaseItem(pytest.Item):
    """One case of one submission."""

    def prepare(
        self, submission: Submission, technique: str, identifier: str, grades: Grades
    ) -> None:
        """Tell the item what it stands for."""
        self.submission, self.technique, self.identifier = submission, technique, identifier
        self.grades = grades

    def runtest(self) -> None:
        """Pass if the case passed in every check that judges it.

        Raises:
            NotJudgedError: it could not be judged.
            CaseFailedError: it failed.
        """
        results = list(self._results())
        unjudged = [case for _, case in results if case.outcome == "not_judged"]
        if unjudged:
            raise NotJudgedError(unjudged[0].message or "a hidden case; grade.json has the reason")
        for check, case in results:
            if not case.hidden:
                self.user_properties.append((f"{check} score", case.score))
        failed = [(check, case) for check, case in results if case.outcome == "failed"]
        if failed:
            texts = []
            for check, case in failed:
                texts += [f"{check}: {one_line(case.message or 'failed')}"]
                texts += [f"  {one_line(case.hint)}"]
            grade = self.grades.of(self.submission)
            if diagnosis := grade["techniques"][self.technique]["diagnosis"]:
                texts.append(
                    f"like the known mistake {diagnosis['mistake']}: {one_line(diagnosis['hint'])}"
                )
            raise CaseFailedError("\n".join(filter(None, map(str.rstrip, texts))))

    def _results(self) -> Iterator[tuple[str, Shown]]:
        """What may be said of the case, by check: in CI, students read it."""
        from harness.disclosure import hidden_in, shown

        hidden = hidden_in(self.grades.lab)(self.technique, self.identifier)
        for check in self.grades.of(self.submission)["checks"]:
            for case in check["cases"]:
                if check["technique"] == self.technique and case["id"] == self.identifier:
                    yield check["id"], shown(case, hidden)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The text for people; a traceback only for a fault of ours."""
        if isinstance(excinfo.value, CaseFailedError):
            return str(excinfo.value)
        if isinstance(excinfo.value, NotJudgedError):
            return f"not judged, which is not the student's fault: {one_line(str(excinfo.value))}"
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Where the submission is, and the item's name."""
        return self.submission.path, None, self.nodeid


def _in_submissions(path: Path) -> bool:
    """Whether a path is a folder of submissions, or inside one of them, beside or below a lab."""
    from harness.finding import holds_submission, nearest_lab

    path = path.absolute()
    inside = [folder.parent for folder in (path, *path.parents) if holds_submission(folder)]
    if not inside and path.is_dir() and any(map(holds_submission, path.iterdir())):
        inside = [path]
    return any(nearest_lab(folder) for folder in inside)


def _within(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())
