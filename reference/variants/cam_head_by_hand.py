"""Features by `predict`, the layers after them one by one, the last one by hand; as bytes, Lanczos.

Technique: class_activation_maps
"""

import keras
import numpy as np
import tensorflow as tf
from PIL import Image as Picture

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, linear_copy


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    network = linear_copy(model, modifier)
    *layers, last = network.layers
    start = [layer.name for layer in layers].index(layer_name) + 1
    until = keras.Model(network.inputs, network.get_layer(layer_name).output)
    features = tf.Variable(until.predict(model.preprocess_input(image[np.newaxis]), verbose=0))
    kernel, bias = last.get_weights()
    with tf.GradientTape() as tape:
        values = tf.convert_to_tensor(features)
        for layer in layers[start:]:
            values = layer(values)
        score = (values @ kernel + bias)[0, class_index]
    [gradients] = np.asarray(tape.gradient(score, features))
    heatmap = np.zeros(gradients.shape[:2])
    for channel, weight in enumerate(gradients.mean(axis=(0, 1))):
        heatmap += weight * features.numpy()[0, :, :, channel]
    heatmap[heatmap < 0] = 0
    height, width = image.shape[:2]
    picture = Picture.fromarray((255 * heatmap / (heatmap.max() or 1)).astype("uint8"))
    return np.asarray(picture.resize((width, height), Picture.Resampling.LANCZOS))
