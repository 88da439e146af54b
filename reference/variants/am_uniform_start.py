"""Starts from uniform noise over the whole input range; a linear copy of the network.

Technique: activation_maximization
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.submission import *  # noqa: F403


def _variation(x: tf.Tensor) -> tf.Tensor:
    down = tf.reduce_mean((x[:, 1:] - x[:, :-1]) ** 2)
    across = tf.reduce_mean((x[:, :, 1:] - x[:, :, :-1]) ** 2)
    return down + across


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    low, high = model.input_range
    linear = keras.models.clone_model(model)
    linear.set_weights(model.get_weights())
    linear.layers[-1].activation = keras.activations.linear
    network = keras.Model(linear.inputs, linear.get_layer(layer_name).output)
    start = np.random.default_rng(seed).uniform(low, high, (1, *model.inputs[0].shape[1:]))
    image = tf.Variable(start.astype("float32"))

    def step(rate: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            output = network([image], training=False)
            scores = [tf.reduce_mean(output[..., index]) for index in filter_indices]
            loss = tv_weight * _variation((image - low) / (high - low)) - tf.add_n(scores)
        gradient = tape.gradient(loss, image)
        gradient /= tf.math.reduce_std(gradient) + 1e-12
        image.assign(tf.clip_by_value(image - rate * (high - low) * gradient, low, high))

    compiled = tf.function(step)
    for rate in np.linspace(0.1, 0.005, 300, dtype="float32"):
        compiled(tf.constant(rate))
    return np.asarray(image[0])
