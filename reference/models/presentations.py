"""Whether a heatmap is the same to the harness however it is presented.

Correct maps are enlarged by many libraries, with the ReLU before or after; a few maps come out so
differently that no threshold tells that from a mistake. Such a map is no fair question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from scipy.interpolate import RectBivariateSpline
from scipy.ndimage import map_coordinates, zoom
from skimage.transform import resize

from harness.metrics.heatmaps import measure, to_grid
from harness.metrics.room import least_room
from reference.variants._cam import relu

Map = NDArray[Any]
Size = tuple[int, int]
# What every presentation reaches against one that is accepted: more than grading asks for.
AGREEMENT = {"iou": 0.7, "soft_iou": 0.75, "similarity": 0.94, "correlation": 0.95}


def fairness(signed: Map, size: Size) -> float:
    """How far the worst presentation of a map is above `AGREEMENT` with its nearest accepted one.

    Args:
        signed: (h, w), the weighted sum before the ReLU.
        size: height and width of the image.

    Returns:
        at most 1; below 0 where some correct presentation agrees too little.
    """
    height, width = signed.shape
    accepted = [to_grid(heatmap, (height, width)) for heatmap in _accepted(signed, size)]
    shown = [to_grid(heatmap, (height, width)) for heatmap in _presented(signed, size)]
    return min(
        max(least_room(measure(heatmap, golden), AGREEMENT) for golden in accepted)
        for heatmap in shown
    )


def _accepted(signed: Map, size: Size) -> Iterator[Map]:
    """Presentations like those of the variants that are golden."""
    positive = relu(signed)
    yield positive
    fine = [np.linspace(0, a - 1, b) for a, b in zip(signed.shape, size, strict=True)]
    yield map_coordinates(positive, np.meshgrid(*fine, indexing="ij"), order=1)
    places = [np.arange(length) for length in signed.shape]
    yield relu(RectBivariateSpline(*places, positive, kx=3, ky=3)(*fine))
    yield _zoomed(3)(positive, size)
    for last in (_tensorflow("bilinear"), _tensorflow("bicubic"), _zoomed(3)):
        yield relu(last(signed, size))


def _presented(signed: Map, size: Size) -> Iterator[Map]:
    """Presentations that libraries make, with the ReLU before and after."""
    ways = [_pillow(how) for how in ("BILINEAR", "BICUBIC", "LANCZOS")]
    ways += [_skimage(order) for order in (1, 3)]
    ways += [_zoomed(order) for order in (1, 3, 5)]
    for enlarge in ways:
        yield relu(enlarge(relu(signed), size))
        yield relu(enlarge(signed, size))


def _pillow(how: str) -> Callable[[Map, Size], Map]:
    method = Image.Resampling[how]
    return lambda heatmap, size: np.asarray(
        Image.fromarray(heatmap.astype("float32")).resize(size[::-1], method)
    )


def _skimage(order: int) -> Callable[[Map, Size], Map]:
    return lambda heatmap, size: np.asarray(resize(heatmap, size, order=order, anti_aliasing=False))


def _zoomed(order: int) -> Callable[[Map, Size], Map]:
    return lambda heatmap, size: np.asarray(
        zoom(heatmap, [b / a for a, b in zip(heatmap.shape, size, strict=True)], order=order)
    )


def _tensorflow(method: str) -> Callable[[Map, Size], Map]:
    return lambda heatmap, size: np.asarray(
        tf.image.resize(heatmap[..., None], size, method=method)
    )[..., 0]
