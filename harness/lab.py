"""The lab file: models, images, cases, checks, questions and limits, validated when it is read.

Structure is held against `lab.schema.json` by `harness.structure`; this module adds what a schema
cannot say (files that must exist, names that must refer to something) and words every error for a
person: file, line, key, what was found, what is allowed. What the arguments of a case and the
threshold of a check mean is known to the techniques (`harness.techniques.validate`).
"""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from harness.errors import LabError, suggest
from harness.models import DAMAGED_ZIP, ModelSpec, read_classes
from harness.policy import KEYS as POLICY_KEYS
from harness.policy import Policy, read_policy
from harness.questions import Question, read_questions
from harness.structure import validate_structure
from harness.yamlfile import Place, YamlFile, read_yaml

_CASE_KEYS = ("id", "model", "hidden", "sweep", "repeat")


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        case_seconds: wall time of one case.
        submission_seconds: wall time of all cases.
        cpu_seconds: processor time of all cases, over all threads.
        memory_mb: address space, of which TensorFlow needs 2000.
        threads: at once; TensorFlow needs 16.
        output_mb: what one case may return.
        total_output_mb: what all cases may return.
        disk_mb: what it may write to its work folder.
        disk_files: how many files and folders it may make there.
    """

    case_seconds: float = 30.0
    submission_seconds: float = 300.0
    memory_mb: int = 8192
    output_mb: int = 64
    cpu_seconds: float = 900.0
    threads: int = 128
    total_output_mb: int = 1024
    disk_mb: int = 256
    disk_files: int = 2000


@dataclass(frozen=True)
class LabImage:
    """An image and the objects known to be in it: class name and mask file (or None)."""

    name: str
    file: Path
    objects: tuple[tuple[str, Path | None], ...] = ()

    def pixels(self) -> npt.NDArray[np.uint8]:
        """The image as loaded from disk: uint8, (H, W, 3), or (H, W, 1) for a grey file.

        Raises:
            LabError: the file is not an image.
        """
        return _read_once(self.file, self.file.stat().st_mtime_ns)


@dataclass(frozen=True)
class Case:
    """One call of one contract function; `group` is the sweep it belongs to, or its own id.

    `again` is the second call of a repetition.
    """

    id: str
    function: str
    model: str
    arguments: Mapping[str, Any]
    group: str
    hidden: bool = False
    place: Place = ()
    again: bool = False


@dataclass(frozen=True)
class Check:
    """A metric, its thresholds and points over some cases (None: every case it applies to)."""

    id: str
    metric: str
    points: float
    threshold: Mapping[str, float]
    cases: tuple[str, ...] | None
    place: Place = ()


@dataclass(frozen=True)
class Lab:
    """What is graded."""

    source: YamlFile
    title: str
    models: Mapping[str, ModelSpec]
    images: Mapping[str, LabImage]
    datasets: Mapping[str, Path]
    cases: tuple[Case, ...]
    checks: tuple[Check, ...]
    questions: tuple[Question, ...] = ()
    limits: Limits = field(default_factory=Limits)
    policy: Policy = field(default_factory=Policy)
    pass_mark: float = 0.5
    language: str = "en"
    kit: str = ""
    reference: Path | None = None
    golden: Path | None = None
    calibration: Path | None = None
    public_lab: Lab | None = None

    @property
    def folder(self) -> Path:
        """The folder of the lab file; paths in it are relative to this."""
        return self.source.path.parent

    def digest(self) -> str:
        """SHA-256 of what is graded and how: the lab file's content, not its comments.

        What is done with the points afterwards is not part of it.
        """
        aside = (*POLICY_KEYS, "kit")
        judged = {k: v for k, v in self.source.data.items() if k not in aside}
        text = json.dumps(judged, sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()

    def dataset(self, name: str) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Images (n, H, W, C) uint8 and labels (n,) int of a data set.

        Raises:
            LabError: the file does not hold them.
        """
        path = self.datasets[name]
        return _read_dataset(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=16)
def _read_dataset(path: Path, time_ns: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A data set as it was at that time, not to be written to; cases share it."""
    images, labels = read_dataset(path)
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


def read_dataset(path: Path) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Images (n, H, W, C) uint8 and labels (n,) int of a data set's file.

    Raises:
        LabError: the file does not hold them.
    """
    try:
        # Opened here, because np.load leaves a damaged file open.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as stored:
            images, labels = stored["images"], stored["labels"]
    # A file with a single array, .npy, comes without the `with`: a TypeError or AttributeError.
    except (*DAMAGED_ZIP, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LabError(
            f"{path}: expected an .npz file with arrays 'images' and 'labels' ({error})"
        ) from None
    return images, labels


@functools.lru_cache(maxsize=256)
def _read_once(path: Path, time_ns: int) -> npt.NDArray[np.uint8]:
    """An image as it was at that time, not to be written to; cases share them."""
    pixels = read_image(path)
    pixels.flags.writeable = False
    return pixels


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Read an image file: uint8, (H, W, 3), or (H, W, 1) for a grey file.

    Raises:
        LabError: the file is not an image.
    """
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image if image.mode in ("L", "RGB") else image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as error:  # Pillow's word for a broken PNG
        raise LabError(f"{path}: not an image that can be read ({error})") from None
    return pixels[..., None] if pixels.ndim == 2 else pixels


def read_lab(path: Path, files: Sequence[Path] = ()) -> Lab:
    """Read and validate a lab file.

    Args:
        path: the file.
        files: further folders that its files may lie in, as its owner says.

    Raises:
        LabError: with file, line, key, what was found and what is allowed.
    """
    source = read_yaml(path, files)
    validate_structure(source)
    data, base = source.data, path.parent
    models = {name: _model(source, name, entry) for name, entry in data["models"].items()}
    return Lab(
        source=source,
        title=data["title"],
        models=models,
        images={name: _image(source, name, entry) for name, entry in data["images"].items()},
        datasets={
            name: _existing(source, ("datasets", name, "file"), entry["file"])
            for name, entry in data.get("datasets", {}).items()
        },
        cases=tuple(_cases(source, models)),
        checks=tuple(_checks(source)),
        questions=read_questions(source),
        limits=Limits(**data.get("limits", {})),
        policy=read_policy(source),
        pass_mark=data.get("pass_mark", 0.5),
        language=data.get("language", "en"),
        kit=data.get("kit", ""),
        # A checkout's: nothing of it is given to a submission or shown, it is only run.
        reference=base / data["reference"] if "reference" in data else None,
        golden=source.beside(("golden",), data["golden"]) if "golden" in data else None,
        calibration=(
            source.beside(("calibration",), data["calibration"]) if "calibration" in data else None
        ),
        public_lab=_public_lab(source),
    )


def _public_lab(source: YamlFile) -> Lab | None:
    """The lab whose models and images students have at home, where all cases here are hidden.

    It may lie anywhere, as a hidden set is drawn into a folder apart; its files lie in its own.
    """
    if "public_lab" not in source.data:
        return None
    name, base = source.data["public_lab"], source.path.parent
    if not (base / name).is_file():
        raise source.error(("public_lab",), _missing(name, base))
    lab = read_lab(base / name, source.allowed)
    if lab.public_lab is not None:
        raise source.error(("public_lab",), f"{lab.source.path} has a public_lab itself")
    return lab


def _existing(source: YamlFile, place: Place, name: str) -> Path:
    """The file of that name beside the lab file; an error that names the place if there is none."""
    path = source.beside(place, name)
    if not path.is_file():
        raise source.error(place, _missing(name, source.path.parent))
    return path


def _missing(name: str, folder: Path) -> str:
    return f"no file {name!r} in {folder}; names here are relative to it"


def _image(source: YamlFile, name: str, entry: Mapping[str, Any]) -> LabImage:
    place: Place = ("images", name)
    objects = []
    for index, item in enumerate(entry.get("objects", [])):
        mask = item.get("mask")
        at = (*place, "objects", index, "mask")
        objects.append((item["class"], _existing(source, at, mask) if mask else None))
    return LabImage(name, _existing(source, (*place, "file"), entry["file"]), tuple(objects))


def _model(source: YamlFile, name: str, entry: Mapping[str, Any]) -> ModelSpec:
    place: Place = ("models", name)
    if ("file" in entry) == ("application" in entry):
        raise source.error(
            place,
            "expected either 'file' (a .keras file) or 'application' (a name of "
            f"keras.applications), found {', '.join(entry)}",
        )
    if "classes" not in entry:
        raise source.error(place, "'classes' is missing: a JSON file of [id, name] per output")
    if "application" in entry and "weights" not in entry:
        raise source.error(place, "'weights' is missing: 'imagenet', or a weights file")
    files = {
        key: _existing(source, (*place, key), entry[key])
        for key in ("file", "classes", "weights")
        if key in entry and entry[key] != "imagenet"
    }
    try:
        spec = ModelSpec(
            name=name,
            preprocessing=entry["preprocessing"],
            classes=read_classes(files["classes"]),
            file=files.get("file"),
            application=entry.get("application"),
            weights=str(files.get("weights", "imagenet")) if "weights" in entry else None,
        )
        spec.layer_names()  # a damaged file is found now, not by every submission
    except LabError as error:
        raise source.error(place, str(error)) from None
    return spec


def _cases(source: YamlFile, models: Mapping[str, ModelSpec]) -> Iterator[Case]:
    seen: dict[tuple[str, str], Place] = {}
    for function, entries in source.data["cases"].items():
        for index, entry in enumerate(entries):
            place: Place = ("cases", function, index)
            if entry["model"] not in models:
                raise source.error(
                    (*place, "model"),
                    f"no model {entry['model']!r}; {suggest(entry['model'], models)}",
                )
            for case in _expand(function, entry, place):
                if (function, case.id) in seen:
                    raise source.error(place, f"case id {case.id!r} is used twice; rename one")
                seen[function, case.id] = place
                yield case


def _expand(function: str, entry: Mapping[str, Any], place: Place) -> Iterator[Case]:
    """One case, one per value of its sweep, or two for a repetition."""
    arguments = {key: value for key, value in entry.items() if key not in _CASE_KEYS}
    hidden = entry.get("hidden", False)
    if "sweep" not in entry:
        group = entry["id"]
        yield Case(group, function, entry["model"], arguments, group, hidden, place)
        if entry.get("repeat"):
            again = f"{group}-again"
            yield Case(again, function, entry["model"], arguments, group, hidden, place, again=True)
        return
    [(parameter, values)] = entry["sweep"].items()
    for value in values:
        identifier = f"{entry['id']}-{parameter.split('_')[0]}{value}"
        swept = {**arguments, parameter: value}
        yield Case(identifier, function, entry["model"], swept, entry["id"], hidden, place)


def _checks(source: YamlFile) -> Iterator[Check]:
    seen: set[str] = set()
    for index, entry in enumerate(source.data["checks"]):
        place: Place = ("checks", index)
        if entry["id"] in seen:
            raise source.error(place, f"check id {entry['id']!r} is used twice; rename one")
        seen.add(entry["id"])
        cases = tuple(entry["cases"]) if "cases" in entry else None
        threshold = entry.get("threshold", {})
        yield Check(entry["id"], entry["metric"], entry["points"], threshold, cases, place)
