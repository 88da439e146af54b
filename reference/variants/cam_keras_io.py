"""As the example on keras.io: sub-model, matrix product, divided by its maximum.

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
    outputs = [network.get_layer(layer_name).output, network.outputs[0]]
    grad_model = keras.models.Model(network.inputs, outputs)
    with tf.GradientTape() as tape:
        features, scores = grad_model([model.preprocess_input(image[np.newaxis])])
        class_channel = scores[:, class_index]
    pooled = tf.reduce_mean(tape.gradient(class_channel, features), axis=(0, 1, 2))
    heatmap = tf.squeeze(features[0] @ pooled[..., tf.newaxis], axis=-1)
    heatmap = tf.maximum(heatmap, 0) / tf.maximum(tf.reduce_max(heatmap), 1e-12)
    return np.asarray(heatmap)
