"""Sets all that is below half of the maximum to zero.

Technique: class_activation_maps
Kind: presentation
Hint: return the whole map; cut it only where you draw it.
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
    return np.where(heatmap >= heatmap.max() / 2, heatmap, 0)
