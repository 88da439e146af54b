"""Asking a child for one call, and reading its answers with suspicion."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from harness.calls import Call
from harness.errors import WireError
from harness.execution.session import Session, without_addresses
from harness.execution.wire import Frame
from harness.language import gettext as _
from harness.outputs import MAX_ITEMS, CaseOutput, CaseStatus, Value, decode, encode

MAX_MESSAGE = 3000
# What a child may say of itself; all else is found out by the harness.
_FAILURES = {
    status.value: status
    for status in (
        *(CaseStatus.RAISED, CaseStatus.REFUSED, CaseStatus.NOT_RUN),
        *(CaseStatus.OUT_OF_MEMORY, CaseStatus.OVER_LIMIT),
    )
}
MAX_TRACEBACK = 8000
MAX_NAMES, MAX_NAME = 200, 200


@dataclass(frozen=True)
class Loaded:
    """What a child says of a submission that it has loaded.

    Attributes:
        found: the functions of the contract that are there.
        defined: all functions.
        failures: what stopped each file that did not run to its end.
        traceback: the student's lines of all of them.
    """

    found: list[str]
    defined: list[str]
    failures: list[str]
    traceback: str


def ask(session: Session, call: Call, seconds: float) -> CaseOutput:
    """Have a child make a call.

    Raises:
        TimedOutError: no whole answer came in time.
        DiedError: the child ended first.
        WireError: what came is not an answer.
    """
    arrays: list[npt.NDArray[Any]] = []
    header = {
        "ask": "call",
        "function": call.function,
        "model": call.model,
        "arguments": encode(dict(call.arguments), arrays),
        "seed": call.seed,
        "most_bytes": call.most_bytes,
    }
    started = time.monotonic()
    output = read_answer(session.ask(header, arrays, seconds, most_bytes=call.most_bytes))
    return replace(output, seconds=min(output.seconds, time.monotonic() - started))


def read_answer(frame: Frame) -> CaseOutput:
    """What a child answered to a call.

    Raises:
        WireError: the answer has another layout.
    """
    header = frame.header
    try:
        seconds = _seconds(header["seconds"])
        if header["reply"] == "returned":
            value = decode(header["value"], frame.arrays)
            if _count(value) > MAX_ITEMS:
                raise ValueError(f"more than {MAX_ITEMS} items")
            return CaseOutput(CaseStatus.RETURNED, value, seconds=seconds)
        status = _FAILURES[header.get("kind", header["reply"])]
        message = _text(header["message"], MAX_MESSAGE)
        traceback = _text(header["traceback"], MAX_TRACEBACK)
    except (KeyError, TypeError, ValueError) as error:
        raise WireError(f"an answer has another layout: {error!r:.200}") from None
    failed = CaseOutput(status, message=message, traceback=traceback, seconds=seconds)
    prefix = {
        CaseStatus.OUT_OF_MEMORY: _("ran out of memory:") + " ",
        CaseStatus.OVER_LIMIT: _("used more than the lab allows:") + " ",
    }
    return replace(failed, message=prefix.get(status, "") + message)


def read_loaded(frame: Frame) -> Loaded:
    """What a child said of the submission that it was to load.

    Raises:
        WireError: the answer has another layout.
    """
    header = frame.header
    try:
        failures = [
            f"{_text(failed['file'], MAX_NAME)} stopped: {_text(failed['message'], MAX_MESSAGE)}"
            for failed in header["failures"][:MAX_NAMES]
        ]
        traces = [_text(f["traceback"], MAX_TRACEBACK) for f in header["failures"][:MAX_NAMES]]
        found, defined = _names(header["found"]), _names(header["defined"])
    except (KeyError, TypeError) as error:
        raise WireError(f"an answer has another layout: {error!r:.200}") from None
    return Loaded(found, defined, failures, "\n\n".join(traces)[:MAX_TRACEBACK])


def _seconds(value: Any) -> float:
    """What is claimed of a time, at most a day: how long it was is known here."""
    if not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError("no number of seconds")
    return float(min(value, 86_400))


def _count(value: Value) -> int:
    """Items of a value that `decode` has made, itself among them."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_count, parts))


def _text(value: Any, most: int) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {type(value).__name__}")
    return without_addresses(value[:most])


def _names(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError("expected a list of names")
    return [item[:MAX_NAME] for item in value[:MAX_NAMES]]
