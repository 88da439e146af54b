"""Guides by the sign of the gradient only, as a deconvnet does, not by the activation.

Technique: class_activation_maps
Hint: a guided ReLU passes the gradient where it is positive and the output of the ReLU is positive
    too: both conditions.
"""

import keras

from reference import class_activation_maps as right
from reference.graph import Floats
from reference.submission import *  # noqa: F403
from reference.variants._cam import Image


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Floats:
    changed = "rectified" if modifier == "guided" else modifier
    return right.class_activation_map(model, image, class_index, layer_name, changed)
