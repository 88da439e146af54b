"""Class activation maps: Grad-CAM heatmaps, judged on the layer's own grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.figures import Figure, Note, Part, Row, overlay, photograph, rgb
from harness.lab import Case, Lab
from harness.metrics.heatmaps import correlation, mean_iou, to_grid
from harness.outputs import Value
from harness.techniques import arguments
from harness.techniques.base import (
    Evidence,
    Function,
    Judgement,
    Metric,
    OutputError,
    Technique,
    no_facts,
)

_EXPECTED = "expected one heatmap (h, w), of the layer's size or the image's"


def normalise(lab: Lab, case: Case, value: Value) -> npt.NDArray[np.float64]:
    """A finite float64 map (h, w); axes of one around it are taken off."""
    if not isinstance(value, np.ndarray):
        try:
            value = np.asarray(value)
        except ValueError:
            raise OutputError(f"returned lists of unequal length; {_EXPECTED}") from None
    if value.dtype.kind not in "fiub":
        raise OutputError(f"returned {value.dtype} values; {_EXPECTED}")
    heatmap = value
    if heatmap.ndim == 4 and heatmap.shape[0] == 1:
        heatmap = heatmap[0]
    if heatmap.ndim == 3 and heatmap.shape[0] == 1:
        heatmap = heatmap[0]
    elif heatmap.ndim == 3 and heatmap.shape[-1] == 1:
        heatmap = heatmap[..., 0]
    if heatmap.ndim != 2 or heatmap.size == 0:
        hint = (
            "return the map itself, before it is coloured or laid over the photograph"
            if heatmap.ndim == 3 and heatmap.shape[-1] in (3, 4)
            else "average over the channels is part of the method: the result has two axes"
        )
        raise OutputError(f"returned shape {value.shape}; {_EXPECTED}", hint)
    heatmap = heatmap.astype("float64")
    if not np.isfinite(heatmap).all():
        hint = "look for a division by the maximum of a map that is zero everywhere"
        raise OutputError(f"the map holds NaN or infinity; {_EXPECTED}", hint)
    return heatmap


def on_grid(item: Evidence, golden: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """The submission's map on the layer's grid; None when its size is neither allowed one."""
    image = item.arguments["image"]
    assert isinstance(image, np.ndarray)
    if item.value.shape not in (golden.shape, image.shape[:2]):
        return None
    return to_grid(item.value, (golden.shape[0], golden.shape[1]))


def judge_agreement(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Both measures reach their thresholds against one accepted map, the nearest."""
    [item] = evidence
    best: Judgement | None = None
    for golden in item.accepted:
        judgement = _against(item, golden, threshold)
        if best is None or (judgement.passed, judgement.score) > (best.passed, best.score):
            best = judgement
    assert best is not None
    return best


def _against(item: Evidence, golden: npt.NDArray[Any], threshold: Mapping[str, float]) -> Judgement:
    heatmap = on_grid(item, golden)
    if heatmap is None:
        image: Any = item.arguments["image"]
        message = (
            f"expected a map of the layer's size {golden.shape} or of the image's "
            f"{image.shape[:2]}, got {item.value.shape}"
        )
        return Judgement(False, 0.0, {}, message, "check which layer the map is taken from")
    measured = {"iou": mean_iou(heatmap, golden), "correlation": correlation(heatmap, golden)}
    passed = all(measured[name] >= threshold[name] for name in measured)
    if passed:
        return Judgement(True, min(1.0, max(0.0, measured["correlation"])), measured)
    message = (
        f"the map agrees too little with the expected one: IoU {measured['iou']:.2f} (at least "
        f"{threshold['iou']:.2f}), correlation {measured['correlation']:.2f} (at least "
        f"{threshold['correlation']:.2f})"
    )
    score = min(0.99, max(0.0, min(measured["iou"], measured["correlation"])))
    return Judgement(False, score, measured, message, _hint(item, heatmap))


def _hint(item: Evidence, heatmap: npt.NDArray[np.float64]) -> str:
    if heatmap.min() < 0:
        return "the map has negative values: the weighted sum goes through a ReLU (eq. 2)"
    if np.ptp(heatmap) <= 1e-12 * heatmap.max():
        return "the map is empty or constant; check the gradient and the layer's output"
    guided = ", guided at every ReLU on the way" if item.arguments.get("modifier") else ""
    return (
        "check one by one: the score is the asked class's logit (before softmax), its gradient "
        f"at the asked layer{guided}, averaged over the map into one weight per channel, the "
        "weighted sum, and the ReLU"
    )


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """The photograph, the submission's map over it and the reference's."""
    return [_figure(item) for item in evidence]


def _figure(item: Evidence) -> Figure:
    arguments = item.case.arguments
    image: Any = item.arguments["image"]
    index: Any = item.arguments["class_index"]
    asked = item.lab.models[item.case.model].classes[index][1]
    pictures = [photograph(rgb(image), f"The image {arguments['image']}", "The image")]
    parts: list[Part] = []
    for owner, heatmap in (("Your", item.value), ("The reference's", item.accepted[0])):
        alt = f"{owner} map for {asked} over {arguments['image']}: {where_strongest(heatmap)}"
        pictures.append(
            photograph(overlay(image, heatmap), alt, f"{owner} map (yellow: strongest)")
        )
    if item.value.min() < 0:
        parts.append(
            Note(
                f"Your map goes down to {item.value.min():.3g}; it is drawn from its lowest value "
                "(violet) to its highest (yellow). A Grad-CAM map has no negative values."
            )
        )
    modifier = f", {arguments['modifier']}" if arguments.get("modifier") else ""
    title = f"Where is {asked} in {arguments['image']}? Layer {arguments['layer_name']}{modifier}"
    return Figure(title, (Row(tuple(pictures)), *parts))


def where_strongest(heatmap: npt.NDArray[Any]) -> str:
    """Where the maximum of a map (h, w) is, in words, for those who do not see the picture."""
    if heatmap.max() <= heatmap.min():
        return "the same everywhere"
    row, column = np.unravel_index(int(np.argmax(heatmap)), heatmap.shape)
    down = ("top", "middle", "bottom")[int(3 * row // heatmap.shape[0])]
    across = ("left", "centre", "right")[int(3 * column // heatmap.shape[1])]
    return f"strongest at the {down} {across}".replace("middle centre", "centre")


TECHNIQUE = Technique(
    name="class_activation_maps",
    title="Class activation maps",
    functions={
        "class_activation_map": Function(
            parameters=("model", "image", "class_index", "layer_name", "modifier"),
            arguments={
                "image": arguments.image(),
                "class": arguments.class_index(),
                "layer_name": arguments.layer(),
                "modifier": arguments.choice("modifier", "guided"),
            },
            signature="class_activation_map(model, image, class_index, layer_name, modifier=None) "
            "-> np.ndarray",
        )
    },
    normalise=normalise,
    facts=no_facts,
    metrics={
        "agreement": Metric(
            ("class_activation_map",), {"iou": 0.62, "correlation": 0.92}, judge_agreement
        )
    },
    figures=figures,
)
