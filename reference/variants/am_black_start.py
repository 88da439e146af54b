"""Starts from a nearly black image; Nadam with a cosine schedule.

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
    noise = np.random.default_rng(seed).uniform(0, 0.02, (1, *model.inputs[0].shape[1:]))
    image = tf.Variable(noise.astype("float32"))
    schedule = keras.optimizers.schedules.CosineDecay(0.05, 300)
    optimizer = keras.optimizers.Nadam(schedule)
    optimizer.build([image])

    @tf.function  # type: ignore[untyped-decorator]
    def step() -> None:
        with tf.GradientTape() as tape:
            scores = network(low + (high - low) * image)[0]
            down = tf.reduce_mean(tf.abs(image[:, 1:] - image[:, :-1]))
            across = tf.reduce_mean(tf.abs(image[:, :, 1:] - image[:, :, :-1]))
            loss = tv_weight * (down + across) - tf.reduce_sum(tf.gather(scores, filter_indices))
        optimizer.apply_gradients([(tape.gradient(loss, image), image)])
        image.assign(tf.clip_by_value(image, 0.0, 1.0))

    for _ in range(300):
        step()
    return np.asarray(low + (high - low) * image[0], "float32")
