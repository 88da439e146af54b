"""As keras-vis: cubic spline zoom with aligned corners, then min-max.

Technique: class_activation_maps
Golden: yes
"""

import keras
from scipy.ndimage import zoom

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, min_max


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    height, width = image.shape[:2]
    return min_max(zoom(heatmap, (height / heatmap.shape[0], width / heatmap.shape[1])))
