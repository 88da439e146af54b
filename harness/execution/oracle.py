"""The trusted child: it answers the harness's own questions about the lab's models."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calls import Call, Contract
from harness.errors import MachineError, WireError
from harness.execution.asking import ask
from harness.execution.session import DiedError, Session, TimedOutError
from harness.outputs import CaseOutput, CaseStatus, Value

QUESTIONS: Contract = {
    "layer_outputs": ("model", "images", "layer_name", "preprocess"),
    "probabilities": ("model", "images"),
    "loads": ("model",),
}
SECONDS = 600.0
MAX_MB = 512
_FAULTS = (TimedOutError, DiedError, WireError, MachineError)


class ChildOracle:
    """A `harness.calls.Oracle` in a child whose submission is the harness's `questions.py`.

    Args:
        start: starts that child; called when the first question is asked.
    """

    def __init__(self, start: Callable[[], Session]) -> None:
        self._start = start
        self._session: Session | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the child."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def layer_outputs(
        self, model: str, layer_name: str, images: npt.NDArray[Any], *, preprocess: bool = False
    ) -> npt.NDArray[np.float32]:
        """Outputs (n, …) of a layer; logits for the softmax at the end."""
        arguments: dict[str, Value] = {
            "images": images,
            "layer_name": layer_name,
            "preprocess": preprocess,
        }
        return self._answer("layer_outputs", model, arguments)

    def probabilities(self, model: str, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Class probabilities (n, classes) of uint8 images (n, H, W, C)."""
        return self._answer("probabilities", model, {"images": images})

    def loads(self, model: str) -> bool:
        """Whether the model can be loaded at all."""
        try:
            self._answer("loads", model, {})
        except MachineError:
            return False
        return True

    def _answer(
        self, question: str, model: str, arguments: dict[str, Value]
    ) -> npt.NDArray[np.float32]:
        call = Call(question, question, model, arguments)
        with self._lock:
            try:
                output = self._ask(call)
            except _FAULTS:
                self.close()
                try:
                    output = self._ask(call)  # once more, in a new child
                except _FAULTS as error:
                    self.close()
                    raise MachineError(
                        f"the harness's own child failed in {question}: {error}"
                    ) from error
        if output.status is not CaseStatus.RETURNED or not isinstance(output.value, np.ndarray):
            raise MachineError(f"the harness's own child failed in {question}: {output.message}")
        return output.value

    def _ask(self, call: Call) -> CaseOutput:
        if self._session is None:
            self._session = self._start()
            self._session.ask({"ask": "load"}, [], SECONDS)
        return ask(self._session, call, SECONDS)
