"""SciPy's L-BFGS-B within bounds, in float64, from uniform noise.

Technique: activation_maximization
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf
from scipy.optimize import minimize

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
    shape = (1, *model.inputs[0].shape[1:])

    @tf.function  # type: ignore[untyped-decorator]
    def compiled(flat: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(flat)
            image = tf.reshape(flat, shape)
            scores = network(low + (high - low) * image)[0]
            down = tf.reduce_mean((image[:, 1:] - image[:, :-1]) ** 2)
            across = tf.reduce_mean((image[:, :, 1:] - image[:, :, :-1]) ** 2)
            loss = tv_weight * (down + across) - tf.reduce_sum(tf.gather(scores, filter_indices))
        return loss, tape.gradient(loss, flat)

    def loss_and_gradient(flat: Floats) -> tuple[float, Floats]:
        loss, gradient = compiled(tf.constant(flat, "float32"))
        return float(loss), np.asarray(gradient, "float64")

    start = np.random.default_rng(seed).uniform(0.4, 0.6, int(np.prod(shape)))
    bounds = [(0, 1)] * len(start)
    options = {"maxiter": 100}
    best = minimize(loss_and_gradient, start, jac=True, bounds=bounds, options=options).x
    return np.asarray(low + (high - low) * best.reshape(shape[1:]), "float32")
