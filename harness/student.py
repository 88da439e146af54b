"""What students import at home: the lab's models and images, the same objects that are graded.

::

    from harness.student import load_dataset, load_image, load_model

    model = load_model("objects")
    image = load_image("soccer01")
    images, labels = load_dataset("digits")

At home they come from the lab file that is nearest upward from the current folder. In a graded run
only the materials that the run was given are there, and the same lines work.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness import models
from harness.errors import UsageError, suggest
from harness.finding import own_lab
from harness.lab import read_dataset, read_image, read_lab

if TYPE_CHECKING:
    import keras

MATERIALS_VARIABLE = "HARNESS_MATERIALS"


def load_model(name: str) -> keras.Model:
    """A model of the lab: `keras.Model` with `preprocess_input` and its companions.

    Raises:
        UsageError: the lab has no model of that name.
    """
    specs = _materials()["models"]
    if name not in specs:
        raise UsageError(f"no model {name!r}; {suggest(name, specs)}")
    return models.load_model(models.ModelSpec.from_json(specs[name]))


def load_image(name: str) -> npt.NDArray[np.uint8]:
    """An image of the lab as loaded from disk: uint8, (H, W, 3), or (H, W, 1) for a digit.

    Raises:
        UsageError: the lab has no image of that name.
    """
    files = _materials()["images"]
    if name not in files:
        raise UsageError(f"no image {name!r}; {suggest(name, files)}")
    return read_image(Path(files[name]))


def load_dataset(name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """A data set of the lab: images, uint8 (n, H, W, C), and their labels, (n,) from 0.

    Raises:
        UsageError: the lab has no data set of that name.
    """
    files = _materials()["datasets"]
    if name not in files:
        raise UsageError(f"no data set {name!r}; {suggest(name, files)}")
    return read_dataset(Path(files[name]))


def _materials() -> Mapping[str, Any]:
    if folder := os.environ.get(MATERIALS_VARIABLE):
        stored: dict[str, Any] = json.loads(Path(folder, "materials.json").read_text("utf-8"))
        return stored
    lab = read_lab(own_lab(Path.cwd()))
    return {
        "models": {name: spec.to_json() for name, spec in lab.models.items()},
        "images": {name: str(image.file) for name, image in lab.images.items()},
        "datasets": {name: str(file) for name, file in lab.datasets.items()},
    }
