"""Returns zeros everywhere.

Technique: class_activation_maps
Hint: compute the map from activations and gradients; look for a gradient that is None or zero.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    return np.zeros(image.shape[:2])
