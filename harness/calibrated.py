"""What `harness calibrate` found, as grading uses it: thresholds and what known mistakes return.

The lab's `calibration` names a folder with `calibration.yaml`, written by `harness calibrate` for
people to read, and `mistakes/`, what the known mistakes return.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from harness import diagnosis, techniques
from harness.diagnosis import KnownMistake
from harness.errors import LabError, suggest
from harness.lab import Lab
from harness.yamlfile import read_yaml

FILE = "calibration.yaml"
Thresholds = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Calibrated:
    """What calibration left for grading.

    Attributes:
        thresholds: by check and name; they stand where the lab file gives none.
        known: what the known mistakes return.
        digest: SHA-256 of all of it; empty when the lab names no calibration.
    """

    thresholds: Thresholds = field(default_factory=dict)
    known: Sequence[KnownMistake] = ()
    digest: str = ""


def load(lab: Lab) -> Calibrated:
    """Read the lab's calibration; nothing when it names none.

    Raises:
        LabError: it is missing, damaged, or does not fit the lab's checks.
    """
    if lab.calibration is None:
        return Calibrated()
    path = lab.calibration / FILE
    if not path.is_file():
        raise LabError(f"no calibration: {path} is missing; restore it, or run: harness calibrate")
    source = read_yaml(path)
    checks = {check.id: techniques.metric_of(check)[1] for check in lab.checks}
    thresholds: dict[str, dict[str, float]] = {}
    try:
        for check, entries in source.data["thresholds"].items():
            thresholds[check] = {name: float(entries[name]["threshold"]) for name in entries}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabError(
            f"{path}: expected thresholds by check and name ({type(error).__name__}: {error}); "
            "restore it, or run: harness calibrate"
        ) from None
    for check, values in thresholds.items():
        if check not in checks:
            message = f"no check {check!r} in the lab; {suggest(check, checks)}"
            raise source.error(("thresholds", check), message)
        for name in values:
            if name not in checks[check].threshold:
                message = f"unknown threshold {name!r}; {suggest(name, checks[check].threshold)}"
                raise source.error(("thresholds", check, name), message)
    return Calibrated(thresholds, diagnosis.load(lab.calibration), _digest(lab.calibration))


def with_thresholds(lab: Lab, thresholds: Thresholds) -> Lab:
    """The lab with these thresholds where its file gives none."""
    checks = tuple(
        replace(check, threshold={**thresholds.get(check.id, {}), **check.threshold})
        for check in lab.checks
    )
    return replace(lab, checks=checks)


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
