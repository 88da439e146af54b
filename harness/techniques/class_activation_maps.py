"""Class activation maps: Grad-CAM heatmaps, judged on the layer's own grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import marked
from harness.metrics.heatmaps import measure, to_grid
from harness.metrics.room import least_room
from harness.outputs import Value
from harness.results import Trace
from harness.techniques import arguments
from harness.techniques.base import (
    Evidence,
    Function,
    Judgement,
    Metric,
    OutputError,
    Technique,
    no_facts,
    sample,
)
from harness.techniques.figures.class_activation_maps import figures, size_problem

# The rank correlation from which on a map has the right order, if not the right values.
_SAME_ORDER = 0.99


def _expected() -> str:
    return _("expected one heatmap (h, w), of the layer's size or the image's")


_WORDS = {
    "iou": marked("IoU"),
    "soft_iou": marked("soft IoU"),
    "similarity": marked("SSIM"),
    "rank": marked("rank correlation"),
    "correlation": marked("correlation"),
}


def normalise(lab: Lab, case: Case, value: Value) -> npt.NDArray[np.float64]:
    """A finite float64 map (h, w); axes of one around it are taken off."""
    if not isinstance(value, np.ndarray):
        try:
            value = np.asarray(value)
        except ValueError:
            text = _("returned lists of unequal length; {expected}")
            raise OutputError(text.format(expected=_expected())) from None
    if value.dtype.kind not in "fiub":
        text = _("returned {kind} values; {expected}")
        raise OutputError(text.format(kind=value.dtype, expected=_expected()))
    heatmap = value
    if heatmap.ndim == 4 and heatmap.shape[0] == 1:
        heatmap = heatmap[0]
    if heatmap.ndim == 3 and heatmap.shape[0] == 1:
        heatmap = heatmap[0]
    elif heatmap.ndim == 3 and heatmap.shape[-1] == 1:
        heatmap = heatmap[..., 0]
    if heatmap.ndim != 2 or heatmap.size == 0:
        hint = (
            _("return the map itself, before it is coloured or laid over the photograph")
            if heatmap.ndim == 3 and heatmap.shape[-1] in (3, 4)
            else _(
                "the weighted sum over the channels is part of the method: the result has two axes"
            )
        )
        text = _("returned shape {shape}; {expected}")
        raise OutputError(text.format(shape=value.shape, expected=_expected()), hint)
    heatmap = heatmap.astype("float64")
    if not np.isfinite(heatmap).all():
        hint = _("look for a division by the maximum of a map that is zero everywhere")
        text = _("the map holds NaN or infinity; {expected}")
        raise OutputError(text.format(expected=_expected()), hint)
    return heatmap


def accept(reference: npt.NDArray[Any], variant: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """An accepted variant's map on the layer's grid: the reference's map has the layer's size."""
    height, width = reference.shape
    return to_grid(variant, (height, width)).astype("float32")


def judge_agreement(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Every measure reaches its threshold against one accepted map, the nearest."""
    [item] = evidence
    height, width = item.accepted[0].shape
    if message := size_problem(item):
        hint = _(
            "take the map from the asked layer, and enlarge it to image.shape[:2] or not at all"
        )
        trace = Trace("another size", _scaled_sample(item.value), np.zeros(0, "float32"))
        return Judgement(False, 0.0, {}, message, hint, trace=trace)
    heatmap = to_grid(item.value, (height, width))
    against = item.once("maps", lambda: [measure(heatmap, golden) for golden in item.accepted])
    measured = max(against, key=lambda found: least_room(found, threshold))
    score = float(np.clip(min(measured[name] for name in threshold), 0, 1))
    margin = float(np.clip(least_room(measured, threshold), -1, 1))
    if margin >= 0:
        return Judgement(True, score, measured, margin=margin)
    short = ", ".join(
        _("{name} {value:.2f} (at least {least:.2f})").format(
            name=_(_WORDS[name]), value=measured[name], least=least
        )
        for name, least in threshold.items()
        if measured[name] < least
    )
    message = _("the map agrees too little with the expected one: {short}").format(short=short)
    trace = Trace("map", _scaled_sample(heatmap), _scaled_sample(item.accepted[0]))
    hint = _hint(item, heatmap, max(found["rank"] for found in against))
    return Judgement(False, min(0.99, score), measured, message, hint, margin, trace)


def _scaled_sample(heatmap: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    return sample(np.asarray(heatmap, "float64") / max(float(np.abs(heatmap).max()), 1e-300), 1024)


def _hint(item: Evidence, heatmap: npt.NDArray[np.float64], rank: float) -> str:
    if heatmap.min() < 0:
        return _("the map has negative values: the weighted sum goes through a ReLU (eq. 2)")
    if np.ptp(heatmap) <= 1e-12 * heatmap.max():
        return _("the map is empty or constant; check the gradient and the layer's output")
    if rank >= _SAME_ORDER:
        return _(
            "the values have the right order but not the right proportions: after the ReLU, scale "
            "the map by one positive factor or not at all, without offset, logarithm or power"
        )
    if item.arguments.get("modifier"):
        return _(
            "check one by one: the score is the asked class's logit (before softmax), its gradient "
            "at the asked layer, guided at every ReLU on the way, averaged over the map into one "
            "weight per channel, the weighted sum, and the ReLU"
        )
    return _(
        "check one by one: the score is the asked class's logit (before softmax), its gradient "
        "at the asked layer, averaged over the map into one weight per channel, the weighted sum, "
        "and the ReLU"
    )


TECHNIQUE = Technique(
    name="class_activation_maps",
    title=marked("Class activation maps"),
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
            returns=marked(
                "the Grad-CAM map `(h, w)` of the class at the layer, without negative values: the "
                "gradient is that of the class's **logit**, before the softmax. With "
                '`modifier="guided"`, gradients pass each ReLU between layer and logit only where '
                "its input and the gradient are positive"
            ),
            accepted=(
                marked("a map of the layer's size, or enlarged to the image's in any usual way"),
                marked("any positive scale: 0 to 1, 0 to 255 as uint8, or none"),
                marked("sums for means of the gradients, a batch axis of one, tensors"),
            ),
        )
    },
    normalise=normalise,
    facts=no_facts,
    metrics={
        "agreement": Metric(
            ("class_activation_map",),
            # Between the worst correct map and the nearest wrong ones: see the calibration.
            {"iou": 0.66, "soft_iou": 0.55, "similarity": 0.65, "correlation": 0.94},
            judge_agreement,
            passes=marked(
                "brought to the layer’s size, your map agrees with one of the accepted maps: IoU, "
                "averaged over thresholds, at least {iou:.2f}, soft IoU {soft_iou:.2f}, SSIM "
                "{similarity:.2f}, correlation {correlation:.2f}"
            ),
        )
    },
    figures=figures,
    accept=accept,
)
