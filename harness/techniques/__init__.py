"""The techniques of the lab, one file each, and what the rest of the harness asks of them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from harness.calls import Call, Contract
from harness.errors import UsageError, suggest
from harness.lab import Case, Check, Lab
from harness.outputs import Value
from harness.questions import Question
from harness.techniques import (
    activation_maximization,
    class_activation_maps,
    layer_activations,
    top_predictions,
)
from harness.techniques.base import ArgumentError, Function, Metric, Technique
from harness.yamlfile import Place

TECHNIQUES: Mapping[str, Technique] = {
    technique.name: technique
    for technique in (
        top_predictions.TECHNIQUE,
        layer_activations.TECHNIQUE,
        activation_maximization.TECHNIQUE,
        class_activation_maps.TECHNIQUE,
    )
}
_FUNCTIONS: Mapping[str, tuple[Technique, Function]] = {
    name: (technique, function)
    for technique in TECHNIQUES.values()
    for name, function in technique.functions.items()
}
_METRICS: Mapping[str, tuple[Technique, Metric]] = {
    f"{technique.name}.{name}": (technique, metric)
    for technique in TECHNIQUES.values()
    for name, metric in technique.metrics.items()
}
CONTRACT: Contract = {name: function.parameters for name, (_, function) in _FUNCTIONS.items()}


def contract_of(cases: Iterable[Case]) -> Contract:
    """The part of the contract that cases call."""
    return {name: CONTRACT[name] for name in dict.fromkeys(case.function for case in cases)}


def technique_of(case: Case) -> Technique:
    """The technique that a case belongs to."""
    return _FUNCTIONS[case.function][0]


def name_of(function: str) -> str:
    """The name of the technique that a function of the contract belongs to."""
    return _FUNCTIONS[function][0].name


def function_of(case: Case) -> Function:
    """The function of the contract that a case calls."""
    return _FUNCTIONS[case.function][1]


def signature_of(case: Case) -> str:
    """The signature of a case's function, as the handout gives it."""
    return function_of(case).signature


def metric_of(check: Check) -> tuple[Technique, Metric]:
    """The metric of a check and the technique that it belongs to."""
    return _METRICS[check.metric]


def key(case: Case) -> str:
    """`technique/case`: what names a case in outputs and messages."""
    return f"{technique_of(case).name}/{case.id}"


def validate(lab: Lab) -> None:
    """Check what only the techniques know: functions, arguments, metrics, thresholds, selections.

    Raises:
        LabError: with file, line, key, what was found and what is allowed.
    """
    for case in lab.cases:
        if case.function not in _FUNCTIONS:
            place: Place = ("cases", case.function)
            message = f"no function {case.function!r} in the contract; "
            raise lab.source.error(place, message + suggest(case.function, _FUNCTIONS))
        resolve_arguments(lab, case)
    keys: dict[str, Case] = {}
    for case in lab.cases:
        if key(case) in keys:
            raise lab.source.error(case.place, f"{key(case)} is there twice; rename one")
        keys[key(case)] = case
    for check in lab.checks:
        _validate_check(lab, check)
    for question in lab.questions:
        _validate_question(lab, question)


def cases_beside(lab: Lab, question: Question) -> list[Case]:
    """The cases whose figures go beside the answers to a question, in its order."""
    return [case for name in question.cases for case in lab.cases if name in _names_of(case)]


def claimed_case(lab: Lab, question: Question) -> Case:
    """The case that a table in the answers to a question is about."""
    return next(case for case in _listing(lab) if case.id == question.claims)


def _listing(lab: Lab) -> list[Case]:
    return [case for case in lab.cases if case.function == top_predictions.FUNCTION]


# How many times what the contract asks for may come: for other dtypes, copies and wrong axes that
# deserve to be told apart, and never for what takes the grader's memory.
_ROOM = 8
_LEAST_BYTES = 2**16


def call_of(lab: Lab, case: Case, expected: Any = None) -> Call:
    """The call of a case, with its arguments resolved to values.

    The second call of a repetition finds the generators in another state than the first: what is
    drawn from them without a seed of its own must not look reproducible.

    Args:
        lab: the lab.
        case: the case.
        expected: what the reference returned for it, where that is known: an answer may then be
            `_ROOM` times as large, as float64, or as the image given.
    """
    arguments = resolve_arguments(lab, case)
    seed = int(case.again)
    most = None
    if expected is not None:
        numbers = max(_numbers(expected), _numbers(arguments.get("image", 0)))
        most = _LEAST_BYTES + _ROOM * 8 * numbers
    return Call(key(case), case.function, case.model, arguments, seed, case.hidden, most)


def _numbers(value: Any) -> int:
    """How many numbers and texts a value holds."""
    if isinstance(value, np.ndarray):
        return value.size
    if isinstance(value, Mapping):
        return sum(map(_numbers, value.values()))
    return sum(map(_numbers, value)) if isinstance(value, (list, tuple)) else 1


def resolve_arguments(lab: Lab, case: Case) -> dict[str, Value]:
    """From what the lab file gives to the values that the function is called with.

    Raises:
        LabError: an argument is unknown, missing or wrong.
    """
    arguments = _FUNCTIONS[case.function][1].arguments
    for name in case.arguments:
        if name not in arguments:
            message = f"unknown argument {name!r} of {case.function}; {suggest(name, arguments)}"
            raise lab.source.error((*case.place, name), message)
    values: dict[str, Value] = {}
    for name, argument in arguments.items():
        if argument.required and name not in case.arguments:
            message = f"missing {name!r}; {case.function} takes {', '.join(arguments)}"
            raise lab.source.error(case.place, message)
        given = case.arguments.get(name, argument.default)
        try:
            values |= argument.resolve(lab, case, given)
        except ArgumentError as error:
            raise lab.source.error((*case.place, name), str(error)) from None
    return values


def selected(lab: Lab, check: Check) -> Iterator[tuple[str, list[Case]]]:
    """What a check judges: (id, cases), one case each or, for a grouped metric, a group's."""
    _, metric = metric_of(check)
    units = _units(lab, metric)
    for identifier in check.cases or [name for name in units if _fits(metric, units[name])]:
        yield identifier, units[identifier]


def part_of(lab: Lab, keys: Sequence[str]) -> Lab:
    """The lab with some of its public cases, and the checks that can be made on them; no questions.

    Args:
        lab: the lab.
        keys: `technique/case`, or `technique/group` for all cases of a sweep.

    Raises:
        UsageError: there is no such case.
    """
    known: dict[str, list[Case]] = {}
    for case in lab.cases:
        if not case.hidden:
            for name in {case.id, case.group}:
                known.setdefault(f"{technique_of(case).name}/{name}", []).append(case)
    for asked in keys:
        if asked not in known:
            raise UsageError(f"no case {asked!r}; {suggest(asked, known)}")
    chosen = {key(case) for asked in keys for case in known[asked]}
    cases = tuple(case for case in lab.cases if key(case) in chosen)
    checks = []
    for check in lab.checks:
        names = tuple(
            name for name, group in selected(lab, check) if all(key(one) in chosen for one in group)
        )
        if names:
            checks.append(replace(check, cases=names))
    return replace(lab, cases=cases, checks=tuple(checks), questions=())


def _names_of(case: Case) -> tuple[str, ...]:
    """What a question may call a case: its id or its group's, and either after its technique."""
    technique = technique_of(case).name
    names = (case.id, case.group)
    return (*names, *(f"{technique}/{name}" for name in names))


def _validate_question(lab: Lab, question: Question) -> None:
    for name in question.cases:
        found = [case for case in lab.cases if name in _names_of(case)]
        key = "case" if (*question.place, "case") in lab.source.lines else "cases"
        _validate_shown(lab, (*question.place, key), name, found, lab.cases)
    if question.claims:
        found = [case for case in _listing(lab) if case.id == question.claims]
        place = (*question.place, "claims")
        _validate_shown(lab, place, question.claims, found, _listing(lab))


def _validate_shown(
    lab: Lab, place: Place, name: str, found: Sequence[Case], listed: Sequence[Case]
) -> None:
    if not found:
        shown = dict.fromkeys(n for c in listed if not c.hidden for n in (c.group, c.id))
        raise lab.source.error(place, f"no case {name!r}; {suggest(name, shown)}")
    if any(case.hidden for case in found):
        raise lab.source.error(
            place, f"case {name!r} is hidden, and this would show it; name a public one"
        )


def _validate_check(lab: Lab, check: Check) -> None:
    if check.metric not in _METRICS:
        message = f"no metric {check.metric!r}; {suggest(check.metric, _METRICS)}"
        raise lab.source.error((*check.place, "metric"), message)
    _, metric = metric_of(check)
    for name in check.threshold:
        if name not in metric.threshold:
            message = f"unknown threshold {name!r} of {check.metric}; "
            place = (*check.place, "threshold", name)
            raise lab.source.error(place, message + suggest(name, metric.threshold))
        value, smaller = check.threshold[name], name in metric.at_most
        if not (0 <= value < math.inf if smaller else -math.inf < value <= 1):
            allowed = "0 or more" if smaller else "at most 1, which is perfect"
            place = (*check.place, "threshold", name)
            raise lab.source.error(place, f"no work can meet {value:g}; allowed: {allowed}")
    _validate_selection(lab, check, metric)


def _validate_selection(lab: Lab, check: Check, metric: Metric) -> None:
    def error(name: str, message: str) -> Exception:
        return lab.source.error((*check.place, name), message)

    units = _units(lab, metric)
    names = [name for name, cases in units.items() if _fits(metric, cases)]
    needed = f"a sweep over {metric.over}" if metric.over else "a repetition"
    if not names:
        judged = f"{needed} of {metric.functions[0]}" if metric.grouped else None
        message = f"no case for {check.metric}; it judges {judged or ', '.join(metric.functions)}"
        raise error("metric", message)
    for name in check.cases or ():
        if name not in units:
            what = "group of cases (a sweep or a repetition)" if metric.grouped else "case"
            raise error("cases", f"no {what} {name!r} for {check.metric}; {suggest(name, names)}")
        if name not in names:
            message = (
                f"{check.metric} judges {needed}, and {name!r} is none; {suggest(name, names)}"
            )
            raise error("cases", message)


def _units(lab: Lab, metric: Metric) -> dict[str, list[Case]]:
    """The cases that a metric applies to, by id or, for a grouped one, by group."""
    units: dict[str, list[Case]] = {}
    for case in lab.cases:
        if case.function in metric.functions:
            units.setdefault(case.group if metric.grouped else case.id, []).append(case)
    return units


def _fits(metric: Metric, cases: Sequence[Case]) -> bool:
    """Whether a metric judges these cases together."""
    if not metric.over:
        return not metric.grouped or any(case.again for case in cases)
    asked = {str(case.arguments.get(metric.over)) for case in cases}
    return 1 < len(asked) == len(cases)
