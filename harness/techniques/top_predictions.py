"""Top-k predictions: names and probabilities of the most probable classes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

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
)
from harness.techniques.figures.top_predictions import figures
from harness.texts import plain_word

FUNCTION = "top_predictions"
_PERCENTAGES = marked(
    "these are percentages: accepted, but the contract asks for probabilities, 0 to 1"
)
_TIED = marked(
    "the probabilities of {names} are so near to each other that any order of them is right"
)


def _expected() -> str:
    return _("expected a list of (class name, probability), highest first")


def normalise(lab: Lab, case: Case, value: Value) -> list[tuple[str, float]]:
    """Pairs (name, probability) from whatever says so without a doubt.

    That is pairs in either order, `decode_predictions`' triples, a dict, a dict for each class, an
    array of any of them, or the names and the probabilities one after the other.
    """
    if isinstance(value, np.ndarray):
        text = _("returned an array of numbers, {kind} {shape}; {expected}")
        raise OutputError(
            text.format(kind=value.dtype, shape=value.shape, expected=_expected()),
            _("use model.decode_predictions(probabilities, top=k) to get the names"),
        )
    if isinstance(value, dict):
        value = [[name, probability] for name, probability in value.items()]
    if not isinstance(value, list):
        text = _("returned {what}; {expected}")
        raise OutputError(text.format(what=_short(value), expected=_expected()))
    if len(value) == 1 and isinstance(value[0], list) and _is_list_of_rows(value[0]):
        value = value[0]  # the batch axis of decode_predictions
    if _is_names_and_numbers(value):
        value = [list(pair) for pair in zip(*value, strict=True)]
    return [_pair(row) for row in value]


def facts(
    lab: Lab, case: Case, reference: Any, reseeded: Sequence[Any], oracle: Oracle
) -> Mapping[str, Value]:
    """Probabilities of all classes, from which ties are known."""
    image = arguments.image().resolve(lab, case, case.arguments["image"])["image"]
    assert isinstance(image, np.ndarray)
    return {"probabilities": oracle.probabilities(case.model, image[None])[0]}


def judge_agreement(
    evidence: Sequence[Evidence], threshold: Mapping[str, float], oracle: Oracle
) -> Judgement:
    """Every name where it belongs, with its probability within the tolerance.

    Classes whose probabilities differ by no more than `tie` may stand in each other's place.
    Percentages are accepted, with a note.
    """
    [item] = evidence
    judgement = _judge(item, threshold)
    if judgement.passed or not any(probability > 1.0001 for _name, probability in item.value):
        return judgement
    shares = [(name, probability / 100) for name, probability in item.value]
    as_shares = _judge(replace(item, value=shares), threshold)
    return replace(as_shares, message=_(_PERCENTAGES)) if as_shares.passed else judgement


def _judge(item: Evidence, threshold: Mapping[str, float]) -> Judgement:
    tolerance = threshold["tolerance"]
    probabilities = item.facts["probabilities"]
    classes = item.lab.models[item.case.model].classes
    # Two of ImageNet's classes may share a name (crane, maillot): a name has a list.
    known: dict[str, list[float]] = {}
    for (_id, name), p in zip(classes, probabilities, strict=True):
        known.setdefault(plain_word(name), []).append(float(p))
    ranked = sorted(map(float, probabilities), reverse=True)
    expected = item.accepted[0]
    agree, worst, wrong = 0, 0.0, ""
    for rank, (name, probability) in enumerate(item.value[: len(expected)]):
        if plain_word(name) not in known:
            wrong = wrong or _("{name!r} is not a class of the model").format(name=name)
            continue
        true = min(known[plain_word(name)], key=lambda p: abs(p - probability))
        in_place = abs(true - ranked[rank]) <= threshold["tie"]
        worst = max(worst, abs(probability - true))
        agree += in_place and abs(probability - true) <= tolerance
        if not in_place:
            text = _("place {place}: expected {expected!r}, got {got!r}")
            wrong = wrong or text.format(place=rank + 1, expected=expected[rank][0], got=name)
        elif abs(probability - true) > tolerance:
            text = _("{name!r}: expected probability {expected:.3f}, got {got:.3f}")
            wrong = wrong or text.format(name=name, expected=true, got=probability)
    names = [plain_word(name) for name, _p in item.value]
    if len(names) != len(expected):
        text = _("expected {expected} predictions, got {got}")
        wrong = text.format(expected=len(expected), got=len(names))
    elif any(names.count(name) > len(known.get(name, names)) for name in names):
        wrong = _("a class is named twice")
    score = agree / len(expected)
    measured = {"predictions_agreeing": agree, "largest_difference": worst}
    if not wrong:
        swapped = [
            name
            for (name, _p), (right, _q) in zip(item.value, expected, strict=True)
            if plain_word(name) != plain_word(right)
        ]
        message = _(_TIED).format(names=", ".join(swapped)) if swapped else ""
        margin = room(worst, tolerance, 0.0)
        return Judgement(True, min(score, 1.0), measured, message, margin=margin)
    margin = min(score - 1.0, -1 / len(expected))
    trace = _trace(item, [name for _id, name in classes])
    return Judgement(False, min(score, 0.99), measured, wrong, _hint(item), margin, trace)


def _trace(item: Evidence, classes: Sequence[str]) -> Trace:
    """Which class stands in each place, one row each, and its probability."""
    known = {plain_word(name): index for index, name in enumerate(classes)}
    made = []
    for pairs in (item.value, item.accepted[0]):
        table = np.zeros((12, len(classes) + 2), "float32")
        for row, (name, probability) in zip(table, pairs, strict=False):
            row[known.get(plain_word(name), len(classes))] = 1.0
            row[-1] = np.clip(probability, -30, 30)
        made.append(table.ravel())
    logits = any(not -1e-4 <= probability <= 1.0001 for _name, probability in item.value)
    return Trace("logits" if logits else "probabilities", made[0], made[1])


def _hint(item: Evidence) -> str:
    if len(item.value) != len(item.accepted[0]):
        return _("return as many classes as `k` says")
    probabilities = [probability for _name, probability in item.value]
    if probabilities and not all(0 <= p <= 1.0001 for p in probabilities):
        return _("these are not probabilities; return the output of the softmax, not the logits")
    if probabilities == sorted(probabilities) and len(set(probabilities)) > 1:
        return _("the list is in ascending order; the most probable class comes first")
    if {plain_word(name) for name, _p in item.value} == {
        plain_word(name) for name, _p in item.accepted[0]
    }:
        return _("the classes are right; check their order and probabilities")
    return _(
        "check that the image goes through model.preprocess_input exactly once, that its channels "
        "are in the order red, green, blue, and that classes are named by decode_predictions"
    )


def _pairs_hint() -> str:
    return _(
        "return one pair for each class, its name and a number from 0 to 1: "
        "list(zip(names, probabilities))"
    )


def _is_list_of_rows(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _is_names_and_numbers(value: list[Value]) -> bool:
    """Whether it is all names, and then as many probabilities."""
    if len(value) != 2 or not all(isinstance(part, list | np.ndarray) for part in value):
        return False
    names, numbers = (list(part) for part in value)  # type: ignore[arg-type]
    are_names = bool(names) and all(isinstance(name, str) for name in names)
    return are_names and len(names) == len(numbers) and not isinstance(numbers[0], str)


def _pair(row: Value) -> tuple[str, float]:
    if isinstance(row, dict):
        row = list(row.values())
    if not isinstance(row, list) or len(row) not in (2, 3):
        text = _("an entry is {what}; {expected}")
        raise OutputError(text.format(what=_short(row), expected=_expected()), _pairs_hint())
    name, probability = row[-2:]
    if isinstance(probability, str) and not isinstance(name, str):
        name, probability = probability, name
    if not isinstance(name, str):
        raise OutputError(
            _("an entry names its class {what}; expected the class's name").format(
                what=_short(name)
            ),
            _("use model.decode_predictions(probabilities, top=k) to get the names"),
        )
    if isinstance(probability, np.ndarray) and probability.size == 1:
        probability = probability.item()
    try:
        number = float(probability)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        message = _("the probability of {name!r} is {what}; expected a number").format(
            name=name, what=_short(probability)
        )
        raise OutputError(message, _pairs_hint()) from None
    if not math.isfinite(number):
        text = _("the probability of {name!r} is {what}; expected a number from 0 to 1")
        raise OutputError(text.format(name=name, what=number))
    return name[:200], number  # no class has a longer name, and messages stay short


def _short(value: Any) -> str:
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 80 else text[:79] + "…"


TECHNIQUE = Technique(
    name="top_predictions",
    title=marked("Top predictions"),
    functions={
        FUNCTION: Function(
            parameters=("model", "image", "k"),
            arguments={
                "image": arguments.image(),
                "k": arguments.number("k", 1, 1000, whole=True, default=5),
            },
            signature="top_predictions(model, image, k=5) -> list[tuple[str, float]]",
            returns=marked(
                "the `k` most probable classes of the image: pairs of class name and probability "
                "(0 to 1), the most probable first"
            ),
            accepted=(
                marked("the triples of `model.decode_predictions`, a dict, a batch axis of one"),
                marked("the probability before the name, or all names and then all probabilities"),
                marked("percentages, with a note"),
                marked("any order of classes whose probabilities are as good as equal"),
            ),
        )
    },
    normalise=normalise,
    facts=facts,
    metrics={
        "agreement": Metric(
            (FUNCTION,),
            {"tolerance": 0.01, "tie": 0.001},
            judge_agreement,
            at_most=("tolerance", "tie"),
            passes=marked(
                "every name is in its place (those within {tie:g} of each other may change places) "
                "and every probability within {tolerance:g}"
            ),
        ),
    },
    figures=figures,
)
