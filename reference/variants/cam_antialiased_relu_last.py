"""Enlarges the signed map, bicubic with antialiasing; ReLU and maximum follow.

Technique: class_activation_maps
Golden: yes
"""

import keras
import numpy as np
import tensorflow as tf

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    signed = tf.constant(features @ gradients.mean(axis=(0, 1)))[..., None]
    large = tf.image.resize(signed, image.shape[:2], method="bicubic", antialias=True)
    heatmap = relu(np.asarray(large)[..., 0])
    return np.asarray(heatmap / max(float(heatmap.max()), 1e-12))
