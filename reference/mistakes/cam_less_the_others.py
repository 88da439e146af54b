"""Subtracts the average of all logits from the one asked, as the log of a probability does.

Technique: class_activation_maps
Hint: differentiate the logit of class_index alone; a probability, its log and a difference of
    logits have other gradients.
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
        return logits[class_index] - tf.reduce_mean(logits)

    features, gradients = activations_and_gradients(
        model, image, class_index, layer_name, modifier, score=score
    )
    return relu(features @ gradients.mean(axis=(0, 1)))
