"""How measures stand against their thresholds."""

from __future__ import annotations

from collections.abc import Mapping


def room(value: float, threshold: float, perfect: float) -> float:
    """A margin: 0 at the threshold, 1 at the perfect value, at least -1.

    Where the threshold is the perfect value itself: 0 if it is reached, else -1.
    """
    return min(max(_room(value, threshold, perfect), -1.0), 1.0)


def least_room(measured: Mapping[str, float], thresholds: Mapping[str, float]) -> float:
    """How far the worst measure is above its threshold, relative to how far it could be.

    Args:
        measured: 1 is perfect.
        thresholds: of some of them, at least one, none above 1.

    Returns:
        at most 1; below 0 where a threshold is missed, without limit.
    """
    return min(_room(measured[name], least, 1.0) for name, least in thresholds.items())


def _room(value: float, threshold: float, perfect: float) -> float:
    if threshold == perfect:
        return 0.0 if value == perfect else -1.0
    return float((value - threshold) / (perfect - threshold))
