"""Enlarged by scikit-image in float64, scaled to 0 to 255.

Technique: class_activation_maps
"""

import keras
import numpy as np
from skimage.transform import resize

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    large = resize(np.float64(heatmap), image.shape[:2])
    return np.asarray(255 * large / max(large.max(), 1e-12))
