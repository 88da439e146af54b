"""Enlarges the map to 224 by 224, whatever the size of the image.

Technique: class_activation_maps
Kind: presentation
Hint: enlarge the map to image.shape[:2], or leave it at the layer's size.
"""

import keras
import numpy as np
import tensorflow as tf

from reference import class_activation_maps as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    heatmap = right.class_activation_map(model, image, class_index, layer_name, modifier)
    return np.asarray(tf.image.resize(heatmap[..., None], (224, 224))[..., 0])
