"""What is asked across the trust boundary: of a submission, and of a model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from harness.outputs import Value

MOST_NAMES = 1000  # that are held against the contract's; each is compared with all of those
# Function name → its parameter names, `model` first, as the contract gives them.
Contract: TypeAlias = Mapping[str, Sequence[str]]


def misnamed(function: str, defined: Iterable[str], contract: Contract) -> str:
    """The function that is meant to be one of the contract by its name, or empty.

    A name of the contract stands for itself, and one that is like another of it stands for that.
    Of very many names, the first thousand are looked at.
    """
    like = [
        name
        for name in islice(defined, MOST_NAMES)
        if name not in contract and difflib.get_close_matches(name, contract, n=1) == [function]
    ]
    return "".join(difflib.get_close_matches(function, like, n=1, cutoff=0.7))


@dataclass(frozen=True)
class Call:
    """One call of a contract function with its arguments resolved to values.

    Attributes:
        key: `technique/case`, or what else names the answer.
        function: name of the function.
        model: name of the model given as first argument.
        arguments: all other arguments by name.
        seed: what Python's, NumPy's and TensorFlow's generators are seeded with before the call.
        hidden: whether students are shown nothing of it.
        most_bytes: what an answer may take; None where the lab's `output_mb` alone holds.
    """

    key: str
    function: str
    model: str
    arguments: Mapping[str, Value]
    seed: int = 0
    hidden: bool = False
    most_bytes: int | None = None


class Oracle(Protocol):
    """Answers the harness's own questions about a model; no student code is near."""

    def layer_outputs(
        self, model: str, layer_name: str, images: npt.NDArray[Any], *, preprocess: bool = False
    ) -> npt.NDArray[np.float32]:
        """Outputs (n, …) of a layer; logits for the softmax at the end."""

    def probabilities(self, model: str, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Class probabilities (n, classes) of uint8 images (n, H, W, C)."""
