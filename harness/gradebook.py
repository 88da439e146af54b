"""The cohort's results on disk: outputs, `grade.json` and report of each submission, and the CSV.

::

    DIR/index.html  DIR/grades.csv
    DIR/<submission>/outputs.safetensors  measured.json  answers.json  grade.json  report.html
    DIR/<submission>/marks.json

Each file is written whole or not at all, so a run that is killed loses at most the submissions at
hand, and the next one finds and keeps the rest.
"""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from safetensors import SafetensorError

from harness.answers import Answers
from harness.errors import UsageError
from harness.final import marked_points, unmarked
from harness.outputs import Outputs
from harness.results import FORMAT_VERSION
from harness.texts import shown_cell

# Names that files of the gradebook have beside the submissions' folders.
_TAKEN = frozenset({"index.html", "grades.csv"})


class Gradebook:
    """The folder that grading leaves behind.

    Args:
        folder: made if it is not there.

    Raises:
        UsageError: it cannot be made or written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not (ignored := folder / ".gitignore").exists():
                # Grades are not to be committed, nor handed in with the work beside them.
                ignored.write_text("*\n", "ascii")
        except OSError as error:
            raise UsageError(f"the reports' folder {folder} cannot be made: {error}") from None

    @property
    def index(self) -> Path:
        """The cohort's page."""
        return self.folder / "index.html"

    def of(self, name: str) -> Path:
        """The folder of one submission."""
        return self.folder / (f"{name}.submission" if name.lower() in _TAKEN else name)

    def report(self, name: str) -> Path:
        """The report of one submission."""
        return self.of(name) / "report.html"

    def outputs_file(self, name: str) -> Path:
        """The file of one submission's outputs."""
        return self.of(name) / "outputs.safetensors"

    def remembered_file(self, name: str) -> Path:
        """The file of what was worked out from one submission's outputs."""
        return self.of(name) / "measured.json"

    def answers_file(self, name: str) -> Path:
        """The file of one submission's written answers."""
        return self.of(name) / "answers.json"

    def marks_file(self, name: str) -> Path:
        """The file of the marks that people gave for them."""
        return self.of(name) / "marks.json"

    def save(
        self,
        grade: Mapping[str, Any],
        report: bytes,
        *,
        outputs: bytes,
        remembered: bytes,
        answers: bytes = b"",
    ) -> None:
        """Store one submission's outputs, then its grade and report.

        Each replaces the one of before in one step, in this order, so that at any moment a grade
        that is there has outputs; the report of before goes first, so that none is kept for
        another grade.

        Args:
            grade: as in `grade.json`.
            report: the page.
            outputs: `Outputs.to_bytes`; empty to leave those that are there.
            remembered: `Remembered.to_bytes`; empty to leave what is there.
            answers: `Answers.to_bytes`; empty to leave what is there.
        """
        text = _text(grade)
        folder = self.of(grade["submission"])
        folder.mkdir(parents=True, exist_ok=True)
        self.report(grade["submission"]).unlink(missing_ok=True)
        if outputs:
            write_whole(self.outputs_file(grade["submission"]), outputs)
        if remembered:
            write_whole(self.remembered_file(grade["submission"]), remembered)
        if answers:
            write_whole(self.answers_file(grade["submission"]), answers)
        write_whole(folder / "grade.json", text)
        write_whole(folder / "report.html", report)

    def save_outputs(self, name: str, outputs: bytes) -> None:
        """Store the outputs of one submission that is not graded yet; no grade holds any more."""
        self.of(name).mkdir(parents=True, exist_ok=True)
        self.report(name).unlink(missing_ok=True)
        write_whole(self.outputs_file(name), outputs)

    def save_marked(self, grade: Mapping[str, Any], report: bytes) -> None:
        """Store a grade of which nothing but its marks has changed, and its report.

        The report comes first: what a kill leaves between is found by the grade's marks, which are
        not those of `marks.json`.
        """
        text = _text(grade)
        write_whole(self.report(grade["submission"]), report)
        write_whole(self.of(grade["submission"]) / "grade.json", text)

    def read(self, name: str) -> dict[str, Any] | None:
        """The stored grade of one submission, if there is one of this format."""
        try:
            grade = json.loads((self.of(name) / "grade.json").read_text("utf-8"))
        except (OSError, ValueError):
            return None
        usable = isinstance(grade, dict) and grade.get("format_version") == FORMAT_VERSION
        return grade if usable else None

    def kept(
        self, name: str, digests: Mapping[str, str], environment: Mapping[str, str]
    ) -> dict[str, Any] | None:
        """The stored grade, if it is judged and nothing that it depends on has changed since."""
        grade = self.read(name)
        if grade is None or not self.report(name).is_file():
            return None
        depends = (grade.get("digests"), grade.get("environment"), grade.get("outcome"))
        return grade if depends == (dict(digests), dict(environment), "judged") else None

    def outputs(self, name: str) -> Outputs | None:
        """The stored outputs of one submission, if they are there and whole."""
        return read_outputs(_bytes(self.outputs_file(name)))

    def remembered(self, name: str) -> bytes:
        """What was worked out from them; empty where nothing is stored."""
        return _bytes(self.remembered_file(name))

    def answers(self, name: str) -> Answers:
        """The written answers of one submission, as they were when it was graded."""
        return Answers.from_bytes(_bytes(self.answers_file(name))) or Answers()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other grader out of this folder.

        Raises:
            UsageError: another one is at work here.
        """
        lock = FileLock(self.folder / ".lock", timeout=0)
        try:
            with lock:
                yield
        except Timeout:
            raise UsageError(
                f"another grader is at work in {self.folder}; wait until it is done, or give "
                "another --out"
            ) from None

    def write_csv(self, grades: Sequence[Mapping[str, Any]]) -> Path:
        """Write `grades.csv`: a row per submission, points in all, per technique and question.

        `total` is what answers, lateness and rounding leave of them, out of `total_max`. A
        submission that could not be judged has empty cells, never a 0; so has an answer that is not
        marked, and `total` while `held_back` gives a reason.
        """
        techniques = list(dict.fromkeys(name for grade in grades for name in grade["techniques"]))
        questions = list(dict.fromkeys(q["id"] for grade in grades for q in _questions(grade)))
        marked = [*(f"question_{name}" for name in questions), "marked_points"]
        path = self.folder / "grades.csv"
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow(
            [
                "submission",
                "outcome",
                "points",
                "max_points",
                *techniques,
                *marked * bool(questions),
                "total",
                "total_max",
                "held_back",
            ]
        )
        writer.writerows(_rows(grades, techniques, questions))
        write_whole(path, text.getvalue().encode(errors="backslashreplace"))
        return path


def last_cohort(folder: Path) -> list[str]:
    """The submissions that were graded last into a gradebook's folder, by name.

    Those are the rows of its CSV; without one, all that have a grade.
    """
    stems = [path.parent.name for path in sorted(folder.glob("*/grade.json"))]
    own = {name: name.removesuffix(".submission") for name in stems}
    found = [own[name] if own[name].lower() in _TAKEN else name for name in stems]
    try:
        with (folder / "grades.csv").open(newline="", encoding="utf-8") as stream:
            rows = {row.get("submission") for row in csv.DictReader(stream)}
    except (OSError, ValueError, csv.Error):
        return found
    return [name for name in found if shown_cell(name) in rows]


def _questions(grade: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    questions: Sequence[Mapping[str, Any]] = grade.get("questions", ())
    return questions


def _text(grade: Mapping[str, Any]) -> bytes:
    text = json.dumps(grade, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace")


def read_outputs(data: bytes) -> Outputs | None:
    """Outputs as they are stored; None where there are none, or damaged ones."""
    try:
        return Outputs.from_bytes(data)
    except (ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return None


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


_SHOWN = ("id", "title", "points", "max_points", "stale")


# Summaries are kept for a whole cohort, and share what is equal in them.
@cache
def _check_of(identifier: str, technique: str, *cases: tuple[str, str]) -> dict[str, Any]:
    found = [_outcome_of(*case) for case in cases]
    return {"id": identifier, "technique": technique, "cases": found}


@cache
def _outcome_of(identifier: str, outcome: str) -> dict[str, str]:
    return {"id": identifier, "outcome": outcome}


@cache
def _pair(identifier: str, outcome: str) -> tuple[str, str]:
    return identifier, outcome


def summary(grade: Mapping[str, Any]) -> dict[str, Any]:
    """What a cohort's page and CSV need of a grade: a few kilobytes, whatever the cases say."""
    kept = ("submission", "outcome", "points", "max_points", "techniques")
    checks = [
        _check_of(
            sys.intern(check["id"]),
            sys.intern(check["technique"]),
            *(_pair(case["id"], case["outcome"]) for case in check["cases"]),
        )
        for check in grade["checks"]
    ]
    run = {name: grade["run"][name] for name in ("status", "message", "seconds")}
    own = {name: grade[name] for name in kept}
    own |= {name: grade[name] for name in ("handed_in", "final") if name in grade}
    if "questions" in grade:
        own["questions"] = brief(grade["questions"])
    return {**own, "run": run, "checks": checks, "likeness": grade.get("likeness", {})}


def brief(questions: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The key `questions` without what a cohort's page does not need."""
    return [{name: question[name] for name in _SHOWN} for question in questions]


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, and onto the disk before this returns.

    Raises:
        OSError: there is no room, for one; what was there before still is.
    """
    partial = path.with_name(f".{path.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink()
        raise


def _rows(
    grades: Iterable[Mapping[str, Any]], techniques: Sequence[str], questions: Sequence[str]
) -> Iterable[Sequence[object]]:
    for grade in grades:
        judged = grade["outcome"] == "judged"
        points = [grade["techniques"].get(name, {}).get("points", "") for name in techniques]
        yield [
            shown_cell(grade["submission"]),
            grade["outcome"],
            grade["points"] if judged else "",
            grade["max_points"],
            *(points if judged else [""] * len(points)),
            *(_marked_cells(grade, questions) if questions else ()),
            *_total_cells(grade),
        ]


def _marked_cells(grade: Mapping[str, Any], questions: Sequence[str]) -> Iterator[object]:
    found = {question["id"]: question for question in _questions(grade)}
    for name in questions:
        yield found[name]["points"] if name in found and not unmarked(found[name]) else ""
    marked = marked_points(_questions(grade))
    yield "" if marked is None else marked


def _total_cells(grade: Mapping[str, Any]) -> Iterator[object]:
    final = grade.get("final") or {"points": None, "max_points": "", "held_back": ""}
    yield "" if final["points"] is None else final["points"]
    yield final["max_points"]
    yield final["held_back"]
