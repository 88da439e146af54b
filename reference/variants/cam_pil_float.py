"""Enlarged by Pillow in floats, bilinear, and rescaled by minimum and maximum.

Technique: class_activation_maps
"""

import keras
import numpy as np
import PIL.Image

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, min_max


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    size = (image.shape[1], image.shape[0])
    picture = PIL.Image.fromarray(heatmap).resize(size, PIL.Image.Resampling.BILINEAR)
    return min_max(np.asarray(picture))
