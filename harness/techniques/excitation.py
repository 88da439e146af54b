"""What a maximized image excites, and the judgement of it.

Scores are taken relative to what the reference's image reaches (1) above what a plain mid-grey
image has (0), so that they mean the same for every layer and model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.lab import Case
from harness.language import gettext as _
from harness.metrics.images import standardised_variation
from harness.metrics.room import room
from harness.results import Trace
from harness.techniques.base import Evidence, Judgement
from harness.techniques.resemblance import resemblance_to_data


def scores(case: Case, image: npt.NDArray[Any], oracle: Oracle) -> npt.NDArray[np.float64]:
    """What an image reaches for each index asked.

    Args:
        case: names the layer and the indices.
        image: (H, W, C), network input.
        oracle: computes the layer's outputs.

    Returns:
        (indices,) float64: the mean over the map of each filter; the logit for an output.
    """
    batch = np.asarray(image, "float32")[None]
    outputs = oracle.layer_outputs(case.model, case.arguments["layer_name"], batch)[0]
    flat = outputs.reshape(-1, outputs.shape[-1]).mean(axis=0)
    return np.asarray(flat[case.arguments["filter_indices"]], "float64")


@dataclass(frozen=True)
class _Achieved:
    """What one image achieves.

    Attributes:
        item: the image and what is known of its case.
        reached: (indices,) its scores.
        relative: the smallest of them, where a grey image's is 0 and the reference's 1.
        resemblance: its largest correlation with an image of the data.
        margin: how far it is from failing, -1 to 1.
    """

    item: Evidence
    reached: npt.NDArray[np.float64]
    relative: float
    resemblance: float
    margin: float


def judge_score(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """The smallest of the scores asked for, relative to the reference's smallest.

    An image of the data reaches that too, and is no maximized one: it must not resemble any. Of
    several images, from one seed each, the best counts: on two outputs at once a correct way may
    reach 0.45 with one seed, and 1.3 with the next.
    """
    for item in evidence:
        if problem := wrong_shape(item):
            return problem
    reference = float(
        np.min(np.median([item.facts["reference_scores"] for item in evidence], axis=0))
    )
    grey = float(np.min(evidence[0].facts["grey_scores"]))
    achieved = [_achieve(item, threshold, oracle, grey, reference) for item in evidence]
    best = max(achieved, key=lambda one: one.margin)
    measured = {
        "relative_score": best.relative,
        "score": float(best.reached.min()),
        "reference_score": reference,
        "resemblance": best.resemblance,
    }
    if best.margin >= 0:
        return Judgement(True, 1.0, measured, margin=best.margin)
    trace = trace_of(best.item, best.reached)
    score = float(np.clip(best.relative, 0, 0.99))
    if best.relative < threshold["relative_score"]:
        least = grey + threshold["relative_score"] * (reference - grey)
        message, hint = _too_weak(best, reference, least, len(evidence))
        return Judgement(False, score, measured, message, hint, best.margin, trace)
    message = _(
        "the image is nearly one of the data (correlation {found:.2f}, at most {most:.2f}); "
        "expected one made by ascending the gradient"
    ).format(found=best.resemblance, most=threshold["resemblance"])
    hint = _("start from noise and change the image step by step along the gradient of the logit")
    return Judgement(False, score, measured, message, hint, best.margin, trace)


def _achieve(
    item: Evidence, threshold: Mapping[str, float], oracle: Oracle, grey: float, reference: float
) -> _Achieved:
    reached = np.asarray(
        item.once("scores", lambda: scores(item.case, item.value, oracle).tolist())
    )
    resemblance = float(item.once("resemblance", lambda: resemblance_to_data(item)))
    relative = (float(reached.min()) - grey) / max(reference - grey, 1e-9)
    margin = min(
        room(relative, threshold["relative_score"], 1.0),
        room(resemblance, threshold["resemblance"], 0.0),
    )
    return _Achieved(item, reached, relative, resemblance, margin)


def _too_weak(best: _Achieved, reference: float, least: float, count: int) -> tuple[str, str]:
    """What is said of an image that excites too little, and what to do about it."""
    asked = best.item.case.arguments
    text = (
        _(
            "output {index} of {layer} reaches {reached:.2f} on the best of your {count} images; "
            "the reference's reaches {reference:.2f}, expected at least {least:.2f}"
        )
        if count > 1
        else _(
            "output {index} of {layer} reaches {reached:.2f} on your image; the reference's "
            "reaches {reference:.2f}, expected at least {least:.2f}"
        )
    )
    message = text.format(
        index=asked["filter_indices"][int(best.reached.argmin())],
        layer=asked["layer_name"],
        reached=best.reached.min(),
        count=count,
        reference=reference,
        least=least,
    )
    several = _(
        "every index of filter_indices must be excited: add their logits up in the loss, and look "
        "at each of them"
    )
    one = _(
        "climb the gradient of the logit (before softmax) of the asked output, for enough steps, "
        "and check the sign of the update"
    )
    return message, several if len(asked["filter_indices"]) > 1 else one


def trace_of(item: Evidence, reached: npt.NDArray[np.float64]) -> Trace:
    """What the image achieves: scores, variation, resemblance to the data; and the reference's."""
    reference, grey = item.facts["reference_scores"], item.facts["grey_scores"]
    spread = np.maximum(np.abs(reference - grey), 1e-9)
    features = [
        *np.clip((reached - grey) / spread, -3, 3),
        standardised_variation(item.value),
        2 * float(item.once("resemblance", lambda: resemblance_to_data(item))),
        float(np.clip(item.value.std() / max(float(item.accepted[0].std()), 1e-9), 0, 3)),
    ]
    right = [*np.ones(len(reached)), standardised_variation(item.accepted[0]), 0.8, 1.0]
    return Trace("image", np.array(features, "float32"), np.array(right, "float32"))


def wrong_shape(item: Evidence) -> Judgement | None:
    expected = tuple(int(size) for size in item.facts["shape"])
    if item.value.shape == expected:
        return None
    message = _("expected an image of shape {expected}, got {got}").format(
        expected=expected, got=item.value.shape
    )
    return Judgement(False, 0.0, {}, message, _("return one image as the network takes it"))
