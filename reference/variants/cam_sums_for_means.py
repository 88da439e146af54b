"""Weights are sums over the map instead of means; all logits differentiated at once.

Technique: class_activation_maps
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
    layer = network.get_layer(layer_name)
    batch = [model.preprocess_input(image[np.newaxis])]
    features = keras.Model(network.inputs, layer.output)(batch, training=False)
    head = keras.Model(layer.output, network.outputs[0])
    with tf.GradientTape() as tape:
        tape.watch(features)
        scores = head(features, training=False)
    gradients = tape.jacobian(scores, features)[0, class_index, 0]
    weights = tf.reduce_sum(gradients, axis=(0, 1))
    return np.asarray(tf.nn.relu(tf.linalg.matvec(features[0], weights)))
