"""The models of a lab: what is known without TensorFlow, and loading them with it.

A loaded model is a plain `keras.Model` ending in softmax that also carries, as the modules of
`keras.applications` do, `preprocess_input`, `decode_predictions` and `input_range`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import LabError, suggest

if TYPE_CHECKING:
    import keras

# What `zipfile` raises on a damaged file; RuntimeError is its word for what it cannot decompress.
DAMAGED_ZIP = (OSError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error)
# Means of ImageNet's channels in the order blue, green, red (He et al. and VGG's release).
_CAFFE_MEANS = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class Preprocessing:
    """How uint8 pixels become network input, named as in `keras.applications.imagenet_utils`."""

    apply: Callable[[Any], Any]
    input_range: tuple[float, float]


PREPROCESSINGS: Mapping[str, Preprocessing] = {
    "unit": Preprocessing(lambda batch: batch / 255.0, (0.0, 1.0)),
    "tf": Preprocessing(lambda batch: batch / 127.5 - 1.0, (-1.0, 1.0)),
    "caffe": Preprocessing(
        lambda batch: batch[..., ::-1] - np.array(_CAFFE_MEANS, "float32"),
        (-max(_CAFFE_MEANS), 255.0 - min(_CAFFE_MEANS)),
    ),
}


@dataclass(frozen=True)
class ModelSpec:
    """One model of the lab, as `lab.yaml` declares it.

    Attributes:
        name: its name in the lab.
        preprocessing: a key of `PREPROCESSINGS`.
        classes: (WordNet-like id, name) of each output, in the order of the outputs.
        file: the `.keras` file, or None for an application.
        application: a name of `keras.applications` such as `VGG16`, or None for a file.
        weights: for an application: `imagenet`, or the path of a weights file.
    """

    name: str
    preprocessing: str
    classes: tuple[tuple[str, str], ...]
    file: Path | None = None
    application: str | None = None
    weights: str | None = None

    def class_index(self, name: str) -> int:
        """The output that stands for a class name.

        Raises:
            LabError: no class has that name.
        """
        names = [known for _, known in self.classes]
        if name not in names:
            raise LabError(f"model {self.name!r} has no class {name!r}; {suggest(name, names)}")
        return names.index(name)

    def layer_names(self) -> tuple[str, ...] | None:
        """Names of the layers read from the file's configuration; None for an application.

        Raises:
            LabError: the file is not a Keras model.
        """
        if self.file is None:
            return None
        try:
            written = self.file.stat().st_mtime_ns
        except OSError:
            written = 0  # reading it will say what is wrong
        return _layers_of(self.file, written)

    def source(self) -> Path | None:
        """The file that its values come from; None for weights that Keras downloads."""
        if self.file is not None or self.weights in (None, "imagenet"):
            return self.file
        return Path(self.weights)

    def content(self) -> str:
        """What tells its values from others: the SHA-256 of their file, or `imagenet`."""
        source = self.source()
        return hashlib.sha256(source.read_bytes()).hexdigest() if source else str(self.weights)

    def to_json(self) -> dict[str, Any]:
        """All that a child needs to load the model."""
        return {
            "name": self.name,
            "preprocessing": self.preprocessing,
            "classes": [list(pair) for pair in self.classes],
            "file": str(self.file) if self.file else None,
            "application": self.application,
            "weights": self.weights,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ModelSpec:
        """Read what `to_json` wrote."""
        return cls(
            name=data["name"],
            preprocessing=data["preprocessing"],
            classes=tuple((pair[0], pair[1]) for pair in data["classes"]),
            file=Path(data["file"]) if data["file"] else None,
            application=data["application"],
            weights=data["weights"],
        )


@lru_cache(maxsize=64)
def _layers_of(file: Path, time_ns: int) -> tuple[str, ...]:
    """Names of the layers that a file had at that time."""
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
        return tuple(layer["config"]["name"] for layer in config["config"]["layers"])
    except (*DAMAGED_ZIP, KeyError, TypeError, ValueError) as error:
        raise LabError(
            f"{file} is not a Keras model: expected the .keras file that model.save() "
            f"writes ({type(error).__name__}: {error}); save it again, or name another file"
        ) from None


def read_classes(path: Path) -> tuple[tuple[str, str], ...]:
    """Read class names: a JSON list of [id, name] in the order of the outputs.

    The layout of Keras' own `imagenet_class_index.json`, {"0": [id, name], …}, is read too.

    Raises:
        LabError: the file cannot be read or has another layout.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
        if isinstance(data, dict):
            data = [data[str(index)] for index in range(len(data))]
        return tuple((str(identifier), str(name)) for identifier, name in data)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path}: expected a JSON list of [id, name] in the order of the model's outputs "
            f"({type(error).__name__}: {error})"
        ) from None


def load_model(spec: ModelSpec) -> keras.Model:
    """Load a model and attach what `keras.applications` has beside one. Imports TensorFlow."""
    import keras

    if spec.file is not None:
        model = keras.models.load_model(spec.file, compile=False)
    else:
        build = getattr(keras.applications, str(spec.application))
        model = build(weights=spec.weights)
    preprocessing = PREPROCESSINGS[spec.preprocessing]
    model.preprocess_input = lambda batch: preprocessing.apply(_as_float(batch))
    model.decode_predictions = lambda predictions, top=5: decode_predictions(
        np.asarray(predictions), spec.classes, top
    )
    model.input_range = preprocessing.input_range
    return model


def decode_predictions(
    predictions: np.ndarray[Any, Any], classes: Sequence[tuple[str, str]], top: int = 5
) -> list[list[tuple[str, str, float]]]:
    """The `top` most probable classes of each row: (id, name, probability), highest first.

    Args:
        predictions: (n, classes), any float dtype.
        classes: (id, name) of each output.
        top: how many, at most the number of classes.

    Raises:
        ValueError: the predictions have another shape.
    """
    if predictions.ndim != 2 or predictions.shape[1] != len(classes):
        raise ValueError(
            f"decode_predictions expects shape (n, {len(classes)}), got {predictions.shape}"
        )
    order = np.argsort(-predictions, axis=1, kind="stable")[:, :top]
    return [
        [(*classes[index], float(row[index])) for index in indices]
        for row, indices in zip(predictions, order, strict=True)
    ]


def _as_float(batch: Any) -> Any:
    """A float32 copy: preprocessing never changes what it was given."""
    if isinstance(batch, (np.ndarray, list, tuple)):
        return np.array(batch, dtype="float32")
    import keras

    return keras.ops.cast(batch, "float32")
