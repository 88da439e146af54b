"""How alike two heatmaps on a common grid are: overlap, structure, ranks, correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.content import by_content

Map = npt.NDArray[np.float64]

# Of each map, what its comparison with another takes is kept: the accepted maps of a lab and those
# of a few submissions.
_KEPT = 1024

# Shares of a map's maximum above which regions are compared.
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


def to_grid(heatmap: npt.NDArray[Any], shape: tuple[int, int]) -> Map:
    """Bring a heatmap to a grid by area averaging, as it would be had it never been enlarged.

    Averaging over each cell undoes most of what the interpolations of correct maps differ in.

    Args:
        heatmap: (H, W), any real dtype.
        shape: (h, w) of the grid.

    Returns:
        (h, w) float64.
    """
    rows, columns = (_shares(old, new) for old, new in zip(heatmap.shape, shape, strict=True))
    averaged: Map = rows @ np.asarray(heatmap, "float64") @ columns.T
    return averaged


def _shares(old: int, new: int) -> Map:
    """(new, old) weights: which share of each new cell each old pixel covers; rows sum to 1."""
    edges = np.linspace(0, old, new + 1)
    pixels = np.arange(old)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    shares: Map = overlap.clip(0) * new / old
    return shares


def scaled(heatmap: npt.NDArray[Any]) -> Map:
    """Divide by the maximum; a map without a positive value becomes zeros.

    Args:
        heatmap: any shape, finite.

    Returns:
        the same shape, at most 1.
    """
    top = float(np.max(heatmap))
    return np.asarray(heatmap, "float64") / top if top > 0 else np.zeros(heatmap.shape)


def iou_above(a: npt.NDArray[Any], b: npt.NDArray[Any], threshold: float) -> float:
    """Intersection over union of the regions where each map reaches a share of its maximum.

    Args:
        a: (h, w), finite.
        b: the same shape.
        threshold: 0 to 1, share of each map's own maximum.

    Returns:
        0 to 1; 1 when both regions are empty.
    """
    return _iou(scaled(a) >= threshold, scaled(b) >= threshold)


def _iou(a: npt.NDArray[np.bool_], b: npt.NDArray[np.bool_]) -> float:
    union = int(np.count_nonzero(a | b))
    return float(np.count_nonzero(a & b) / union) if union else 1.0


def mean_iou(
    a: npt.NDArray[Any],
    b: npt.NDArray[Any],
    thresholds: Sequence[float] = THRESHOLDS,
) -> float:
    """`iou_above` averaged over thresholds: one threshold alone takes a binarised map for right."""
    at = tuple(thresholds)
    pairs = zip(_regions(a, at), _regions(b, at), strict=True)
    return float(np.mean([_iou(x, y) for x, y in pairs]))


@by_content(_KEPT)
def _regions(heatmap: npt.NDArray[Any], thresholds: tuple[float, ...]) -> npt.NDArray[np.bool_]:
    """(thresholds, h, w): where the map reaches each share of its maximum."""
    reached: npt.NDArray[np.bool_] = scaled(heatmap) >= np.reshape(thresholds, (-1, 1, 1))
    return reached


def soft_iou(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Overlap without a threshold: Σ min(a, b) / Σ max(a, b) of the maps over their maxima.

    Known as Ruzicka's similarity. Negative values count as 0.

    Args:
        a: (h, w), finite.
        b: the same shape.

    Returns:
        0 to 1; 1 when neither has a positive value.
    """
    x, y = _positive(a), _positive(b)
    union = float(np.maximum(x, y).sum())
    return float(np.minimum(x, y).sum()) / union if union > 0 else 1.0


@by_content(_KEPT)
def _positive(heatmap: npt.NDArray[Any]) -> Map:
    return scaled(heatmap).clip(0)


def structural_similarity(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """SSIM (Wang et al. 2004, eq. 13) of the maps over their maxima.

    In windows of up to 7×7 with sample variances, K₁ = 0.01 and K₂ = 0.03, for a range of 1, as
    `skimage.metrics.structural_similarity` has it.

    Args:
        a: (h, w), finite, h and w at least 3.
        b: the same shape.

    Returns:
        −1 to 1.
    """
    side = min(7, *(size - 1 + size % 2 for size in a.shape))
    (x, mean_x, variance_x), (y, mean_y, variance_y) = _windows(a, side), _windows(b, side)
    covariance = _covariance(x, y, mean_x, mean_y, side)
    products, squares = mean_x * mean_y, mean_x**2 + mean_y**2
    small, smaller = 0.01**2, 0.03**2
    likeness = (2 * products + small) * (2 * covariance + smaller)
    return float((likeness / ((squares + small) * (variance_x + variance_y + smaller))).mean())


@by_content(_KEPT)
def _windows(heatmap: npt.NDArray[Any], side: int) -> tuple[Map, Map, Map]:
    """The map over its maximum, and mean and variance in each window that lies within it."""
    x = scaled(heatmap).clip(-1)
    mean = _means(x, side)
    return x, mean, _covariance(x, x, mean, mean, side)


def _covariance(x: Map, y: Map, mean_x: Map, mean_y: Map, side: int) -> Map:
    count = side * side
    covariance: Map = count / (count - 1) * (_means(x * y, side) - mean_x * mean_y)
    return covariance


def _means(values: Map, side: int) -> Map:
    """The mean of each window that lies within: (h − side + 1, w − side + 1)."""
    from scipy.ndimage import uniform_filter  # slow to import

    half = side // 2
    means: Map = uniform_filter(values, side)
    return means[half : len(means) - half, half : means.shape[1] - half]


def rank_agreement(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Spearman's rank correlation of two maps; 0 when one is constant and the other not.

    Returns:
        −1 to 1; 1 when both are constant.
    """
    return _correlation(_ranks(a), _ranks(b))


@by_content(_KEPT)
def _ranks(heatmap: npt.NDArray[Any]) -> Map:
    """Ranks, equal ones averaged, as `_centred` has them."""
    from scipy.stats import rankdata  # slow to import

    return _centred(rankdata(heatmap))


def correlation(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> float:
    """Pearson's correlation of two arrays of one shape; 0 when one is constant and the other not.

    Returns:
        −1 to 1; 1 when both are constant.
    """
    return _correlation(_centred(a), _centred(b))


def _correlation(x: Map, y: Map) -> float:
    squares = float(x @ x), float(y @ y)
    tiny = 1e-24
    if min(squares) <= tiny:
        return 1.0 if max(squares) <= tiny else 0.0
    return float(np.clip(x @ y / np.sqrt(squares[0] * squares[1]), -1.0, 1.0))


@by_content(_KEPT)
def _centred(values: npt.NDArray[Any]) -> Map:
    """Flat, at most 1 in size, then of mean 0, so that no scale is too small or too large."""
    flat = np.asarray(values, "float64").ravel()
    flat = flat / (np.abs(flat).max() or 1.0)
    centred: Map = flat - flat.mean()
    return centred


_MEASURES = {
    "iou": mean_iou,
    "soft_iou": soft_iou,
    "similarity": structural_similarity,
    "rank": rank_agreement,
    "correlation": correlation,
}


def measure(heatmap: npt.NDArray[Any], golden: npt.NDArray[Any]) -> dict[str, float]:
    """All measures of agreement of two maps (h, w), by name; 1 is full agreement."""
    return {name: compare(heatmap, golden) for name, compare in _MEASURES.items()}
