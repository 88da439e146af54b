"""How much an image resembles data of the lab: an image of the data is not a maximized one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.lab import read_dataset
from harness.models import PREPROCESSINGS
from harness.techniques.base import Evidence


def resemblance_to_data(item: Evidence) -> float:
    """The largest correlation of the image with any of its case's data, moved by up to a pixel.

    Returns:
        0 to 1; negatives count as well, and 0 stands where there are no data of that shape.
    """
    largest = 0.0
    shifts = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    moved = [np.roll(item.value, shift, (0, 1)) for shift in shifts]
    candidates = _standardised(np.stack(moved)).astype("float32")
    preprocessing = item.lab.models[item.case.model].preprocessing
    for name, file in item.datasets.items():
        images, _ = item.lab.dataset(name)
        if images.shape[1:] == item.value.shape:
            known = _known(file, file.stat().st_mtime_ns, preprocessing)
            largest = max(largest, float(np.abs(candidates @ known.T).max()))
    return min(largest, 1.0)


@lru_cache(maxsize=8)
def _known(file: Path, time_ns: int, preprocessing: str) -> npt.NDArray[np.float32]:
    """The images of a data set as it was at that time, standardised."""
    images, _ = read_dataset(file)
    inputs = PREPROCESSINGS[preprocessing].apply(images.astype("float32"))
    return _standardised(np.asarray(inputs)).astype("float32")


def _standardised(images: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Rows (n, pixels) of mean 0 and norm 1; zeros for a constant image."""
    rows = images.reshape(len(images), -1).astype("float64")
    rows = rows - rows.mean(axis=1, keepdims=True)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(norms, 1e-12))
