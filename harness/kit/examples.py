"""The functions that a lab asks for, each with a call of it and what a right one returns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness import techniques
from harness.disclosure import public
from harness.golden import Golden
from harness.lab import Case, Lab
from harness.language import gettext as _


@dataclass(frozen=True)
class Example:
    """One function of the contract, as a lab's first public case calls it.

    Attributes:
        function: its name.
        technique: the name of its technique.
        signature: as the contract has it.
        returns: what it returns, in the present language.
        accepted: what else is fine.
        before: lines that make the arguments.
        call: the call itself.
        case: the case.
    """

    function: str
    technique: str
    signature: str
    returns: str
    accepted: tuple[str, ...]
    before: tuple[str, ...]
    call: str
    case: Case


def examples(lab: Lab) -> list[Example]:
    """An example of each function that has a public case, in the lab's order."""
    first: dict[str, Case] = {}
    for case in public(lab.cases):
        first.setdefault(case.function, case)
    return [_example(lab, case) for case in first.values()]


def result_of(example: Example, golden: Golden) -> str:
    """What a right function returns for it, in short."""
    return described(golden.accepted[techniques.key(example.case)][0])


def described(value: Any) -> str:
    """A value as a person would tell of it: some of its parts, shapes and ranges of arrays."""
    if isinstance(value, np.ndarray):
        text = _("array {shape}, from {low} to {high}")
        shape = tuple(int(size) for size in value.shape)
        return text.format(shape=shape, low=f"{value.min():.3g}", high=f"{value.max():.3g}")
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {described(one)}" for key, one in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        shown = ", ".join(described(one) for one in value)
        return f"({shown})" if isinstance(value, tuple) else f"[{shown}]"
    return f"{value:.3g}" if isinstance(value, float) else repr(value)


def _example(lab: Lab, case: Case) -> Example:
    function = techniques.function_of(case)
    values = techniques.resolve_arguments(lab, case)
    before = [f"model = load_model({case.model!r})"]
    if "dataset" in case.arguments:
        before.append(f"images, labels = load_dataset({case.arguments['dataset']!r})")
    given = ["model"]
    for name in function.parameters[1:]:
        if name == "image":
            given.append(f"load_image({case.arguments['image']!r})")
        elif isinstance(values[name], np.ndarray):
            given.append(name)
        elif values[name] is not None:
            given.append(f"{name}={values[name]!r}")
    return Example(
        function=case.function,
        technique=techniques.technique_of(case).name,
        signature=function.signature,
        returns=_(function.returns),
        accepted=tuple(map(_, function.accepted)),
        before=tuple(before),
        call=f"{case.function}({', '.join(given)})",
        case=case,
    )
