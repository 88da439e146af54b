"""Guides the ReLUs of the convolutions, not those of the dense layers after them.

Technique: class_activation_maps
Hint: guide every ReLU between the layer and the logits, those of the dense layers too.
"""

import keras
import tensorflow as tf

from reference.class_activation_maps import guided_relu
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    def partly(x: tf.Tensor) -> tf.Tensor:
        guided = modifier == "guided" and len(x.shape) == 4
        return guided_relu(x) if guided else tf.nn.relu(x)

    features, gradients = activations_and_gradients(
        model, image, class_index, layer_name, relu=partly
    )
    return relu(features @ gradients.mean(axis=(0, 1)))
