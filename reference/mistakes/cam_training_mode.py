"""Runs the network in training mode: dropout is on.

Technique: class_activation_maps
Hint: call the network with training=False.
"""

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image, linear_copy


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    network = linear_copy(model, modifier)
    outputs = [network.get_layer(layer_name).output, network.outputs[0]]
    with tf.GradientTape() as tape:
        batch = [model.preprocess_input(image[np.newaxis])]
        features, scores = keras.Model(network.inputs, outputs)(batch, training=True)
        score = scores[0, class_index]
    weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2))
    return np.asarray(tf.nn.relu(tf.einsum("nhwc,nc->hw", features, weights)))
