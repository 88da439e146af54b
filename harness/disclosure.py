"""What a hidden case may tell, and to whom: decided here, and nowhere else.

Students read of a hidden case its name, its outcome and its hint. A hint is a text of the
harness's, one of a few, with nothing of the case in it. They read nothing else: no message, which
student code may have chosen; no number that was measured, nor one worked out from such numbers; no
seconds, no memory, no traceback, no printed text, no picture; no image, data set or model that
only hidden cases use. A case that the lab does not know, or knows no longer, may have been hidden.

Two rules are kept where things happen, and tried in `tests/test_disclosure.py` with all others: a
process that has seen a hidden case answers no public one, and nothing that it says in words is
shown (`harness.execution.run`); the images and data of hidden cases are never copied to where
student code reads (`harness.execution.staging`, by the lists that this module makes).

In the folder that grading leaves, these are for the instructor only. They hold numbers, texts and
outputs of hidden cases, and no export and no kit hands them on:

- `grade.json`: what was measured of each case, and its message
- `outputs.safetensors`: what each case returned, and what an exception in it said
- `measured.json`: measurements of all cases, and pictures of public ones
- `answers.json`, `marks.json`: answers and marks, with all earlier marks
- `index.html`, `grades.csv`: the whole cohort; nothing of a hidden case but name and outcome

`report.html` is for the student, as is all that `harness export` makes per student.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import techniques
from harness.lab import Case, Lab, LabImage
from harness.models import ModelSpec

# Whether a case (or group of cases) of a technique is hidden: by its name and by the case's id.
Hidden = Callable[[str, str], bool]


def public(cases: Iterable[Case]) -> tuple[Case, ...]:
    """Those of some cases that students may see and run."""
    return tuple(case for case in cases if not case.hidden)


def cases_of(lab: Lab, technique: str, identifier: str) -> list[Case]:
    """The case of that id, or all cases of the group of that id."""
    return [
        case
        for case in lab.cases
        if identifier in (case.id, case.group) and techniques.technique_of(case).name == technique
    ]


def is_hidden(cases: Sequence[Case]) -> bool:
    """Whether the cases behind a result are hidden, or may have been: none is known any more."""
    return not cases or any(case.hidden for case in cases)


def hidden_in(lab: Lab) -> Hidden:
    """Tells hidden cases of grades that were made with this lab."""
    return lambda technique, case: is_hidden(cases_of(lab, technique, case))


def nothing_hidden(technique: str, case: str) -> bool:
    """For grades of `harness check`, which runs public cases only."""
    return False


def everything_hidden(technique: str, case: str) -> bool:
    """For grades of a lab that is not at hand: any case may have been a hidden one."""
    return True


class Secrets:
    """Which cases of stored grades are hidden, as far as a lab tells.

    Args:
        lab: that the grades were made with; None where it is not at hand.
    """

    def __init__(self, lab: Lab | None = None) -> None:
        self._digest = lab.digest() if lab else ""
        self._hidden = hidden_in(lab) if lab else everything_hidden

    def knows(self, lab_digest: str) -> bool:
        """Whether this is the lab of that digest, as a grade has it."""
        return bool(self._digest) and lab_digest.removesuffix("-public") == self._digest

    def of(self, grade: Mapping[str, Any]) -> Hidden:
        """Tells hidden cases of a grade; of another lab's, every case."""
        return self._hidden if self.knows(grade["digests"]["lab"]) else everything_hidden


@dataclass(frozen=True)
class Shown:
    """What may be said of a case, or group of cases, of a check.

    Attributes:
        id: the case's, or the group's.
        hidden: whether it is hidden; it has no more than outcome and hint then.
        outcome: `passed`, `failed` or `not_judged`.
        score: 0 to 1; 0 of a hidden one, so that not even an order tells it.
        measured: numbers by measure.
        threshold: what they were held against.
        message: what was expected and what came.
        hint: what to do next.
    """

    id: str
    hidden: bool
    outcome: str
    score: float
    measured: Mapping[str, Any]
    threshold: Mapping[str, float]
    message: str
    hint: str


def shown(case: Mapping[str, Any], hidden: bool) -> Shown:
    """What may be said of a case.

    Args:
        case: as in `grade.json`.
        hidden: whether it is a hidden one.
    """
    identifier, outcome, hint = case["id"], case["outcome"], case["hint"]
    if hidden:
        return Shown(identifier, True, outcome, 0.0, {}, {}, "", hint)
    numbers = (case["score"], case["measured"], case["threshold"])
    return Shown(identifier, False, outcome, *numbers, case["message"], hint)


def shown_diagnosis(
    grade: Mapping[str, Any], technique: str, hidden: Hidden
) -> Mapping[str, Any] | None:
    """The known mistake that a technique's failures look like, if one was found.

    How sure that is was measured on all failed cases: with a hidden one among them, `confidence`
    is left out.

    Args:
        grade: as in `grade.json`.
        technique: its name.
        hidden: tells hidden cases.
    """
    found: Mapping[str, Any] | None = grade["techniques"][technique]["diagnosis"]
    secret = any(
        case["outcome"] == "failed" and hidden(technique, case["id"])
        for check in grade["checks"]
        if check["technique"] == technique
        for case in check["cases"]
    )
    if found is None or not secret:
        return found
    return {name: value for name, value in found.items() if name != "confidence"}


def quoted(case: Case, message: str, instead: str) -> str:
    """What a grade says of a case that returned nothing that could be judged.

    What an exception says in a hidden case could be the case itself.

    Args:
        case: the case.
        message: what came, in words that a student may have chosen.
        instead: the same in words of the harness's.
    """
    return instead if case.hidden else message


def public_images(lab: Lab) -> list[LabImage]:
    """Images that are not for hidden cases alone: students may have them all."""
    secret = _secret(lab, lambda case: case.arguments.get("image"), _image_files(lab))
    return [image for image in lab.images.values() if image.name not in secret]


def public_datasets(lab: Lab) -> list[tuple[str, Path]]:
    """Data sets that are not for hidden cases alone, and their files."""
    secret = _secret(lab, lambda case: case.arguments.get("dataset"), lab.datasets)
    return [(name, file) for name, file in lab.datasets.items() if name not in secret]


def public_models(lab: Lab) -> list[ModelSpec]:
    """Models that are not for hidden cases alone."""
    files = {name: spec.file for name, spec in lab.models.items() if spec.file}
    secret = _secret(lab, lambda case: case.model, files)
    return [spec for name, spec in lab.models.items() if name not in secret]


def datasets_beside(lab: Lab, case: Case) -> Mapping[str, Path]:
    """Data sets that a case may be held against, by name: a public case against public ones.

    Otherwise its numbers, which students see, would tell of the data of hidden cases.
    """
    return lab.datasets if case.hidden else dict(public_datasets(lab))


def _image_files(lab: Lab) -> dict[str, Path]:
    return {name: image.file for name, image in lab.images.items()}


def _secret(lab: Lab, of: Callable[[Case], Any], files: Mapping[str, Path]) -> set[str]:
    """Names of what hidden cases are about, and no public one; any other name of its file, too."""
    used = {hidden: {of(c) for c in lab.cases if c.hidden is hidden} for hidden in (True, False)}
    alone = used[True] - used[False]
    kept = {files[name].resolve() for name in used[False] if name in files}
    secret = {files[name].resolve() for name in alone if name in files} - kept
    return alone | {
        name for name, file in files.items() if name not in used[False] and file.resolve() in secret
    }


def can_be_copied(lab: Lab) -> str:
    """What its owner is told of a lab without hidden cases; empty for one that has some."""
    if any(case.hidden for case in lab.cases):
        return ""
    return (
        "This lab has no hidden cases: its golden outputs are in the students' kit and can be "
        "copied. Draw a hidden set: harness fixtures new --seed N --out hidden/ "
        "(harness help hidden)"
    )
