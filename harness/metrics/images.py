"""Measures of single images and of series of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt


def standardised_variation(image: npt.NDArray[Any]) -> float:
    """Total variation of the image brought to mean 0 and standard deviation 1.

    The mean over pixels and channels of |x[i+1, j] − x[i, j]| plus that of |x[i, j+1] − x[i, j]|
    (Rudin, Osher and Fatemi 1992, anisotropic), after standardising: neither contrast nor
    brightness changes it. White noise has 4/√π ≈ 2.26.

    Args:
        image: (H, W, C), finite, any real dtype.

    Returns:
        0 for a constant image, else above 0.
    """
    pixels = np.asarray(image, "float64")
    spread = float(pixels.std())
    if spread <= 1e-12:
        return 0.0
    down = np.abs(np.diff(pixels, axis=0)).mean()
    across = np.abs(np.diff(pixels, axis=1)).mean()
    return float((down + across) / spread)


def axis_roughness(image: npt.NDArray[Any]) -> tuple[float, float]:
    """Mean squared difference between neighbours down and across, over the image's variance.

    Squared, because that is what a total variation penalty of β = 2 acts on; per axis, because one
    axis alone can be smoothed by mistake. Neither contrast nor brightness changes it. White noise
    has 2 for each axis.

    Args:
        image: (H, W, C), finite, any real dtype.

    Returns:
        (down, across), at least 0; 0 for a constant image.
    """
    pixels = np.asarray(image, "float64")
    variance = float(pixels.var())
    if variance <= 1e-24:
        return 0.0, 0.0
    down = float((np.diff(pixels, axis=0) ** 2).mean() / variance)
    across = float((np.diff(pixels, axis=1) ** 2).mean() / variance)
    return down, across


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> float:
    """Spearman's rank correlation; 0 when either series is constant.

    Returns:
        −1 to 1.
    """
    if len(set(x)) < 2 or len(set(y)) < 2:
        return 0.0
    from scipy.stats import spearmanr  # slow to import

    # Rounded, because 0.8 comes out as 0.7999999999999999 for some orders.
    return round(float(spearmanr(x, y).statistic), 9)
