"""Weighs as Grad-CAM++ does: positive gradients, each with a weight of its own.

Technique: class_activation_maps
Hint: this lab asks for Grad-CAM: the weight of a channel is the plain average of its gradient.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    squares = gradients**2
    sums = 2 * squares + features.sum(axis=(0, 1)) * gradients**3
    shares = np.divide(squares, sums, out=np.zeros_like(squares), where=sums != 0)
    return relu(features @ (shares * relu(gradients)).sum(axis=(0, 1)))
