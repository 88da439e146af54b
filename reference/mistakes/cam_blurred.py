"""Blurs the map after it has been enlarged.

Technique: class_activation_maps
Kind: presentation
Hint: enlarge the map to the size of the image, and do not smooth it beyond that.
"""

import keras
import numpy as np
from scipy.ndimage import gaussian_filter

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, enlarged


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    width = min(image.shape[:2]) / 8
    return np.asarray(gaussian_filter(enlarged(heatmap, image), width))
