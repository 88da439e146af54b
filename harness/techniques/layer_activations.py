"""Layer activations: of one image, averaged per class, and the filter that dominates each pixel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Oracle
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import marked
from harness.metrics.room import room
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
    batchless,
    sample,
)
from harness.techniques.figures.layer_activations import figures

Array = npt.NDArray[Any]


def normalise(lab: Lab, case: Case, value: Value) -> Any:
    """Arrays by layer name for `layer_activations`; one array for the two statistics."""
    if case.function != "layer_activations":
        return _statistic(value)
    names = case.arguments["layers"]
    if items := _items(value):
        value = items
    elif isinstance(value, list) and len(value) == len(names):
        value = dict(zip(names, value, strict=True))
    elif isinstance(value, np.ndarray) and len(names) == 1:
        value = {names[0]: value}
    if not isinstance(value, dict):
        text = _("returned {what}; expected a dict from layer name to array, for {names}")
        raise OutputError(
            text.format(what=_kind(value), names=", ".join(names)),
            _("return one entry for every name in layer_names"),
        )
    missing = [name for name in names if name not in value]
    if missing:
        raise OutputError(
            _("no activations for {missing}; found {found}").format(
                missing=", ".join(missing), found=", ".join(value) or _("an empty dict")
            ),
            _("return one entry for every name in layer_names"),
        )
    return {
        name: _real(_as_array(value[name]), _("layer {name}").format(name=name)) for name in names
    }


def _items(value: Value) -> dict[str, Value]:
    """Activations by name that came as pairs, as of `list(activations.items())`; else empty."""
    found = {}
    for entry in value if isinstance(value, list) else ():
        if not isinstance(entry, list) or len(entry) != 2 or not isinstance(entry[0], str):
            return {}
        found[entry[0]] = entry[1]
    return found


def facts(
    lab: Lab, case: Case, reference: Any, reseeded: Sequence[Any], oracle: Oracle
) -> Mapping[str, Value]:
    """For dominant filters: the pixels where correct code may differ."""
    if case.function != "dominant_filters":
        return {}
    images, labels = lab.dataset(case.arguments["dataset"])
    layer = case.arguments["layer_name"]
    activations = oracle.layer_outputs(case.model, layer, images, preprocess=True)
    return {"ambiguous": ambiguous_pixels(activations, labels, len(reference))}


def ambiguous_pixels(activations: Array, labels: Array, classes: int) -> npt.NDArray[np.bool_]:
    """Pixels whose dominant filter depends on how ties are broken.

    An image in which several filters share the highest value at a pixel (all zero, mostly) could
    vote there for any of them. A pixel is ambiguous when the winner's certain votes do not exceed
    the votes that any other filter could have.

    Args:
        activations: (n, h, w, filters) float.
        labels: (n,) int, 0 to classes − 1.
        classes: how many.

    Returns:
        (classes, h, w) bool.
    """
    # Values this near are a tie to some correct code: float noise between machines is below it.
    near = 1e-5 * max(float(np.abs(activations).max()), 1e-12)
    top = activations >= activations.max(axis=-1, keepdims=True) - near
    certain = top & (top.sum(axis=-1, keepdims=True) == 1)
    ambiguous = np.empty((classes, *activations.shape[1:3]), bool)
    for label in range(classes):
        sure = certain[labels == label].sum(axis=0)
        possible = top[labels == label].sum(axis=0)
        winner = sure.argmax(axis=-1)[..., None]
        best = np.take_along_axis(sure, winner, axis=-1)[..., 0]
        others = possible.copy()
        np.put_along_axis(others, winner, -1, axis=-1)
        ambiguous[label] = best <= others.max(axis=-1)
    return ambiguous


def judge_layers(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Every layer's activations within the tolerance; the first that is not is named."""
    [item] = evidence
    expected: dict[str, Array] = item.accepted[0]
    agreeing, first = 0, ""
    for name, golden in expected.items():
        problem = _difference(item.value[name], golden, threshold["tolerance"])
        agreeing += not problem
        first = first or (
            problem and _("layer {name}: {problem}").format(name=name, problem=problem)
        )
    off = _largest_off(item.value, expected)
    measured = {"layers_agreeing": agreeing, "layers": len(expected), "largest_difference": off}
    hint = _(
        "compare the first layer that differs: preprocessing once, the right layer, no reshape"
    )
    score = agreeing / len(expected)
    margin = room(off, threshold["tolerance"], 0.0)
    trace = _trace(item.value, expected) if first else None
    return Judgement(not first, score, measured, first, hint if first else "", margin, trace)


def judge_mean(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """The average activation of every class within the tolerance."""
    [item] = evidence
    golden: Array = item.accepted[0]
    value = batchless(item.value, golden.shape)
    problem = _difference(value, golden, threshold["tolerance"])
    trace = _trace({"": value}, {"": golden}) if problem else None
    if value.shape != golden.shape:
        hint = _("return shape (classes, h, w, c): one average map per class, for every filter")
        return Judgement(False, 0.0, {}, problem, hint, trace=trace)
    limit = threshold["tolerance"] * float(np.abs(golden).max())
    right = np.abs(value - golden).reshape(len(golden), -1).max(axis=1) <= limit
    off = _largest_off({"": value}, {"": golden})
    measured = {
        "classes_agreeing": int(right.sum()),
        "classes": len(golden),
        "largest_difference": off,
    }
    hint = _(
        "average over the images of each class (not over pixels or filters), divided by how many"
    )
    margin = room(off, threshold["tolerance"], 0.0)
    score = float(right.mean())
    return Judgement(not problem, score, measured, problem, hint if problem else "", margin, trace)


def judge_dominant(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """The share of pixels, ties left out, where the dominant filter is the right one."""
    [item] = evidence
    golden: Array = item.accepted[0]
    value = batchless(item.value, golden.shape)
    hint = _(
        "for each image and pixel the filter with the highest activation; then, over the images "
        "of a class, the filter that wins most often: shape (classes, h, w), integers"
    )
    if value.shape != golden.shape:
        trace = _trace({"": value}, {"": golden})
        return Judgement(False, 0.0, {}, _shape_message(value, golden), hint, trace=trace)
    judged = ~np.asarray(item.facts["ambiguous"], bool)
    share = float((value == golden)[judged].mean()) if judged.any() else 1.0
    measured = {"pixels_agreeing": share, "pixels_judged": int(judged.sum())}
    passed = share >= threshold["pixels_agreeing"]
    message = _(
        "{share:.1%} of the pixels without a tie have the right filter; expected at least "
        "{least:.1%}"
    ).format(share=share, least=threshold["pixels_agreeing"])
    margin = room(share, threshold["pixels_agreeing"], 1.0)
    if passed:
        return Judgement(True, share, measured, margin=margin)
    one_hot = [np.eye(1 + int(golden.max()))[_index(maps, golden)] for maps in (value, golden)]
    trace = Trace("filters", sample(one_hot[0], 1024), sample(one_hot[1], 1024))
    return Judgement(False, share, measured, message, hint, margin, trace)


def _index(maps: Array, golden: Array) -> npt.NDArray[np.int64]:
    """Filter numbers as indices within those that the golden maps have."""
    return np.asarray(np.clip(maps, 0, golden.max()), "int64")


def _largest_off(values: Mapping[str, Array], golden: Mapping[str, Array]) -> float:
    """The largest difference relative to the largest value of its layer; 1 for another shape."""
    largest = 0.0
    for name, expected in golden.items():
        value = batchless(values[name], expected.shape)
        scale = max(float(np.abs(expected).max()), 1e-12)
        alike = value.shape == expected.shape
        largest = max(largest, float(np.abs(value - expected).max() / scale) if alike else 1.0)
    return largest


def _trace(values: Mapping[str, Array], golden: Mapping[str, Array]) -> Trace:
    """Samples of every layer, relative to its largest value, one after the other."""
    kind, parts, right = [], [], []
    for name, expected in golden.items():
        value = batchless(values[name], expected.shape)
        scale = max(float(np.abs(expected).max()), 1e-12)
        alike = value.shape == expected.shape
        kind.append("=" if alike else f"{value.ndim}d")
        parts.append(sample(value / scale, 128))
        right.append(sample(expected / scale, 128) if alike else np.zeros_like(parts[-1]))
    return Trace(" ".join(kind), np.concatenate(parts), np.concatenate(right))


def _difference(value: Array, golden: Array, tolerance: float) -> str:
    """What differs, in one sentence; empty if nothing does."""
    value = batchless(value, golden.shape)
    if value.shape != golden.shape:
        return _shape_message(value, golden)
    scale = max(float(np.abs(golden).max()), 1e-12)
    off = np.abs(value - golden) > tolerance * scale
    if not off.any():
        return ""
    place = tuple(int(i) for i in np.argwhere(off)[0])
    return _(
        "{share:.1%} of the values differ; first at {place}: expected {expected:.4g}, got {got:.4g}"
    ).format(share=off.mean(), place=list(place), expected=golden[place], got=value[place])


def _shape_message(value: Array, golden: Array) -> str:
    text = _("expected shape {expected}, got {got}")
    return text.format(expected=golden.shape, got=value.shape)


def _statistic(value: Value) -> Array:
    if isinstance(value, dict):  # {class: map}, in the order of the classes
        try:
            stacked: list[Value] = [value[str(label)] for label in range(len(value))]
        except KeyError:
            found = ", ".join(list(value)[:12])
            text = _("returned a dict with keys {found}; expected an array, or keys 0, 1, 2, …")
            raise OutputError(text.format(found=found)) from None
        value = stacked
    return _real(_as_array(value), _("the result"))


def _as_array(value: Value) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        text = _("returned lists of unequal length; expected one array")
        raise OutputError(text) from None
    if array.dtype.kind not in "fiub":
        text = _("returned {what}; expected an array of numbers")
        raise OutputError(text.format(what=_kind(value)))
    return array


def _real(array: Array, name: str) -> Array:
    array = array.astype("float64")
    if not np.isfinite(array).all():
        text = _("{name} holds NaN or infinity").format(name=name)
        raise OutputError(text, _("look for a division by zero"))
    return array


def _kind(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return _("an array of shape {shape}").format(shape=value.shape)
    if isinstance(value, (list, dict)):
        return _("a {kind} of {n}").format(kind=type(value).__name__, n=len(value))
    return _("a {kind}").format(kind=type(value).__name__)


_DATASET = {"dataset": arguments.dataset(), "layer_name": arguments.layer()}
_DATASET_PARAMETERS = ("model", "images", "labels", "layer_name")

_EVERY_NUMBER = marked("every number is right to {tolerance:g} of the largest of its layer")

TECHNIQUE = Technique(
    name="layer_activations",
    title=marked("Layer activation maps"),
    functions={
        "layer_activations": Function(
            parameters=("model", "image", "layer_names"),
            arguments={"image": arguments.image(), "layers": arguments.layers()},
            signature="layer_activations(model, image, layer_names) -> dict[str, np.ndarray]",
            returns=marked(
                "for each name in `layer_names`, the output of that layer for the image, after its "
                "activation function: `(h, w, c)`, or `(c,)` for a dense layer"
            ),
            accepted=(marked("a list in the order of the names, a batch axis of one"),),
        ),
        "mean_activations": Function(
            parameters=_DATASET_PARAMETERS,
            arguments=_DATASET,
            signature="mean_activations(model, images, labels, layer_name) -> np.ndarray",
            returns=marked(
                "the average output of the layer over all images of each class: "
                "`(classes, h, w, c)`, or `(classes, c)` for a dense layer"
            ),
            accepted=(marked("float64, tensors"),),
        ),
        "dominant_filters": Function(
            parameters=_DATASET_PARAMETERS,
            arguments=_DATASET,
            signature="dominant_filters(model, images, labels, layer_name) -> np.ndarray",
            returns=marked(
                "for each class and pixel, the filter that is most often the strongest over the "
                "images of that class (the mode over images of the argmax over filters): "
                "`(classes, h, w)`, integers from 0"
            ),
            accepted=(marked("either filter wherever two are equally frequent"),),
        ),
    },
    normalise=normalise,
    facts=facts,
    metrics={
        "agreement": Metric(
            ("layer_activations",),
            {"tolerance": 1e-3},
            judge_layers,
            at_most=("tolerance",),
            passes=_EVERY_NUMBER,
        ),
        "mean_agreement": Metric(
            ("mean_activations",),
            {"tolerance": 1e-3},
            judge_mean,
            at_most=("tolerance",),
            passes=_EVERY_NUMBER,
        ),
        "dominant_agreement": Metric(
            ("dominant_filters",),
            {"pixels_agreeing": 0.99},
            judge_dominant,
            passes=marked(
                "{pixels_agreeing:.0%} of the pixels name the right filter; those where filters "
                "are almost equally frequent are not judged"
            ),
        ),
    },
    figures=figures,
)
