"""Enlarges the signed map by a cubic spline with aligned corners; ReLU and min-max follow.

Technique: class_activation_maps
Golden: yes
"""

import keras
from scipy.ndimage import zoom

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, min_max, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    signed = features @ gradients.mean(axis=(0, 1))
    factors = [large / small for large, small in zip(image.shape[:2], signed.shape, strict=True)]
    return min_max(relu(zoom(signed, factors)))
