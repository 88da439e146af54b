"""Enlarges by SciPy's interpolator on a grid: a cubic spline that is free at the edges.

Technique: class_activation_maps
Golden: yes
"""

import keras
import numpy as np
from scipy.interpolate import RectBivariateSpline

from reference.submission import *  # noqa: F403
from reference.variants._cam import Array, Image, activations_and_gradients, relu


def class_activation_map(  # type: ignore[no-redef]
    model: keras.Model, image: Image, class_index: int, layer_name: str, modifier: str | None = None
) -> Array:
    features, gradients = activations_and_gradients(model, image, class_index, layer_name, modifier)
    heatmap = relu(features @ gradients.mean(axis=(0, 1)))
    degrees = [min(3, size - 1) for size in heatmap.shape]
    spline = RectBivariateSpline(
        *map(np.arange, heatmap.shape), heatmap, kx=degrees[0], ky=degrees[1]
    )
    rows, columns = (
        np.linspace(0, small - 1, large)
        for small, large in zip(heatmap.shape, image.shape[:2], strict=True)
    )
    return relu(spline(rows, columns))
