"""TensorFlow's own top k: tensors of text and of numbers, zipped.

Technique: top_predictions
"""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> Iterator[tuple[bytes, tf.Tensor]]:
    [probabilities] = model(model.preprocess_input(image[np.newaxis]), training=False)
    values, indices = tf.math.top_k(probabilities, k)
    decoded = model.decode_predictions(np.eye(len(probabilities), dtype="float32"), top=1)
    names = tf.constant([name for [(_, name, _)] in decoded])
    return zip(tf.gather(names, indices).numpy(), values, strict=True)
