"""Enlarged by linear interpolation between aligned corners, not scaled.

Technique: class_activation_maps
Golden: yes
"""

import keras
import numpy as np
from scipy.ndimage import map_coordinates

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    rows, columns = (
        np.linspace(0, small - 1, large)
        for large, small in zip(image.shape[:2], heatmap.shape, strict=True)
    )
    grid = np.meshgrid(rows, columns, indexing="ij")
    return np.asarray(map_coordinates(heatmap, grid, order=1))
