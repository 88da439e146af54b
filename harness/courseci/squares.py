"""A map as coloured squares: GitHub shows neither scripts nor `data:` pictures in a summary."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from harness.metrics.heatmaps import scaled, to_grid

# From dark to light, so that who does not tell the colours apart sees the order.
LEVELS = "⬛🟥🟧🟨⬜"
LARGEST = 10


def squares(heatmap: npt.NDArray[Any]) -> list[str]:
    """Rows of squares, at most 10 by 10, of a map over its own maximum.

    Args:
        heatmap: (h, w), finite; what is below zero is drawn as zero.

    Returns:
        a text per row; each fifth from 0 to the maximum has its colour.
    """
    height, width = (min(size, LARGEST) for size in heatmap.shape)
    share = scaled(to_grid(heatmap, (height, width))).clip(0, 1)
    levels = np.minimum((share * len(LEVELS)).astype(int), len(LEVELS) - 1)
    return ["".join(LEVELS[level] for level in line) for line in levels]
