"""Lists the k most probable classes in ascending order.

Technique: top_predictions
Kind: presentation
Hint: the most probable class comes first: reverse the order.
"""

import keras

from reference import top_predictions as right
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    return right.top_predictions(model, image, k)[::-1]
