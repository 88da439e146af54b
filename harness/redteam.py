"""The red team: hostile submissions, each with its expected verdict, run as any student's are.

An attack is a Python file, or a folder with an `attack.yaml`, that says what it tries and what must
come of it. Half of them do honest work as well, so that a sandbox which breaks honest code fails,
too. After each, nothing may be left of it, and an honest submission keeps its full marks.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import techniques
from harness.disclosure import public
from harness.errors import LabError
from harness.execution.sandbox import Sandbox
from harness.grading import Graded, Grader
from harness.lab import Case, Check, Lab, Limits
from harness.submission import Submission

HONEST = "honest.py"
FUNCTIONS = ("top_predictions", "class_activation_map")
LIMITS = Limits(
    case_seconds=2,
    submission_seconds=8,
    memory_mb=4096,
    output_mb=4,
    cpu_seconds=8,
    threads=64,
    total_output_mb=8,
    disk_mb=32,
    disk_files=500,
)
# Time for work that ends by itself: a machine that is busy must not look like one that is not safe.
PATIENT = replace(LIMITS, case_seconds=30, submission_seconds=120, cpu_seconds=60)
# Names that attacks try to leave behind, wherever they can.
LEFT = ("left.txt", "pwned", "flood", "evil", "results.json", "grade.json", "outputs.json")


@dataclass(frozen=True)
class Attack:
    """A hostile submission.

    Attributes:
        name: of its file or folder.
        path: the file or folder.
        about: what it tries, in a line.
        full: whether it does honest work as well and must keep all points; else it must get none.
        says: what the grade must say, as a regular expression; empty for nothing in particular.
        report: whether its report is rendered and searched for what was injected.
    """

    name: str
    path: Path
    about: str
    full: bool
    says: str = ""
    report: bool = False

    @property
    def limits(self) -> Limits:
        """Little time for what never ends."""
        return LIMITS if re.search("timed out|did not end", self.says) else PATIENT


@dataclass(frozen=True)
class Result:
    """What came of an attack; it was held if there are no problems."""

    attack: Attack
    problems: tuple[str, ...]
    seconds: float


def read_attacks(folder: Path) -> list[Attack]:
    """All attacks of a folder, by name.

    Raises:
        LabError: there is none, or the header of one is not as it should be.
    """
    paths = [path for path in sorted(folder.glob("*.py")) if path.name != HONEST]
    paths += sorted(path.parent for path in folder.glob("*/attack.yaml"))
    if not paths or not (folder / HONEST).is_file():
        raise LabError(f"{folder}: expected attacks, each a .py file, and {HONEST}; found none")
    return [_read(path) for path in sorted(paths, key=lambda path: path.stem)]


def _read(path: Path) -> Attack:
    text = (path / "attack.yaml" if path.is_dir() else path).read_text("utf-8")
    if path.is_file():
        text = text.split('"""')[1] if text.startswith('"""') and text.count('"""') > 1 else ""
    lines = (line.partition(": ") for line in text.strip().splitlines())
    header = {key: value.strip() for key, _, value in lines}
    unknown = set(header) - {"attack", "verdict", "says", "report"}
    if unknown or header.get("verdict") not in ("full", "none") or "attack" not in header:
        raise LabError(
            f"{path}: expected a header with attack, verdict (full or none), says and report; "
            f"found {', '.join(f'{key}: {value}' for key, value in header.items()) or 'none'}"
        )
    return Attack(
        name=path.stem,
        path=path,
        about=header["attack"],
        full=header["verdict"] == "full",
        says=header.get("says", ""),
        report=header.get("report") == "true",
    )


def small(lab: Lab) -> Lab:
    """The lab with one case for each function that the attacks define, and limits of our own."""
    cases = tuple(_simplest(lab, function) for function in FUNCTIONS)
    ids = {case.id for case in cases}
    checks = [_restricted(check, ids) for check in lab.checks]
    functions = {case.function for case in cases}
    kept = tuple(
        check
        for check in checks
        if check.cases != () and functions & set(techniques.metric_of(check)[1].functions)
    )
    return replace(lab, cases=cases, checks=kept, limits=PATIENT)


def _simplest(lab: Lab, function: str) -> Case:
    """The case on the smallest image, of those that ask for nothing special."""

    def size(case: Case) -> tuple[bool, int]:
        arguments = techniques.resolve_arguments(lab, case)
        return arguments.get("modifier") is not None, np.size(np.asarray(arguments["image"]))

    found = [case for case in public(lab.cases) if case.function == function]
    if not found:
        raise LabError(f"{lab.source.path}: no public case of {function}, which attacks need")
    return min(found, key=size)


def _restricted(check: Check, ids: set[str]) -> Check:
    if check.cases is None:
        return check
    return replace(check, cases=tuple(name for name in check.cases if name in ids))


class RedTeam:
    """Runs attacks on a lab; a context manager that owns a grader.

    Args:
        lab: the lab.
        attacks: the folder of the attacks.
        sandbox: the walls to try.
    """

    def __init__(self, lab: Lab, attacks: Path, sandbox: Sandbox) -> None:
        self.attacks = read_attacks(attacks)
        self._honest_file = attacks / HONEST
        self._grader = Grader(lab, sandbox=sandbox)
        self._lab = small(self._grader.lab)
        self._grader.narrow(self._lab)
        self._folder = Path(tempfile.mkdtemp(prefix="redteam-"))
        self._honest = self._submission("honest", self._honest_file)

    def __enter__(self) -> RedTeam:
        return self

    def __exit__(self, *_: object) -> None:
        self._grader.__exit__(None, None, None)
        shutil.rmtree(self._folder)

    def run(self, on_done: Callable[[Result], None]) -> list[Result]:
        """Run all attacks, one after the other.

        Raises:
            LabError: the honest submission does not have full marks to begin with.
        """
        self._grader.oracle.probabilities(*self._any_image())  # so that its child is there already
        if problems := self._honest_problems():
            raise LabError(f"{self._honest_file}: {'; '.join(problems)}; attacks prove nothing")
        results = []
        for attack in self.attacks:
            results.append(self.one(attack))
            on_done(results[-1])
        return results

    def one(self, attack: Attack) -> Result:
        """Run an attack, and look at what it has done."""
        started = time.monotonic()
        submission = self._submission(attack.name, attack.path)
        before = self._surroundings()
        self._grader.narrow(replace(self._lab, limits=attack.limits))
        graded = self._grader.grade(submission, pages=attack.report)
        self._grader.narrow(self._lab)
        problems = [*self._verdict_problems(attack, graded), *_printed_problems(graded)]
        if attack.report:
            problems += self._report_problems(graded)
        after = self._surroundings()
        problems += [f"changed: {name}" for name in after if after[name] != before[name]]
        problems += [f"an honest submission after it: {text}" for text in self._honest_problems()]
        return Result(attack, tuple(problems), time.monotonic() - started)

    def _submission(self, name: str, path: Path) -> Submission:
        folder = self._folder / name
        if path.is_dir():
            shutil.copytree(path, folder)
            (folder / "attack.yaml").unlink()
        else:
            folder.mkdir()
            shutil.copy(path, folder / "submission.py")
        if path != self._honest_file:
            shutil.copy(self._honest_file, folder)
        return Submission(name, folder)

    def _any_image(self) -> tuple[str, Any]:
        case = self._lab.cases[0]
        return case.model, np.asarray(techniques.resolve_arguments(self._lab, case)["image"])[None]

    def _honest_problems(self) -> list[str]:
        graded = self._grader.grade(self._honest, pages=False)
        return [] if _is_full(graded) else _messages(graded) or ["not judged"]

    def _verdict_problems(self, attack: Attack, graded: Graded) -> list[str]:
        grade = graded.grade
        if grade["outcome"] != "judged":
            return [f"not judged: {'; '.join(_messages(graded))}"]
        problems = []
        if attack.full and not _is_full(graded):
            problems.append(f"lost points: {'; '.join(_messages(graded))}")
        if not attack.full and grade["points"] > 0:
            problems.append(f"got {grade['points']:g} points")
        told = "\n".join([*_messages(graded), grade["run"]["printed"]])
        if attack.says and not re.search(attack.says, told):
            problems.append(f"expected the grade to say {attack.says!r}, found {told[:500]!r}")
        return problems

    def _report_problems(self, graded: Graded) -> list[str]:
        html = graded.assessed.report.decode()
        found = [raw for raw in ("<script>xgh", "<img src=x", "\x1b", "\x00") if raw in html]
        return [f"its report holds {raw!r} as it was given" for raw in found]

    def _surroundings(self) -> dict[str, object]:
        """What must be the same before and after, by name."""
        grader_folder = self._grader.runner.folder
        places = {Path(p) for p in ("/tmp", "/var/tmp", "/dev/shm", tempfile.gettempdir(), ".")}
        places |= {Path.home(), grader_folder, self._lab.folder}
        return {
            "processes": sorted(_descendants(os.getpid())),
            "left files": [str(p / name) for p in sorted(places) for name in LEFT if _is(p / name)],
            "the lab": _signature(self._lab.folder),
            "the materials": _signature(grader_folder / "materials"),
            "homes": os.listdir(grader_folder / "homes"),
        }


def _is_full(graded: Graded) -> bool:
    grade = graded.grade
    return bool(grade["outcome"] == "judged" and grade["points"] == grade["max_points"])


def _messages(graded: Graded) -> list[str]:
    grade = graded.grade
    cases = [case["message"] for check in grade["checks"] for case in check["cases"]]
    run = grade["run"]
    return list(dict.fromkeys(filter(None, [run["message"], *run["notes"], *cases])))


def _printed_problems(graded: Graded) -> list[str]:
    """What an attack says that it got."""
    lines = graded.grade["run"]["printed"].splitlines()
    return [line[:300] for line in lines if line.startswith("got ")]


def _is(path: Path) -> bool:
    try:
        path.lstat()
    except OSError:
        return False
    return True


def _signature(folder: Path) -> list[tuple[str, int, int, int]]:
    """Name, size, mode and time of each file below a folder."""
    found = []
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        found.append((str(path), stat.st_size, stat.st_mode, stat.st_mtime_ns))
    return found


def _descendants(pid: int) -> list[int]:
    """Process ids of all children of all threads of a process, and theirs; none off Linux."""
    found = []
    for tasks in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(text) for text in tasks.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *_descendants(child)]
    return found


def held(results: Sequence[Result]) -> str:
    """The count, in words."""
    return f"attacks held: {sum(not r.problems for r in results)} of {len(results)}"
