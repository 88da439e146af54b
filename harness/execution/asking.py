"""Asking a child for one call, and reading its answer with suspicion."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy.typing as npt

from harness.calls import Call
from harness.errors import WireError
from harness.execution.session import Session, without_addresses
from harness.execution.wire import Frame
from harness.language import gettext as _
from harness.outputs import CaseOutput, CaseStatus, decode, encode

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
    }
    return read_answer(session.ask(header, arrays, seconds))


def read_answer(frame: Frame) -> CaseOutput:
    """What a child answered to a call.

    Raises:
        WireError: the answer has another layout.
    """
    header = frame.header
    try:
        seconds = float(header["seconds"])
        if header["reply"] == "returned":
            value = decode(header["value"], frame.arrays)
            return CaseOutput(CaseStatus.RETURNED, value, seconds=seconds)
        status = _FAILURES[header.get("kind", header["reply"])]
        message = without_addresses(str(header["message"])[:MAX_MESSAGE])
        traceback = without_addresses(str(header["traceback"])[:MAX_TRACEBACK])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise WireError(f"an answer has another layout: {error!r}") from None
    failed = CaseOutput(status, message=message, traceback=traceback, seconds=seconds)
    prefix = {
        CaseStatus.OUT_OF_MEMORY: _("ran out of memory:") + " ",
        CaseStatus.OVER_LIMIT: _("used more than the lab allows:") + " ",
    }
    return replace(failed, message=prefix.get(status, "") + message)
