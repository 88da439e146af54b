"""Top-k predictions: names and probabilities of the most probable classes."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any

import numpy as np

from harness.calls import Oracle
from harness.figures import Figure, Row, Table, photograph, rgb
from harness.lab import Case, Lab
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
    room,
)

FUNCTION = "top_predictions"
_EXPECTED = "expected a list of (class name, probability), highest first"
_PERCENTAGES = "these are percentages: accepted, but the contract asks for probabilities, 0 to 1"


def normalise(lab: Lab, case: Case, value: Value) -> list[tuple[str, float]]:
    """Pairs (name, probability) from pairs, `decode_predictions`' triples, a dict or an array."""
    if isinstance(value, np.ndarray):
        raise OutputError(
            f"returned an array of numbers, {value.dtype} {value.shape}; {_EXPECTED}",
            "use model.decode_predictions(probabilities, top=k) to get the names",
        )
    if isinstance(value, dict):
        value = [[name, probability] for name, probability in value.items()]
    if not isinstance(value, list):
        raise OutputError(f"returned {_short(value)}; {_EXPECTED}")
    if len(value) == 1 and isinstance(value[0], list) and _is_list_of_rows(value[0]):
        value = value[0]  # the batch axis of decode_predictions
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
    if judgement.passed or not any(probability > 1.0001 for _, probability in item.value):
        return judgement
    shares = [(name, probability / 100) for name, probability in item.value]
    as_shares = _judge(replace(item, value=shares), threshold)
    return replace(as_shares, message=_PERCENTAGES) if as_shares.passed else judgement


def _judge(item: Evidence, threshold: Mapping[str, float]) -> Judgement:
    tolerance = threshold["tolerance"]
    probabilities = item.facts["probabilities"]
    classes = item.lab.models[item.case.model].classes
    # Two of ImageNet's classes may share a name (crane, maillot): a name has a list.
    known: dict[str, list[float]] = {}
    for (_, name), p in zip(classes, probabilities, strict=True):
        known.setdefault(_word(name), []).append(float(p))
    ranked = sorted(map(float, probabilities), reverse=True)
    expected = item.accepted[0]
    agree, worst, wrong = 0, 0.0, ""
    for rank, (name, probability) in enumerate(item.value[: len(expected)]):
        if _word(name) not in known:
            wrong = wrong or f"{name!r} is not a class of the model"
            continue
        true = min(known[_word(name)], key=lambda p: abs(p - probability))
        in_place = abs(true - ranked[rank]) <= threshold["tie"]
        worst = max(worst, abs(probability - true))
        agree += in_place and abs(probability - true) <= tolerance
        if not in_place:
            wrong = wrong or f"place {rank + 1}: expected {expected[rank][0]!r}, got {name!r}"
        elif abs(probability - true) > tolerance:
            wrong = wrong or f"{name!r}: expected probability {true:.3f}, got {probability:.3f}"
    names = [_word(name) for name, _ in item.value]
    if len(names) != len(expected):
        wrong = f"expected {len(expected)} predictions, got {len(names)}"
    elif any(names.count(name) > len(known.get(name, names)) for name in names):
        wrong = "a class is named twice"
    score = agree / len(expected)
    measured = {"predictions_agreeing": agree, "largest_difference": worst}
    if not wrong:
        return Judgement(True, min(score, 1.0), measured, margin=room(worst, tolerance, 0.0))
    margin = min(score - 1.0, -1 / len(expected))
    trace = _trace(item, [name for _, name in classes])
    return Judgement(False, min(score, 0.99), measured, wrong, _hint(item), margin, trace)


def _trace(item: Evidence, classes: Sequence[str]) -> Trace:
    """Which class stands in each place, one row each, and its probability."""
    known = {_word(name): index for index, name in enumerate(classes)}
    made = []
    for pairs in (item.value, item.accepted[0]):
        table = np.zeros((12, len(classes) + 2), "float32")
        for row, (name, probability) in zip(table, pairs, strict=False):
            row[known.get(_word(name), len(classes))] = 1.0
            row[-1] = np.clip(probability, -30, 30)
        made.append(table.ravel())
    logits = any(not -1e-4 <= probability <= 1.0001 for _, probability in item.value)
    return Trace("logits" if logits else "probabilities", made[0], made[1])


def _hint(item: Evidence) -> str:
    probabilities = [probability for _, probability in item.value]
    if probabilities and not all(0 <= p <= 1.0001 for p in probabilities):
        return "these are not probabilities; return the output of the softmax, not the logits"
    if probabilities == sorted(probabilities) and len(set(probabilities)) > 1:
        return "the list is in ascending order; the most probable class comes first"
    if {_word(name) for name, _ in item.value} == {_word(name) for name, _ in item.accepted[0]}:
        return "the classes are right; check their order and probabilities"
    return (
        "check that the image goes through model.preprocess_input exactly once, that its channels "
        "are in the order red, green, blue, and that classes are named by decode_predictions"
    )


def _is_list_of_rows(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], list)


def _pair(row: Value) -> tuple[str, float]:
    if not isinstance(row, list) or len(row) not in (2, 3):
        raise OutputError(f"an entry is {_short(row)}; {_EXPECTED}")
    name, probability = row[-2:]
    if not isinstance(name, str):
        raise OutputError(
            f"an entry names its class {_short(name)}; expected the class's name",
            "use model.decode_predictions(probabilities, top=k) to get the names",
        )
    if isinstance(probability, np.ndarray) and probability.size == 1:
        probability = probability.item()
    try:
        number = float(probability)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        message = f"the probability of {name!r} is {_short(probability)}; expected a number"
        raise OutputError(message) from None
    if not math.isfinite(number):
        raise OutputError(f"the probability of {name!r} is {number}; expected a number from 0 to 1")
    return name[:200], number  # no class has a longer name, and messages stay short


def _word(name: str) -> str:
    """A class name without what people write differently: case, spaces, hyphens."""
    return re.sub(r"[\s_-]+", "_", name.strip().lower())


def _short(value: Any) -> str:
    text = f"{type(value).__name__} {value!r}"
    return text if len(text) <= 80 else text[:79] + "…"


def figures(evidence: Sequence[Evidence]) -> Sequence[Figure]:
    """The image, and both tables side by side with the rows that differ marked."""
    return [_figure(item) for item in evidence]


def _figure(item: Evidence) -> Figure:
    expected = item.accepted[0]
    # Some rows more than were asked for show what is wrong; a thousand do not.
    returned = item.value[: len(expected) + 3]
    pairs = list(zip_longest(returned, expected, fillvalue=("", math.nan)))
    image: Any = item.arguments["image"]
    name = item.case.arguments["image"]
    return Figure(
        f"The most probable classes of {name}",
        (
            Row((photograph(rgb(image), f"The image {name}"),)),
            Table(
                ("", "Your class", "Probability", "Expected", "Probability"),
                tuple(
                    (str(n + 1), _shown(mine[0]), _number(mine[1]), theirs[0], _number(theirs[1]))
                    for n, (mine, theirs) in enumerate(pairs)
                ),
                marked=frozenset(n for n, pair in enumerate(pairs) if _differ(*pair)),
            ),
        ),
    )


def _differ(mine: tuple[str, float], theirs: tuple[str, float]) -> bool:
    # Written so that a missing probability (NaN) differs.
    return _word(mine[0]) != _word(theirs[0]) or not abs(mine[1] - theirs[1]) <= 0.01


def _shown(name: str) -> str:
    return name if len(name) <= 60 else name[:59] + "…"


def _number(probability: float) -> str:
    if math.isnan(probability):
        return ""
    return "< 0.0001" if 0 < probability < 1e-4 else f"{probability:.4g}"


TECHNIQUE = Technique(
    name="top_predictions",
    title="Top predictions",
    functions={
        FUNCTION: Function(
            parameters=("model", "image", "k"),
            arguments={
                "image": arguments.image(),
                "k": arguments.number("k", 1, 1000, whole=True, default=5),
            },
            signature="top_predictions(model, image, k=5) -> list[tuple[str, float]]",
        )
    },
    normalise=normalise,
    facts=facts,
    metrics={
        "agreement": Metric((FUNCTION,), {"tolerance": 0.01, "tie": 0.001}, judge_agreement),
    },
    figures=figures,
)
