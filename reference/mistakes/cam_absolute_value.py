"""Takes the absolute value of the weighted sum instead of its ReLU.

Technique: class_activation_maps
Hint: set negative values of the weighted sum to 0, as in max(0, x); their size says what speaks
    against the class.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    return np.asarray(abs(features @ gradients.mean(axis=(0, 1))))
