"""Takes the softmax off for a moment and puts it back; nothing is copied.

Technique: class_activation_maps
"""

import keras
import numpy as np
import tensorflow as tf

from reference.class_activation_maps import MODIFIERS
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    guided = MODIFIERS[modifier] or keras.activations.relu
    replaced = {"relu": guided, "softmax": keras.activations.linear}
    layers = [layer for layer in model.layers if hasattr(layer, "activation")]
    given = [layer.activation for layer in layers]
    try:
        for layer in layers:
            layer.activation = replaced.get(layer.activation.__name__, layer.activation)
        outputs = [model.get_layer(layer_name).output, model.outputs[0]]
        with tf.GradientTape() as tape:
            batch = [model.preprocess_input(image[np.newaxis])]
            features, scores = keras.Model(model.inputs, outputs)(batch, training=False)
            score = scores[0, class_index]
        gradients = tape.gradient(score, features)
    finally:
        for layer, activation in zip(layers, given, strict=True):
            layer.activation = activation
    weights = tf.reduce_mean(gradients, axis=(1, 2))
    return np.asarray(tf.nn.relu(tf.einsum("nhwc,nc->hw", features, weights)))
