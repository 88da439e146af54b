"""A named tuple of float16, in one compiled call.

Technique: layer_activations
"""

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from reference.layer_activations import Images
from reference.submission import *  # noqa: F403


def layer_activations(  # type: ignore[no-redef]
    model: keras.Model, image: Images, layer_names: Sequence[str]
) -> Any:
    outputs = [model.get_layer(name).output for name in layer_names]
    compiled = tf.function(keras.Model(model.inputs, outputs))
    found = compiled(tf.constant(model.preprocess_input(image[np.newaxis])), training=False)
    activations = found if isinstance(found, (list, tuple)) else [found]
    return namedtuple("Activations", layer_names)(*(np.float16(a) for a in activations))
