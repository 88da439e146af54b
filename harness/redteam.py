"""The red team: hostile submissions, each with its expected verdict, run as any student's are.

An attack says what it tries and what must come of it (`harness.attacks`). Half of them do honest
work as well, so that a sandbox which breaks honest code fails, too. After each, nothing may be left
of it, and an honest submission keeps its full marks.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import techniques
from harness.attacks import HEADER, HONEST, Attack, read_attacks
from harness.disclosure import public
from harness.errors import LabError
from harness.examining.examiner import Examiner
from harness.execution.sandbox import Sandbox
from harness.grading import Graded, Grader, Stored
from harness.lab import Case, Check, Lab, Limits
from harness.submission import Submission

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
class Result:
    """What came of an attack; it was held if there are no problems."""

    attack: Attack
    problems: tuple[str, ...]
    seconds: float


def small(lab: Lab, *, hidden: bool = False) -> Lab:
    """The lab with one case for each function that the attacks define, and limits of our own.

    Args:
        lab: the whole of it.
        hidden: one more case is hidden: of the last function, on another image.
    """
    cases = tuple(_simplest(lab, function) for function in FUNCTIONS)
    if hidden:
        other = _simplest(lab, FUNCTIONS[-1], but=cases[-1])
        cases = (*cases, replace(other, hidden=True))
    ids = {case.id for case in cases}
    checks = [_restricted(check, ids) for check in lab.checks]
    functions = {case.function for case in cases}
    kept = tuple(
        check
        for check in checks
        if check.cases != () and functions & set(techniques.metric_of(check)[1].functions)
    )
    # Answers are read; what they say of cases is about some that are not here.
    questions = tuple(replace(one, cases=(), claims="") for one in lab.questions)
    return replace(lab, cases=cases, checks=kept, questions=questions, limits=PATIENT)


def _simplest(lab: Lab, function: str, but: Case | None = None) -> Case:
    """The case on the smallest image, of those that ask for nothing special; another than `but`."""

    def size(case: Case) -> tuple[bool, int]:
        arguments = techniques.resolve_arguments(lab, case)
        return arguments.get("modifier") is not None, np.size(np.asarray(arguments["image"]))

    found = [case for case in public(lab.cases) if case.function == function]
    if but is not None:
        found = [case for case in found if case.arguments["image"] != but.arguments["image"]]
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
        whole = self._grader.lab
        self._lab, self._with_hidden = small(whole), small(whole, hidden=True)
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
        before = self._surroundings()
        problems = []
        submissions = self._submissions(attack)  # what making them takes is not grading's
        with _Taken(self._grader.examiner) as taken:
            cohort = self._graded(attack, submissions)
        for graded in cohort:
            problems += [*self._verdict_problems(attack, graded), *_printed_problems(graded)]
            problems += self._report_problems(graded) if attack.report else []
        problems += taken.problems(attack)
        after = self._surroundings()
        problems += [f"changed: {name}" for name in after if after[name] != before[name]]
        problems += [f"an honest submission after it: {text}" for text in self._honest_problems()]
        return Result(attack, tuple(problems), time.monotonic() - started)

    def _graded(self, attack: Attack, submissions: Sequence[Submission]) -> list[Graded]:
        """Grade them as a cohort is: what is not hidden first, of all of them."""
        lab = self._with_hidden if attack.hidden else self._lab
        self._grader.narrow(replace(lab, limits=LIMITS if attack.endless else PATIENT))
        try:
            if not attack.hidden:
                return [self._grader.grade(one, pages=attack.drawn) for one in submissions]
            kept = [Stored(self._grader.run_public(one)) for one in submissions]
            return [
                self._grader.grade(one, stored, public_done=True, pages=attack.drawn)
                for one, stored in zip(submissions, kept, strict=True)
            ]
        finally:
            self._grader.narrow(self._lab)

    def _submissions(self, attack: Attack) -> list[Submission]:
        if attack.submissions:
            return [self._submission(name, attack.path / name) for name in attack.submissions]
        if attack.made_by:
            made = self._folder / f"made-{attack.name}"
            made.mkdir()
            script = str(attack.path / attack.made_by)
            subprocess.run([sys.executable, "-I", script, str(made)], check=True)
            return [Submission(attack.name, made / attack.hand_in)]
        if attack.hand_in:
            return [Submission(attack.name, attack.path / attack.hand_in)]
        return [self._submission(attack.name, attack.path)]

    def _submission(self, name: str, path: Path) -> Submission:
        """A copy of what is handed in, with the honest half beside it."""
        folder = self._folder / name
        if path.is_dir():
            shutil.copytree(path, folder)
            (folder / HEADER).unlink(missing_ok=True)
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
        if attack.verdict == "none" and grade["points"] > 0:
            problems.append(f"got {grade['points']:g} points")
        run = grade["run"]
        if attack.told_mb is not None and (found := run["memory_mb"]) > attack.told_mb:
            problems.append(f"its report tells {found:.0f} MB; at most {attack.told_mb:g} expected")
        told = "\n".join([*_messages(graded), run["printed"]])
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


class _Taken:
    """What is taken of ours meanwhile: by this process, and by the one that reads what is returned.

    Args:
        examiner: that process.
    """

    def __init__(self, examiner: Examiner) -> None:
        self._examiner = examiner

    def __enter__(self) -> _Taken:
        for pid in self._pids():
            with suppress(OSError):  # begins to count the peak anew; not on every system
                Path(f"/proc/{pid}/clear_refs").write_text("5")
        self._held = self._mb("VmRSS")
        self._cpu = self._cpu_seconds()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = self._cpu_seconds() - self._cpu
        self.peak_mb = self._mb("VmHWM") - self._held

    def _pids(self) -> list[int]:
        return [os.getpid(), *filter(None, [self._examiner.pid])]

    def _mb(self, name: str) -> float:
        return sum(_status_mb(pid, name) for pid in self._pids())

    def _cpu_seconds(self) -> float:
        times = os.times()
        own = times.user + times.system + times.children_user + times.children_system
        return own + sum(_cpu_of(pid) for pid in self._pids()[1:])

    def problems(self, attack: Attack) -> list[str]:
        """What is more than the attack may take."""
        found = [
            ("s of processor time", self.seconds, attack.seconds),
            ("MB of memory", self.peak_mb, attack.peak_mb),
        ]
        return [
            f"grading it took {taken:.1f} {what}; expected at most {most:g}"
            for what, taken, most in found
            if most is not None and taken > most
        ]


def _cpu_of(pid: int) -> float:
    """Processor time of a process; 0 where the system says nothing."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _status_mb(pid: int, name: str) -> float:
    """What the system says of a process's memory; 0 where it says nothing."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) / 1024
    return 0.0


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
