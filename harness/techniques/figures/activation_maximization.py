"""Figures of activation maximization: a film strip over `tv_weight`, and what it achieves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.figures import (
    Figure,
    Gallery,
    Note,
    Part,
    Picture,
    Plot,
    Region,
    Series,
    image_picture,
    rgb,
    unit,
)
from harness.language import gettext as _
from harness.metrics.images import standardised_variation
from harness.models import PREPROCESSINGS
from harness.techniques.base import Evidence


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """The images beside the reference's, their scores and roughness; for a sweep, against it."""
    asked = evidence[0].case.arguments
    several = len(asked["filter_indices"]) > 1
    text = (
        _("What excites outputs {indices} of layer {layer}")
        if several
        else _("What excites output {indices} of layer {layer}")
    )
    indices = ", ".join(map(str, asked["filter_indices"]))
    title = text.format(indices=indices, layer=asked["layer_name"])
    drawable = [item for item in evidence if _is_drawn(item)]
    parts: list[Part] = [
        Note(
            _("{case}: your image has shape {shape}, which cannot be drawn.").format(
                case=item.case.id, shape=item.value.shape
            )
        )
        for item in evidence
        if item not in drawable
    ]
    if drawable:
        parts.append(_strip(drawable))
    weights = [_weight(item) for item in drawable]
    if len(set(weights)) > 1:
        parts += [*_score_plot(drawable), _variation_plot(drawable)]
    return [Figure(title, tuple(parts))]


def _is_drawn(item: Evidence) -> bool:
    """Whether it is an image of the shape that was asked for: what is refused is never drawn."""
    expected = tuple(int(size) for size in item.facts["shape"])
    return item.value.shape == expected and expected[-1] in (1, 3)


def _strip(evidence: Sequence[Evidence]) -> Gallery:
    weights = [_weight(item) for item in evidence]
    seeds = [item.case.arguments.get("seed", 0) for item in evidence]
    word = _(", seed {n}") if len(set(seeds)) > 1 else _(", call {n}")
    calls = seeds if len(set(seeds)) > 1 else range(1, len(seeds) + 1)
    columns = tuple(
        f"{weight:g}" + (word.format(n=n) if weights.count(weight) > 1 else "")
        for n, weight in zip(calls, weights, strict=True)
    )
    rows = [
        (_("Yours"), tuple(_picture(item, item.value, _("Yours")) for item in evidence)),
        (_("Expected"), tuple(_picture(i, i.accepted[0], _("Expected")) for i in evidence)),
    ]
    return Gallery("tv_weight", columns, tuple(rows), tuple(_texts(evidence)))


def _texts(evidence: Sequence[Evidence]) -> list[tuple[str, tuple[str, ...]]]:
    """What each image reaches for each output, where it was measured, and how rough it is."""
    made = []
    for place, index in enumerate(evidence[0].case.arguments["filter_indices"]):
        if any(item.measured("scores") is not None for item in evidence):
            name = _("Score of output {index} (expected)").format(index=index)
            made.append((name, tuple(_score(item, place) for item in evidence)))
    variations = tuple(
        f"{standardised_variation(item.value):.2f} ({standardised_variation(item.accepted[0]):.2f})"
        for item in evidence
    )
    return [*made, (_("Total variation (expected)"), variations)]


def _score(item: Evidence, place: int) -> str:
    scores = item.measured("scores")
    if scores is None:
        return "–"
    return f"{scores[place]:.2f} ({float(item.facts['reference_scores'][place]):.2f})"


def _picture(item: Evidence, image: npt.NDArray[Any], owner: str) -> Picture:
    asked = item.case.arguments
    alt = _("{owner}, tv_weight {weight:g}, for {indices}: total variation {variation:.2f}").format(
        owner=owner,
        weight=_weight(item),
        indices=", ".join(map(str, asked["filter_indices"])),
        variation=standardised_variation(image),
    )
    return image_picture(_visible(item, image), alt, side=112)


def _visible(item: Evidence, image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    """Network input as a grey or RGB picture."""
    name = item.lab.models[item.case.model].preprocessing
    pixels = (255 * unit(image, *PREPROCESSINGS[name].input_range)).round().astype("uint8")
    # Of the preprocessings only "caffe" reorders the channels: blue, green, red.
    return rgb(pixels[..., ::-1]) if name == "caffe" else pixels


def _score_plot(evidence: Sequence[Evidence]) -> list[Part]:
    known = [item for item in evidence if item.measured("scores") is not None]
    if len({_weight(item) for item in known}) < 2:
        return []
    weights = tuple(_weight(item) for item in known)
    series = (
        Series(_("Yours"), tuple(_relative(item) for item in known), weights),
        Series(_("Expected"), tuple(1.0 for _item in known), weights),
    )
    return [
        Plot(
            series,
            _("Score reached against tv_weight"),
            "tv_weight",
            _("score: 0 grey image, 1 expected"),
            caption=_("The score of an image without content is 0, that of the reference's is 1."),
            region=Region("relative_score"),
        )
    ]


def _relative(item: Evidence) -> float:
    reference = float(np.min(item.facts["reference_scores"]))
    grey = float(np.min(item.facts["grey_scores"]))
    return (float(min(item.measured("scores"))) - grey) / max(reference - grey, 1e-9)


def _variation_plot(evidence: Sequence[Evidence]) -> Plot:
    weights = tuple(_weight(item) for item in evidence)
    images = [
        (_("Yours"), [item.value for item in evidence]),
        (_("Expected"), [item.accepted[0] for item in evidence]),
    ]
    return Plot(
        tuple(
            Series(name, tuple(map(standardised_variation, every)), weights)
            for name, every in images
        ),
        _("Total variation against tv_weight"),
        "tv_weight",
        _("total variation (standardised)"),
        caption=_("A larger tv_weight should give a smoother image: both lines should fall."),
        region=Region("variation", below=True),
    )


def _weight(item: Evidence) -> float:
    return float(item.case.arguments["tv_weight"])
