"""What the harness itself asks of a model, answered in a child that runs no student code.

The functions are called exactly as a submission's are; `harness.execution.oracle.ChildOracle` asks.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

_BATCH = 64


def layer_outputs(
    model: Any, images: npt.NDArray[Any], layer_name: str, preprocess: bool
) -> npt.NDArray[np.float32]:
    """Outputs of a layer; of the softmax at the end its logits, before softmax.

    Args:
        model: the model.
        images: (n, H, W, C), uint8 if they are to be preprocessed, else network input.
        layer_name: the layer.
        preprocess: whether to preprocess first.

    Returns:
        (n, …) float32.
    """
    layer = model.get_layer(layer_name)
    batch = model.preprocess_input(images) if preprocess else np.asarray(images, "float32")
    if layer is not model.layers[-1]:
        return _predict(_part(model, layer_name, "output"), batch)
    features = _predict(_part(model, layer_name, "input"), batch)
    kernel, bias = (np.asarray(weight) for weight in layer.weights)
    logits: npt.NDArray[np.float32] = (features @ kernel + bias).astype("float32")
    return logits


# Models stay for as long as this process does, so a part is made once.
@cache
def _part(model: Any, layer_name: str, end: str) -> Any:
    """The model up to a layer's input or output."""
    import keras

    return keras.Model(model.inputs[0], getattr(model.get_layer(layer_name), end))


def probabilities(model: Any, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Class probabilities (n, classes) float32 of uint8 images (n, H, W, C)."""
    return _predict(model, model.preprocess_input(images))


def loads(model: Any) -> npt.NDArray[np.bool_]:
    """That the model is there."""
    return np.array([model is not None])


def _predict(model: Any, batch: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    # `predict` would set up a data pipeline at each call: 40 ms for an image that takes 1.
    parts = [model.predict_on_batch(batch[at : at + _BATCH]) for at in range(0, len(batch), _BATCH)]
    return np.concatenate(parts)
