"""Divides the pixels by 255, whatever the network was trained on.

Technique: class_activation_maps
Kind: input
Hint: call model.preprocess_input instead of a scaling of your own: each network has its own.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    batch = image[np.newaxis] / np.float32(255)
    features, gradients = activations_and_gradients(
        model, image, class_index, layer_name, modifier, batch=batch
    )
    return relu(features @ gradients.mean(axis=(0, 1)))
