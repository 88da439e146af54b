"""How measures stand against their thresholds."""

from __future__ import annotations

from collections.abc import Mapping


def room(measured: Mapping[str, float], thresholds: Mapping[str, float]) -> float:
    """How far the worst measure is above its threshold, relative to how far it could be.

    Args:
        measured: 1 is perfect.
        thresholds: of some of them, at least one, all below 1.

    Returns:
        at most 1; below 0 where a threshold is missed.
    """
    return min((measured[name] - least) / (1 - least) for name, least in thresholds.items())
