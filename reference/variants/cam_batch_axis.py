"""A tensor with a batch axis and a channel axis of one.

Technique: class_activation_maps
"""

import keras
import numpy as np
import tensorflow as tf

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> tf.Tensor:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return tf.constant(heatmap)[np.newaxis, ..., np.newaxis]
