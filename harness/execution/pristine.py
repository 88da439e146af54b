"""Models that are used again only while they are as they were loaded.

Loading a small model takes longer than many a call that is made of it. A call that changes nothing
about its model, as most do, leaves it to the next; any change means a fresh one.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import is_not
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


# What `predict` leaves in a model: the function that it has compiled, and that it was called.
_CACHES = frozenset(
    {
        *("predict_function", "stop_predicting", "_called"),
        *("_self_unconditional_checkpoint_dependencies", "_self_unconditional_dependency_names"),
    }
)


class Pristine:
    """A model as it was loaded.

    Args:
        model: nobody else has had it yet.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        # The values are kept themselves, so that no other object can take the identity of one.
        self._owners = [(owner, _attributes(owner)) for owner in _owners(model)]
        self._values = [np.array(variable) for variable in model.variables]

    def unchanged(self) -> bool:
        """Whether every attribute of model, layers and variables, and every value, is as it was.

        Student code may have replaced anything: whatever fails here is a change.
        """
        try:
            owners = _owners(self.model)
            return (
                len(owners) == len(self._owners)
                and all(
                    owner is was and _same(owner, attributes)
                    for owner, (was, attributes) in zip(owners, self._owners, strict=True)
                )
                and all(map(np.array_equal, self._values, self.model.variables))
            )
        except Exception:
            return False


def _owners(model: keras.Model) -> list[Any]:
    return [model, *model.layers, *model.variables]


def _attributes(owner: Any) -> dict[str, tuple[Any, list[Any]]]:
    """Every attribute: its value, and what is in it where that is a container."""
    return {
        name: (value, _content(value)) for name, value in vars(owner).items() if name not in _CACHES
    }


def _content(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [part for item in value.items() for part in item]
    return list(value) if isinstance(value, (list, tuple, set)) else []


def _same(owner: Any, attributes: Mapping[str, tuple[Any, list[Any]]]) -> bool:
    """Whether an object has these attributes and no others; run before every call, quickly."""
    now = vars(owner)
    if attributes.keys() != now.keys() - _CACHES:
        return False
    for name, (was, content) in attributes.items():
        if now[name] is not was:
            return False
        if isinstance(was, (dict, list, tuple, set)):
            inside = _content(was)
            if len(inside) != len(content) or any(map(is_not, inside, content)):
                return False
    return True
