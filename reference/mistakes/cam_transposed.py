"""Swaps rows and columns of the map.

Technique: class_activation_maps
Kind: presentation
Hint: heatmap[row, column]: the first axis is the height; do not transpose, and give sizes in the
    order a function expects.
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
    return np.asarray(heatmap.T)
