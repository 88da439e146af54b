"""Every page, of a small cohort that is made without TensorFlow.

Whoever adds a page adds it to `PAGES`: it is then opened in a browser and read as HTML with all
others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from small_lab import golden_of, graded, html_of, make_lab

from harness.golden import Golden
from harness.gradebook import Gradebook
from harness.handed_in import HandedIn, Student
from harness.kit.handout import handout
from harness.lab import Lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.policy import LatePolicy, Policy
from harness.report import write_calibration, write_index
from harness.report.of_calibration import (
    CalibrationPage,
    Matrix,
    MatrixCell,
    MatrixLine,
    ThresholdLine,
)
from harness.results import Diagnosis, RunStatus, RunSummary
from harness.written import settled

TRACEBACK = (
    'File "submission.py", line 7, in class_activation_map\n    x = maps[99]\n' + "IndexError"
)
PRINTED = "epoch 1\n" * 60 + "a line that is far too long for a phone " * 12
# Fails in every technique, in the ways there are: wrong, refused, raised, missing, out of shape.
WRONG: Mapping[str, Any] = {
    "top_predictions/top": [["cup", 0.7], ["ball", 0.2], ["<b>racket</b>", 0.1]],
    "layer_activations/layers": {"conv": np.zeros((2, 2)), "dense": np.ones(25)},
    "layer_activations/mean": np.zeros((3, 8, 8, 4)),
    "layer_activations/dominant": np.zeros((3, 8, 8), "int64"),
    "activation_maximization/sweep-tv2": CaseOutput(CaseStatus.TIMED_OUT, message="60 seconds"),
    "activation_maximization/same-again": np.full((32, 32, 3), 0.5),
    "class_activation_maps/racket": 1 - 2 * np.eye(4),
    "class_activation_maps/guided": CaseOutput(
        CaseStatus.RAISED, message="IndexError: 99", traceback=TRACEBACK, seconds=0.1
    ),
    "class_activation_maps/secret": np.zeros((4, 4)),
}
# A day late, with all that a total can be made of.
POLICY = Policy(
    LatePolicy(
        datetime(2026, 12, 4, 23, 59, 59),
        ZoneInfo("Europe/Paris"),
        grace=timedelta(minutes=10),
        percent=10,
        at_most=50,
    ),
    attempts="best",
    step=0.5,
)
HANDED_IN = HandedIn("s", (Student("17"),), datetime(2026, 12, 5, 12, tzinfo=timezone.utc))
_NO_RELU = Diagnosis("no_relu", 0.93, "the weighted sum goes through a ReLU", "method")
_PERCENT = Diagnosis("percent", 0.5, "return probabilities from 0 to 1", "presentation")


@dataclass(frozen=True)
class Cohort:
    """A gradebook with its pages.

    Attributes:
        lab: what is graded.
        book: where the pages are.
        calibration: the calibration's page, beside them.
    """

    lab: Lab
    book: Gradebook
    calibration: Path

    def add(self, grade: Mapping[str, Any], outputs: Outputs, golden: Golden | None = None) -> None:
        """Store a submission and its report, as grading does."""
        html = html_of(self.lab, grade, outputs, golden).encode(errors="backslashreplace")
        self.book.save(grade, html, outputs=outputs.to_bytes(), remembered=b"")

    def write_board(self, *grades: Mapping[str, Any]) -> None:
        """Write the cohort's page and the file that it links to."""
        self.book.write_csv(grades)
        write_index(self.book.index, self.lab, grades)

    @property
    def handout(self) -> Path:
        """The handout, beside the calibration's page."""
        return self.calibration.with_name("handout.html")

    @property
    def files(self) -> list[Path]:
        """All pages."""
        return sorted(self.book.folder.rglob("*.html"))


def empty_cohort(folder: Path, lab: Lab | None = None) -> Cohort:
    """A lab, and a gradebook that nothing is in."""
    lab = lab or make_lab(folder / "lab")
    book = Gradebook(folder / "reports")
    return Cohort(lab, book, book.folder / "calibration.html")


def make_cohort(folder: Path) -> Cohort:
    """Submissions that are right, wrong in every technique, not loaded and not judged."""
    cohort = empty_cohort(folder)
    grades = []
    for grade, outputs in _submissions(cohort.lab):
        grade = settled(replace(cohort.lab, policy=POLICY), grade, HANDED_IN.to_json())
        cohort.add(grade, outputs)
        grades.append(grade)
    cohort.write_board(*grades)
    write_calibration(cohort.calibration, calibration_page())
    text = handout(replace(cohort.lab, policy=POLICY), cohort.lab, golden_of(cohort.lab), "3.12")
    cohort.handout.write_text(text[1], "utf-8")
    return cohort


def _submissions(lab: Lab) -> list[tuple[dict[str, Any], Outputs]]:
    ran = RunSummary(RunStatus.COMPLETED, 3.25, "", ("2 files were left out",), PRINTED)
    error = "SyntaxError: '(' was never closed (submission.py, line 3)"
    unloaded = CaseOutput(CaseStatus.NOT_LOADED, message=error, traceback="submission.py, line 3")
    not_run = CaseOutput(CaseStatus.NOT_RUN, message="the child process did not start")
    keys = list(graded(lab)[1].cases)
    return [
        graded(lab, name="good"),
        graded(
            lab,
            WRONG,
            ran,
            "wrong",
            diagnoses={"class_activation_maps": _NO_RELU, "top_predictions": _PERCENT},
        ),
        graded(
            lab,
            dict.fromkeys(keys, unloaded),
            RunSummary(RunStatus.FAILED_TO_LOAD, 0.5, error),
            "not loaded",
        ),
        graded(
            lab,
            {"class_activation_maps/racket": not_run, "layer_activations/mean": not_run},
            name="émile-not-judged-with-a-long-name_that_does_not_break_anywhere_at_all",
        ),
    ]


def calibration_page() -> CalibrationPage:
    """All that the calibration's page can say."""
    margins = (1.0, 0.62, 0.31, 0.05, None, -0.05, -0.44, -0.71, -1.0)
    cells = tuple(map(MatrixCell, margins))
    lines = (
        MatrixLine("bicubic", "Enlarges by splines.", False, True, "keeps all (least 0.31)", cells),
        MatrixLine("no_relu", "Leaves the ReLU <out>.", True, True, "caught by 4", cells),
        MatrixLine("guided_always", "Guided where not asked.", True, False, "not caught", cells),
    )
    columns = tuple(f"class_activation_maps/case-{number}" for number in range(len(cells)))
    return CalibrationPage(
        title="Deep <networks>",
        counts=("1 of 1 variants keep every point", "1 of 2 mistakes are caught"),
        problems=["guided_always is not caught"],
        notes=["no case tells HiResCAM from Grad-CAM after global average pooling"],
        thresholds=(
            ThresholdLine("maps", "iou", "≥ 0.66", "0.710: bicubic, racket", "none", "1e-06"),
            ThresholdLine("tv", "variation", "≤ 1.6", "1.100: sgd, cat", "2.4: noise, cat", "0"),
        ),
        matrices=(
            Matrix("Class activation maps", columns, lines),
            Matrix("Top predictions", columns[:2], (replace(lines[0], cells=cells[:2]),)),
        ),
    )


def report_of(name: str) -> Callable[[Cohort], Path]:
    """Finds the report of one submission."""
    return lambda cohort: cohort.book.report(name)


# Every page by name, and where a cohort of `make_cohort` has it.
PAGES: Mapping[str, Callable[[Cohort], Path]] = {
    "report, right": report_of("good"),
    "report, wrong": report_of("wrong"),
    "report, not loaded": report_of("not loaded"),
    "report, not judged": report_of(
        "émile-not-judged-with-a-long-name_that_does_not_break_anywhere_at_all"
    ),
    "board": lambda cohort: cohort.book.index,
    "calibration": lambda cohort: cohort.calibration,
    "handout": lambda cohort: cohort.handout,
}
