"""Returns a bright spot in the centre, whatever the image.

Technique: class_activation_maps
Hint: compute the map from activations and gradients of this image.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    rows, columns = (np.linspace(-1, 1, size) for size in image.shape[:2])
    return np.exp(-4 * (rows[:, np.newaxis] ** 2 + columns**2))
