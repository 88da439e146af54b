"""Ignores the modifier: the plain map where the guided one was asked.

Technique: class_activation_maps
Hint: with modifier="guided", every ReLU between the layer and the logits passes back only positive
    gradients where its output is positive.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    return right.class_activation_map(model, image, class_index, layer_name)
