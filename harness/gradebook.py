"""The cohort's results on disk: outputs, `grade.json` and report of each submission, and the CSV.

::

    DIR/index.html  DIR/grades.csv
    DIR/<submission>/grade.json  report.html  outputs/

Each file is written whole or not at all, so a run that is killed loses at most the submissions at
hand, and the next one finds and keeps the rest.
"""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from harness.errors import UsageError
from harness.outputs import Outputs
from harness.results import FORMAT_VERSION, Grade

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

    def save(self, grade: Grade, outputs: Outputs) -> None:
        """Store one submission's outputs, then its grade: a grade always finds its outputs.

        A report of before is taken away, so that no later run keeps it for this grade's.
        """
        folder = self.of(grade.submission)
        fresh = folder / "outputs.partial"
        shutil.rmtree(fresh, ignore_errors=True)
        outputs.save(fresh)
        (folder / "grade.json").unlink(missing_ok=True)
        self.report(grade.submission).unlink(missing_ok=True)
        shutil.rmtree(folder / "outputs", ignore_errors=True)
        fresh.rename(folder / "outputs")
        grade.write(folder / "grade.json")

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
        try:
            return Outputs.load(self.of(name) / "outputs")
        except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
            return None

    def write_csv(self, grades: Sequence[Mapping[str, Any]]) -> Path:
        """Write `grades.csv`: a row per submission, points in all and per technique.

        A submission that could not be judged has empty cells, never a 0.
        """
        techniques = list(dict.fromkeys(name for grade in grades for name in grade["techniques"]))
        path = self.folder / "grades.csv"
        partial = path.with_name(path.name + ".partial")
        with partial.open("w", encoding="utf-8", newline="", errors="backslashreplace") as stream:
            writer = csv.writer(stream)
            writer.writerow(["submission", "outcome", "points", "max_points", *techniques])
            writer.writerows(_rows(grades, techniques))
        partial.replace(path)
        return path


def _rows(
    grades: Iterable[Mapping[str, Any]], techniques: Sequence[str]
) -> Iterable[Sequence[object]]:
    for grade in grades:
        judged = grade["outcome"] == "judged"
        points = [grade["techniques"].get(name, {}).get("points", "") for name in techniques]
        yield [
            plain_cell(grade["submission"]),
            grade["outcome"],
            grade["points"] if judged else "",
            grade["max_points"],
            *(points if judged else [""] * len(points)),
        ]


def plain_cell(text: str) -> str:
    """Text that a spreadsheet shows and never computes."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
