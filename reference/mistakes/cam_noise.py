"""Returns noise.

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
    return np.random.default_rng(class_index).random(image.shape[:2])
