"""Adam on what a sigmoid turns into the image; `tf.image.total_variation` per value.

Technique: activation_maximization
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import linear_copy


def maximize_activation(  # type: ignore[no-redef]
    model: keras.Model,
    layer_name: str,
    filter_indices: Sequence[int],
    tv_weight: float,
    seed: int,
) -> Floats:
    low, high = model.input_range
    network = linear_copy(model)
    keras.utils.set_random_seed(seed)
    hidden = tf.Variable(tf.random.normal((1, *model.inputs[0].shape[1:]), stddev=0.1))
    optimizer = keras.optimizers.Adam(0.1)
    optimizer.build([hidden])

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> None:
        with tf.GradientTape() as tape:
            image = tf.sigmoid(hidden)
            scores = network(low + (high - low) * image)[0]
            variation = tf.reduce_sum(tf.image.total_variation(image)) / float(
                np.prod(hidden.shape)
            )
            loss = tv_weight * variation - tf.reduce_sum(tf.gather(scores, filter_indices))
        optimizer.apply_gradients([(tape.gradient(loss, hidden), hidden)])

    for _ in range(150):
        step()
    return np.asarray(low + (high - low) * tf.sigmoid(hidden)[0], "float32")
