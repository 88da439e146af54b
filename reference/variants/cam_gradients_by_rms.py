"""As keras-vis, gradients divided by their root mean square; map of the layer's size.

Technique: class_activation_maps
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    gradients /= np.sqrt(np.mean(gradients**2)) + 1e-7
    weights = gradients.mean(axis=(0, 1))
    return relu(np.einsum("hwc,c->hw", features, weights))
