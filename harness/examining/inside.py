"""The process that reads what students made: it answers one request after the other.

Started as `python -s -m harness.examining.inside`. It runs no student's code. Requests come as
pickles of the process that started it; what it says goes back as frames of plain data, so that
even a fault in a library that reads hostile bytes would not reach further than this process.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pickle
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from harness.assessing import Assessed, Assessor, Work
from harness.errors import HarnessError, MachineError
from harness.examining import allowance
from harness.execution.wire import pack
from harness.opened import Opened

# What is imported at its first use otherwise, and takes long.
_LATE = ("harness.report", "scipy.ndimage", "skimage.measure", "scipy.stats", "copydetect.utils")
_PARENT_SECONDS = 1.0


class Inside:
    """Reads requests from one stream and answers on another.

    Args:
        requests: pickles.
        replies: frames.
    """

    def __init__(self, requests: IO[bytes], replies: IO[bytes]) -> None:
        self._requests = requests
        self._replies = replies
        self._assessor: Assessor | None = None

    def serve(self) -> None:
        """Answer until there are no more requests, or one went beyond its allowance."""
        self.send({"reply": "ready"})
        while (request := self.receive()) is not None:
            try:
                self.send(*self._answer(*request))
            except MemoryError:
                allowance.lift()
                self.send({"reply": "beyond", "what": "memory"})
                return
            except HarnessError as error:
                self.send({"reply": "error", "kind": type(error).__name__, "text": str(error)})
            except OSError as error:
                self.send({"reply": "unreadable", "text": str(error)})
            except Exception as error:
                self.send({"reply": "fault", "text": _fault(error)})

    def receive(self) -> Any:
        """What comes next; None at the end."""
        try:
            return pickle.load(self._requests)
        except EOFError:
            return None

    def send(self, header: dict[str, Any], arrays: list[npt.NDArray[Any]] | None = None) -> None:
        """Send a frame."""
        view = memoryview(pack(header, arrays or []))
        while view:
            view = view[self._replies.write(view) or 0 :]

    def at(self, place: str) -> None:
        """Say which step comes next."""
        self.send({"reply": "at", "place": place})

    def _answer(
        self, kind: str, allowed: allowance.Allowance, *content: Any
    ) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
        if kind == "take":
            [self._assessor] = content
            # What is alive now stays; the collector need not walk through it at every submission.
            gc.collect()
            gc.freeze()
            return {"reply": "done"}, []
        assert self._assessor is not None
        allowance.apply(allowed)
        if kind == "open":
            submission, folder = content
            return _opened(self._assessor.open(submission, folder, self.at))
        if kind == "answers":
            submission, folder = content
            found = self._assessor.answers(submission, folder, self.at)
            return {"reply": "done"}, [np.frombuffer(found.to_bytes(), "uint8")]
        work: Work = content[0]
        return _assessed(self._assessor.assess(work, _Oracle(self), self.at))


class _Oracle:
    """A `harness.calls.Oracle` that passes questions on to the process that started this one."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    def layer_outputs(
        self, model: str, layer_name: str, images: npt.NDArray[Any], *, preprocess: bool = False
    ) -> npt.NDArray[np.float32]:
        """See `Oracle`."""
        asked = {"layer_name": layer_name, "preprocess": preprocess}
        return self._ask("layer_outputs", model, images, asked)

    def probabilities(self, model: str, images: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """See `Oracle`."""
        return self._ask("probabilities", model, images, {})

    def _ask(
        self, question: str, model: str, images: npt.NDArray[Any], asked: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        header = {"reply": "question", "question": question, "model": model, "asked": asked}
        self._inside.send(header, [np.asarray(images)])
        answer = self._inside.receive()
        if not isinstance(answer, np.ndarray):
            raise MachineError(str(answer))
        return answer


def _opened(opened: Opened) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    source = opened.source
    header = {
        "reply": "done",
        "files": list(source.files),
        "notes": list(source.notes),
        "problem": source.problem,
        "problems": list(opened.problems),
    }
    return header, []


def _assessed(found: Assessed) -> tuple[dict[str, Any], list[npt.NDArray[Any]]]:
    grade = json.dumps(found.grade).encode()
    parts = (grade, found.report, found.remembered, found.answers)
    return {"reply": "done"}, [np.frombuffer(part, "uint8") for part in parts]


def _fault(error: Exception) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {str(error)[:300]}"
    return f"{what}; {Path(place.filename).name}, line {place.lineno}"


def _leash() -> None:
    """End when the process that started this one is gone."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_PARENT_SECONDS)
        os._exit(1)

    if sys.platform != "win32":
        threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Serve on the standard streams; what is printed goes to standard error."""
    _leash()
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb", buffering=0)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    allowance.no_core_dump()
    for name in _LATE:
        importlib.import_module(name)
    os.chdir(sys.argv[1])  # after the imports: nothing there is imported
    with contextlib.suppress(BrokenPipeError):  # nobody listens any more
        Inside(requests, replies).serve()


if __name__ == "__main__":
    main()
