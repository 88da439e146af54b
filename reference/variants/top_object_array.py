"""A NumPy array of objects, sorted by argsort read backwards.

Technique: top_predictions
"""

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def top_predictions(  # type: ignore[no-redef]
    model: keras.Model, image: Image, k: int = 5
) -> npt.NDArray[Any]:
    probabilities = model.predict(model.preprocess_input(image[np.newaxis]), verbose=0)
    [named] = model.decode_predictions(probabilities, top=probabilities.shape[1])
    names = np.array([name for _, name, _ in named], dtype=object)
    values = np.array([value for _, _, value in named], dtype=object)
    order = np.argsort(values)[::-1][:k]
    return np.stack([names[order], values[order]], axis=1)
