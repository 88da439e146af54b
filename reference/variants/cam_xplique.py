"""As xplique: bicubic by TensorFlow, not scaled; the network is copied, with a linear output.

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
    with tf.GradientTape() as tape:
        batch = [model.preprocess_input(image[np.newaxis])]
        features, scores = keras.Model(network.inputs, outputs)(batch, training=False)
        score = scores[:, class_index]
    weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
    maps = tf.nn.relu(tf.reduce_sum(weights * features, axis=-1, keepdims=True))
    return np.asarray(tf.image.resize(maps, image.shape[:2], method="bicubic")[0, :, :, 0])
