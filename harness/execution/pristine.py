"""Models that are used again only while they are as they were loaded.

Loading a small model takes longer than many a call that is made of it. A call that changes nothing
about its model, as most do, leaves it to the next; any change means a fresh one.
"""

from __future__ import annotations

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
        self._attributes = _attributes(model)
        self._values = [np.array(variable) for variable in model.variables]

    def unchanged(self) -> bool:
        """Whether every attribute of model, layers and variables, and every value, is as it was.

        Student code may have replaced anything: whatever fails here is a change.
        """
        try:
            now = _attributes(self.model)
            return (
                now.keys() == self._attributes.keys()
                and all(_same(now[place], was) for place, was in self._attributes.items())
                and len(self.model.variables) == len(self._values)
                and all(map(np.array_equal, self._values, self.model.variables))
            )
        except Exception:
            return False


def _attributes(model: keras.Model) -> dict[tuple[int, str], tuple[Any, list[Any]]]:
    """Every attribute by object and name: its value, and what is in it where that is a container.

    The values are kept themselves, so that no other object can take the identity of one.
    """
    found = {}
    for owner in (model, *model.layers, *model.variables):
        for name, value in vars(owner).items():
            if name in _CACHES:
                continue
            content: list[Any] = []
            if isinstance(value, dict):
                content = [part for item in value.items() for part in item]
            elif isinstance(value, (list, tuple, set)):
                content = list(value)
            found[id(owner), name] = (value, content)
    return found


def _same(now: tuple[Any, list[Any]], was: tuple[Any, list[Any]]) -> bool:
    return (
        now[0] is was[0]
        and len(now[1]) == len(was[1])
        and all(one is other for one, other in zip(now[1], was[1], strict=True))
    )
