"""Top-k predictions: the classes that a network finds most probable for one image."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt


def top_predictions(
    model: keras.Model, image: npt.NDArray[np.uint8], k: int = 5
) -> list[tuple[str, float]]:
    """The k most probable classes of an image: (name, probability), most probable first.

    Of two equal probabilities the one of the lower class index comes first.

    Args:
        model: ends in softmax, with `preprocess_input` and `decode_predictions`.
        image: (H, W, C) uint8, as loaded from disk.
        k: how many, 1 to the number of classes.

    Raises:
        ValueError: k is out of range.
    """
    batch = model.preprocess_input(image[np.newaxis])
    probabilities = np.asarray(model(batch, training=False), "float32")
    classes = probabilities.shape[1]
    if not 1 <= k <= classes:
        raise ValueError(f"k is {k}; allowed: 1 to {classes}, the number of classes")
    # Which class has which name is decoded; the order is ours, because only a stable sort of the
    # negated probabilities says which of two equal ones comes first.
    order = np.argsort(-probabilities[0], kind="stable")[:k]
    names = _class_names(model, classes)
    return [(names[index], float(probabilities[0, index])) for index in order]


def _class_names(model: Any, classes: int) -> list[str]:
    """The name of each output: decode a one-hot row per class."""
    one_hot = np.eye(classes, dtype="float32")
    return [name for [(_, name, _)] in model.decode_predictions(one_hot, top=1)]
