"""Activation maximization: no single image is right, so each is judged by what it achieves.

The harness has the model score the student's image itself (`excitation`), and measures how rough it
is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import marked
from harness.metrics.images import axis_roughness, rank_correlation, standardised_variation
from harness.metrics.room import room
from harness.models import PREPROCESSINGS
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
)
from harness.techniques.excitation import judge_score, scores, trace_of, wrong_shape
from harness.techniques.figures.activation_maximization import figures


def _expected() -> str:
    return _("expected one image (H, W, C) as the network takes it")


def normalise(lab: Lab, case: Case, value: Value) -> npt.NDArray[np.float64]:
    """A finite float64 image (H, W, C) within the model's input range."""
    try:
        array = np.asarray(value)
    except ValueError:
        text = _("returned lists of unequal length; {expected}")
        raise OutputError(text.format(expected=_expected())) from None
    if array.dtype.kind not in "fiub":
        text = _("returned {kind} values; {expected}")
        raise OutputError(text.format(kind=array.dtype, expected=_expected()))
    image = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
    image = image[..., None] if image.ndim == 2 else image
    if image.ndim != 3 or image.size == 0:
        text = _("returned shape {shape}; {expected}")
        raise OutputError(text.format(shape=array.shape, expected=_expected()))
    image = image.astype("float64")
    if not np.isfinite(image).all():
        hint = _("look for a division by zero, or a step so large that the ascent diverges")
        text = _("the image holds NaN or infinity; {expected}")
        raise OutputError(text.format(expected=_expected()), hint)
    low, high = PREPROCESSINGS[lab.models[case.model].preprocessing].input_range
    slack = 1e-3 * (high - low)
    if image.min() < low - slack or image.max() > high + slack:
        text = _(
            "the image goes from {least:.4g} to {most:.4g}; expected values within "
            "model.input_range, {low:g} to {high:g}"
        ).format(least=image.min(), most=image.max(), low=low, high=high)
        hint = _("clip or rescale the image into model.input_range before you return it")
        raise OutputError(text, hint)
    return image


def facts(
    lab: Lab, case: Case, reference: Any, reseeded: Sequence[Any], oracle: Oracle
) -> Mapping[str, Value]:
    """Scores of the reference's images and of a mid-grey one, for each index asked; roughness.

    The reference's are the median over seeds: on a pair of outputs, one seed reaches up to 1.6
    times what another does, and is up to 1.4 times as rough.
    """
    low, high = PREPROCESSINGS[lab.models[case.model].preprocessing].input_range
    grey = np.full_like(reference, (low + high) / 2)
    images = (reference, *reseeded)
    every = [scores(case, image, oracle) for image in images]
    return {
        "shape": np.asarray(reference.shape),
        "reference_scores": np.median(every, axis=0),
        "grey_scores": scores(case, grey, oracle),
        "roughness": np.median([axis_roughness(image) for image in images], axis=0),
    }


def drift(case: Case, stored: npt.NDArray[Any], fresh: npt.NDArray[Any], oracle: Oracle) -> float:
    """Largest relative difference in what two images achieve: their scores and variation.

    Not of their pixels: hundreds of steps turn the last bit of the arithmetic into another image
    that is as good.
    """
    then, now = scores(case, stored, oracle), scores(case, fresh, oracle)
    in_scores = float(np.abs(then - now).max() / max(np.abs(then).max(), 1e-9))
    variation = max(standardised_variation(stored), 1e-9)
    return max(in_scores, abs(standardised_variation(fresh) - variation) / variation)


def judge_smoothness(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """The total variation of the standardised image is at most the threshold, and above 0."""
    [item] = evidence
    if problem := wrong_shape(item):
        return problem
    variation = standardised_variation(item.value)
    limit = threshold["variation"]
    measured = {"variation": variation}
    if variation == 0:
        trace = Trace("constant", np.zeros(1, "float32"), np.zeros(1, "float32"))
        message, hint = _("the image is constant"), _("start from noise")
        return Judgement(False, 0.0, measured, message, hint, trace=trace)
    margin = room(variation, limit, 0.0)
    if margin >= 0:
        return Judgement(True, 1.0, measured, margin=margin)
    message = _(
        "the image is rougher than its tv_weight allows: total variation {found:.2f} after "
        "standardising, expected at most {most:.2f}"
    ).format(found=variation, most=limit)
    hint = _("the loss needs the total variation times tv_weight, with a plus sign when minimised")
    trace = trace_of(item, scores(item.case, item.value, oracle))
    return Judgement(False, min(0.99, limit / variation), measured, message, hint, margin, trace)


def judge_fall(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Over a sweep of `tv_weight`, the roughness falls, and along both axes by enough.

    What is enough depends on the output: of a 3's roughness more is left than of a 9's. So what
    is left at the largest weight is taken relative to what the reference leaves.
    """
    for item in evidence:
        if problem := wrong_shape(item):
            return problem
    weights = [float(item.case.arguments["tv_weight"]) for item in evidence]
    roughness = np.array([axis_roughness(item.value) for item in evidence])
    expected = np.array([item.facts["roughness"] for item in evidence])
    order = -rank_correlation(weights, roughness.sum(axis=1).tolist())
    left, reference = _left(roughness, weights), _left(expected, weights)
    most = threshold["roughness_left"]
    relative = float((left / np.maximum(reference, 1e-9)).max())
    measured = {"falling": order, "roughness_left": relative}
    margin = min(room(order, threshold["falling"], 1.0), room(relative, most, 0.0))
    if margin >= 0:
        return Judgement(True, 1.0, measured, margin=margin)
    listed = ", ".join(
        _("{weight:g}: {down:.2f} and {across:.2f}").format(weight=weight, down=down, across=across)
        for weight, (down, across) in zip(weights, roughness, strict=True)
    )
    message = _(
        "a larger tv_weight must give a smoother image along both axes; roughness down and across "
        "by tv_weight: {listed}; at the largest, {down:.2f} and {across:.2f} of the first is left, "
        "expected at most {most_down:.2f} and {most_across:.2f}"
    ).format(
        listed=listed,
        down=left[0],
        across=left[1],
        most_down=most * reference[0],
        most_across=most * reference[1],
    )
    hint = _(
        "check that tv_weight reaches the loss, that the penalty is large enough to count, and "
        "that it has the differences along both axes"
    )
    trace = Trace("sweep", _axes(left), _axes(reference))
    score = float(np.clip(order, 0, 0.99))
    return Judgement(False, score, measured, message, hint, margin, trace)


def _left(roughness: npt.NDArray[np.float64], weights: Sequence[float]) -> npt.NDArray[np.float64]:
    """What is left of the roughness down and across: at the largest weight over the smallest."""
    last, first = roughness[int(np.argmax(weights))], roughness[int(np.argmin(weights))]
    return np.asarray(last / np.maximum(first, 1e-9), "float64")


def _axes(ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    """Both ratios and how far apart they are, for the diagnosis."""
    return np.array([*ratios, np.ptp(ratios)], "float32").clip(0, 3)


def judge_repeat(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Two calls with the same seed return the same image."""
    first = evidence[0].value
    shapes_agree = all(item.value.shape == first.shape for item in evidence)
    largest = (
        max(float(np.abs(item.value - first).max()) for item in evidence) if shapes_agree else None
    )
    measured = {"largest_difference": largest}
    margin = -1.0 if largest is None else room(largest, threshold["largest_difference"], 0.0)
    if margin >= 0:
        return Judgement(True, 1.0, measured, margin=margin)
    message = _("the same arguments and the same seed gave two different images")
    hint = _("draw the start image, and all else that is random, from a generator made with seed")
    trace = Trace("differ", np.ones(1, "float32"), np.zeros(1, "float32"))
    return Judgement(False, 0.0, measured, message, hint, margin, trace)


_CALL = ("maximize_activation",)

TECHNIQUE = Technique(
    name="activation_maximization",
    title=marked("Activation maximization"),
    functions={
        "maximize_activation": Function(
            parameters=("model", "layer_name", "filter_indices", "tv_weight", "seed"),
            arguments={
                "layer_name": arguments.layer(),
                "filter_indices": arguments.filter_indices(),
                "tv_weight": arguments.number("tv_weight", 0, 1000),
                "seed": arguments.number("seed", 0, 2**31 - 1, whole=True, default=0),
            },
            signature="maximize_activation(model, layer_name, filter_indices, tv_weight, seed) "
            "-> np.ndarray",
            returns=marked(
                "an image `(H, W, C)` within `model.input_range` that excites the outputs or "
                "filters `filter_indices` of the layer, all of them where there are several; at "
                "the last layer their **logits**, before the softmax. The larger `tv_weight`, the "
                "smoother the image; the same `seed` gives the same image"
            ),
            accepted=(
                marked("any optimizer, start, jitter or blur, and as many steps as it takes"),
                marked(
                    "total variation of squares or of absolute values, per pixel: a mean, or a "
                    "sum divided by the number of values"
                ),
                marked("a batch axis of one, float64, tensors"),
            ),
        )
    },
    normalise=normalise,
    facts=facts,
    metrics={
        "score": Metric(
            _CALL,
            {"relative_score": 0.64, "resemblance": 0.72},
            judge_score,
            at_most=("resemblance",),
            passes=marked(
                "where a grey image is 0 and the reference’s image 1, yours reaches "
                "{relative_score:.2f} in what it is to excite, in the least of them where there "
                "are several; and it is none of the data (correlation at most {resemblance:.2f})"
            ),
        ),
        "best_score": Metric(
            _CALL,
            {"relative_score": 0.6, "resemblance": 0.72},
            judge_score,
            over="seed",
            at_most=("resemblance",),
            passes=marked(
                "the image is asked for with several seeds, and the best counts: where a grey "
                "image is 0 and the reference’s image 1, it reaches {relative_score:.2f} in what "
                "it is to excite, in the least of them where there are several; and it is none of "
                "the data (correlation at most {resemblance:.2f})"
            ),
        ),
        "smoothness": Metric(
            _CALL,
            {"variation": 1.6},
            judge_smoothness,
            at_most=("variation",),
            passes=marked(
                "the total variation of your image, brought to mean 0 and deviation 1 before, is "
                "at most {variation:.2f}, and the image is not constant"
            ),
        ),
        "fall": Metric(
            _CALL,
            {"falling": 0.8, "roughness_left": 1.9},
            judge_fall,
            over="tv_weight",
            at_most=("roughness_left",),
            passes=marked(
                "over a sweep, the roughness falls as `tv_weight` grows (rank correlation at least "
                "{falling:.2f}), and along both axes at most {roughness_left:.2f} times as much of "
                "it is left as in the reference’s images"
            ),
        ),
        "repeat": Metric(
            _CALL,
            {"largest_difference": 0.01},
            judge_repeat,
            over="",
            at_most=("largest_difference",),
            passes=marked("the same arguments and the same `seed` give the same image again"),
        ),
    },
    figures=figures,
    drift=drift,
    drift_tolerance=0.1,
    seeds=4,
    one_of_many=True,
)
