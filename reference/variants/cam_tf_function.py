"""Compiled as a whole by tf.function, resize and division by the maximum included.

Technique: class_activation_maps
Golden: yes
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
    both = keras.Model(network.inputs, outputs)

    def heatmaps(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            features, scores = both([batch], training=False)
            score = tf.reduce_sum(scores * tf.one_hot(class_index, scores.shape[-1]))
        weights = tf.reduce_mean(tape.gradient(score, features), axis=(1, 2), keepdims=True)
        maps = tf.nn.relu(tf.reduce_sum(features * weights, axis=-1, keepdims=True))
        return tf.image.resize(tf.math.divide_no_nan(maps, tf.reduce_max(maps)), image.shape[:2])

    batch = tf.constant(model.preprocess_input(image[np.newaxis]))
    return np.asarray(tf.function(heatmaps)(batch)[0, :, :, 0])
