"""Figures of top predictions: the image, and both tables side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest

from harness.figures import Figure, Table, View, Views
from harness.language import gettext as _
from harness.techniques.base import Evidence
from harness.texts import plain_word


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """The image, and both tables side by side with the rows that differ marked."""
    return [_figure(item) for item in evidence]


def _figure(item: Evidence) -> Figure:
    expected = item.accepted[0]
    # Some rows more than were asked for show what is wrong; a thousand do not.
    returned = item.value[: len(expected) + 3]
    pairs = list(zip_longest(returned, expected, fillvalue=("", math.nan)))
    name = item.case.arguments["image"]
    alt = _("The image {image}").format(image=name)
    table = Table(
        ("", _("Your class"), _("Probability"), _("Expected"), _("Probability")),
        tuple(
            (str(n + 1), _shown(mine[0]), _number(mine[1]), theirs[0], _number(theirs[1]))
            for n, (mine, theirs) in enumerate(pairs)
        ),
        marked=tuple(n for n, pair in enumerate(pairs) if _differ(*pair)),
    )
    title = _("The most probable classes of {image}").format(image=name)
    return Figure(title, (Views((View(name, alt, ""),)), table))


def _differ(mine: tuple[str, float], theirs: tuple[str, float]) -> bool:
    # Written so that a missing probability (NaN) differs.
    return plain_word(mine[0]) != plain_word(theirs[0]) or not abs(mine[1] - theirs[1]) <= 0.01


def _shown(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def _number(probability: float) -> str:
    if math.isnan(probability):
        return ""
    return "< 0.0001" if 0 < probability < 1e-4 else f"{probability:.4g}"
