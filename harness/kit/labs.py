"""A copy of a lab that leaves the house: all of it for a grader, the public part for students.

The reference never goes along. The public part has no hidden case, nor an image, data set, model,
golden output or threshold that only hidden cases have, nor anybody's extension.
"""

from __future__ import annotations

import copy
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from harness import calibrated, diagnosis, golden, techniques
from harness.disclosure import public, public_datasets, public_images, public_models
from harness.errors import UsageError
from harness.grading import open_lab
from harness.lab import Case, Check, Lab, LabImage, read_lab
from harness.models import ModelSpec

FILE = "lab.yaml"
_LEFT_HOME = (
    "reference",
    "public_lab",
    "golden",
    "calibration",
    "models",
    "images",
    "datasets",
    "kit",
)


def copy_public(lab: Lab, folder: Path) -> Lab:
    """Write the part of a lab that students may have into a new folder, and open it.

    Raises:
        UsageError: nothing of it is public.
        GoldenError: golden outputs are missing, damaged or stale.
        LabError: the calibration is.
    """
    return _write(lab.public_lab or lab, folder, public_only=True)


def copy_whole(lab: Lab, folder: Path) -> Lab:
    """Write a lab as another machine's grader needs it, hidden cases included, and open it.

    Raises:
        GoldenError: golden outputs are missing, damaged or stale.
        LabError: the calibration is.
    """
    return _write(lab, folder, public_only=False)


def _write(lab: Lab, folder: Path, *, public_only: bool) -> Lab:
    cases = public(lab.cases) if public_only else lab.cases
    if not cases:
        raise UsageError(f"{lab.source.path}: all cases are hidden, and it names no public_lab")
    folder.mkdir(parents=True)
    data = _described(lab, cases)
    models = public_models(lab) if public_only else lab.models.values()
    images = public_images(lab) if public_only else lab.images.values()
    sets = public_datasets(lab) if public_only else lab.datasets.items()
    copier = _Copier(lab.folder.resolve(), folder)
    data["models"] = {one.name: copier.model(lab.source.data, one) for one in models}
    data["images"] = {one.name: copier.image(one) for one in images}
    data["datasets"] = {name: {"file": copier.file(file)} for name, file in sets}
    if not public_only:
        data |= _for_graders(lab, data, copier)
    if lab.calibration is not None:
        data["calibration"] = "calibration"
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)
    (folder / FILE).write_text(text, "utf-8")
    written = read_lab(folder / FILE)
    golden.write_part(lab, written)
    if lab.calibration is not None:
        _write_calibration(lab, written)
    return open_lab(folder / FILE)


def _for_graders(lab: Lab, data: dict[str, Any], copier: _Copier) -> dict[str, Any]:
    """What only a grader's copy has: the table of extensions, and the students' lab."""
    found: dict[str, Any] = {}
    if "extensions" in lab.source.data.get("late", {}):
        file = copier.file(lab.folder / lab.source.data["late"]["extensions"])
        found["late"] = {**data["late"], "extensions": file}
    if lab.public_lab is not None:
        _write(lab.public_lab, copier.folder / "public", public_only=False)
        found["public_lab"] = f"public/{FILE}"
    return found


@dataclass(frozen=True)
class _Copier:
    """Copies files of a lab to where they lie beside the lab file, or to `files/`."""

    source: Path
    folder: Path

    def file(self, path: Path) -> str:
        """Copy a file; its name beside the new lab file."""
        path = path.resolve()
        if path.is_relative_to(self.source):
            name = path.relative_to(self.source).as_posix()
        else:
            name = f"files/{hashlib.sha256(str(path).encode()).hexdigest()[:8]}-{path.name}"
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
        return name

    def model(self, data: Mapping[str, Any], spec: ModelSpec) -> dict[str, Any]:
        """Copy a model's files; its entry."""
        entry = dict(data["models"][spec.name])
        for key in ("file", "classes", "weights"):
            if key in entry and entry[key] != "imagenet":
                entry[key] = self.file(self.source / entry[key])
        return entry

    def image(self, image: LabImage) -> dict[str, Any]:
        """Copy an image and its masks; its entry."""
        objects = [
            {"class": name} | ({"mask": self.file(mask)} if mask else {})
            for name, mask in image.objects
        ]
        return {"file": self.file(image.file)} | ({"objects": objects} if objects else {})


def _write_calibration(lab: Lab, part: Lab) -> None:
    """Thresholds of the part's checks, and what mistakes do on its cases."""
    assert part.calibration is not None
    found = calibrated.load(lab)
    checks = {
        check.id: {name for name, _ in techniques.selected(part, check)} for check in part.checks
    }
    thresholds = {
        check: {name: {"threshold": value} for name, value in values.items()}
        for check, values in found.thresholds.items()
        if check in checks
    }
    known = []
    for mistake in found.known:
        failures = {
            key: failure
            for key, failure in mistake.failures.items()
            if key.partition("/")[2] in checks.get(key.partition("/")[0], ())
        }
        if failures:
            known.append(replace(mistake, failures=failures))
    part.calibration.mkdir()
    diagnosis.save(known, part.calibration)
    text = yaml.safe_dump({"thresholds": thresholds}, sort_keys=False)
    (part.calibration / calibrated.FILE).write_text(text, "utf-8")


def _described(lab: Lab, cases: Sequence[Case]) -> dict[str, Any]:
    """What the lab file says, of these cases alone, without files."""
    data = copy.deepcopy(lab.source.data)
    for name in _LEFT_HOME:
        data.pop(name, None)
    data.get("late", {}).pop("extensions", None)
    kept = {case.place[1:] for case in cases}
    data["cases"] = {
        function: chosen
        for function, entries in data["cases"].items()
        if (chosen := [one for index, one in enumerate(entries) if (function, index) in kept])
    }
    named = {check.id: _names(lab, check, cases) for check in lab.checks}
    data["checks"] = [
        {**entry, "cases": named[entry["id"]]} if "cases" in entry else entry
        for entry in data["checks"]
        if named[entry["id"]]
    ]
    return {**data, "golden": "golden"}


def _names(lab: Lab, check: Check, cases: Sequence[Case]) -> list[str]:
    """What a check judges among these cases."""
    keys = {techniques.key(case) for case in cases}
    return [
        name
        for name, group in techniques.selected(lab, check)
        if all(techniques.key(case) in keys for case in group)
    ]
