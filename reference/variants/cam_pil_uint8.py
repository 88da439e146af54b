"""Enlarged by Pillow as bytes from 0 to 255, bicubic.

Technique: class_activation_maps
"""

import keras
import numpy as np
import PIL.Image

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Image:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    levels = np.uint8(255 * heatmap / max(float(heatmap.max()), 1e-12))
    size = (image.shape[1], image.shape[0])
    return np.asarray(PIL.Image.fromarray(levels).resize(size, PIL.Image.Resampling.BICUBIC))
