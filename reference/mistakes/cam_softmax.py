"""Differentiates the probability after the softmax instead of the logit.

Technique: class_activation_maps
Hint: differentiate the logit: replace the softmax of the last layer by a linear output, or
    recompute the score before it.
"""

import keras
import tensorflow as tf

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    def score(logits: tf.Tensor) -> tf.Tensor:
        return tf.nn.softmax(logits)[class_index]

    features, gradients = activations_and_gradients(
        model, image, class_index, layer_name, modifier, score=score
    )
    return relu(features @ gradients.mean(axis=(0, 1)))
