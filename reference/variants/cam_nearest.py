"""Enlarged by repeating the nearest value, divided by its maximum.

Technique: class_activation_maps
"""

import keras
import numpy as np

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    heatmap = heatmap / max(float(heatmap.max()), 1e-12)
    rows, columns = (
        np.arange(large) * small // large
        for large, small in zip(image.shape[:2], heatmap.shape, strict=True)
    )
    return np.asarray(heatmap[rows][:, columns])
