"""Feeds the pixels from 0 to 255 without preprocessing.

Technique: class_activation_maps
Kind: input
Hint: call model.preprocess_input once on the batch before the network sees it.
"""

import keras
import numpy as np

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    batch = image[np.newaxis].astype("float32")
    features, gradients = activations_and_gradients(
        model, image, class_index, layer_name, modifier, batch=batch
    )
    return relu(features @ gradients.mean(axis=(0, 1)))
