"""Kinds of arguments that cases give in the lab file, shared by the techniques."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.errors import LabError, suggest
from harness.lab import Case, Lab
from harness.outputs import Value
from harness.techniques.base import Argument, ArgumentError


def image() -> Argument:
    """The name of an image of the lab → `image`, uint8 (H, W, C)."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        if not isinstance(given, str) or given not in lab.images:
            raise ArgumentError(f"no image {given!r}; {suggest(given, lab.images)}")
        return {"image": lab.images[given].pixels()}

    return Argument(resolve)


def dataset() -> Argument:
    """The name of a data set of the lab → `images` uint8 (n, H, W, C) and `labels` int (n,)."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        if not isinstance(given, str) or given not in lab.datasets:
            raise ArgumentError(f"no data set {given!r}; {suggest(given, lab.datasets)}")
        images, labels = lab.dataset(given)
        return {"images": images, "labels": labels}

    return Argument(resolve)


def layer() -> Argument:
    """The name of a layer of the case's model → `layer_name`."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        return {"layer_name": _layer(lab, case, given)}

    return Argument(resolve)


def layers() -> Argument:
    """A list of names of layers → `layer_names`."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        if not isinstance(given, list) or not given:
            raise ArgumentError(f"expected a list of layer names, found {given!r}")
        return {"layer_names": [_layer(lab, case, name) for name in given]}

    return Argument(resolve)


def class_index() -> Argument:
    """A class, by name or by index of the output → `class_index`."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        return {"class_index": _class(lab, case, given)}

    return Argument(resolve)


def filter_indices() -> Argument:
    """A list of outputs or filters of a layer, by index → `filter_indices`."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        if not isinstance(given, list) or not given or not all(map(_is_index, given)):
            raise ArgumentError(f"expected a list of indices such as [1, 7], found {given!r}")
        return {"filter_indices": list(given)}

    return Argument(resolve)


def number(
    name: str, low: float, high: float, *, whole: bool = False, default: float | None = None
) -> Argument:
    """A number from `low` to `high` → `name`; optional when a `default` is given."""
    kind = "a whole number" if whole else "a number"

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        allowed = (int,) if whole else (int, float)
        if isinstance(given, bool) or not isinstance(given, allowed) or not low <= given <= high:
            raise ArgumentError(f"expected {kind} from {low:g} to {high:g}, found {given!r}")
        return {name: given}

    return Argument(resolve, required=default is None, default=default)


def choice(name: str, *allowed: str) -> Argument:
    """One of some words, or nothing → `name`."""

    def resolve(lab: Lab, case: Case, given: Any) -> Mapping[str, Value]:
        if given is not None and given not in allowed:
            raise ArgumentError(f"found {given!r}; {suggest(given, allowed)}")
        return {name: given}

    return Argument(resolve, required=False)


def _layer(lab: Lab, case: Case, given: Any) -> str:
    known = lab.models[case.model].layer_names()
    if known is not None and given not in known:
        raise ArgumentError(
            f"model {case.model!r} has no layer {given!r}; {suggest(given, known, limit=40)}"
        )
    return str(given)


def _class(lab: Lab, case: Case, given: Any) -> int:
    model = lab.models[case.model]
    if _is_index(given):
        if given >= len(model.classes):
            raise ArgumentError(f"classes go from 0 to {len(model.classes) - 1}, found {given}")
        return int(given)
    try:
        return model.class_index(str(given))
    except LabError as error:
        raise ArgumentError(str(error)) from None


def _is_index(given: Any) -> bool:
    return isinstance(given, int) and not isinstance(given, bool) and given >= 0
