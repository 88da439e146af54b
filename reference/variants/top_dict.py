"""A dictionary from names to probabilities.

Technique: top_predictions
"""

import keras

from reference import top_predictions as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> dict[str, float]:
    return dict(right.top_predictions(model, image, k))
