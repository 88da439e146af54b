"""Divides the pixels by 255, whatever the network was trained on.

Technique: top_predictions
Kind: input
Hint: call model.preprocess_input instead of a scaling of your own: each network has its own.
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    batch = image[np.newaxis] / np.float32(255)
    [best] = model.decode_predictions(np.asarray(model(batch, training=False)), top=k)
    return [(name, probability) for _, name, probability in best]
