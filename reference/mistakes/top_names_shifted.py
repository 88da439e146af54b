"""Names each class by the name of the next one.

Technique: top_predictions
Hint: class names count from 0: names[index] belongs to probabilities[index].
"""

import keras
import numpy as np

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> list[tuple[str, float]]:
    probabilities = np.asarray(model(model.preprocess_input(image[np.newaxis]), training=False))
    [shifted] = model.decode_predictions(np.roll(probabilities, 1, axis=1), top=k)
    return [(name, probability) for _, name, probability in shifted]
