"""Differentiates with respect to the image: a saliency map, not a class activation map.

Technique: class_activation_maps
Hint: take the gradient with respect to the output of the asked layer, not to the image.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, input_gradients


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    gradients = input_gradients(model, image, class_index, modifier)
    return np.asarray(abs(gradients).max(axis=-1))
