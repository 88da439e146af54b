"""One child process seen from the harness: start, ask with a deadline, kill, collect its prints."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy.typing as npt

from harness.errors import MachineError, WireError
from harness.execution.processes import STARTUP_SECONDS, Process, Starter
from harness.execution.wire import Frame, FrameReader, pack

MAX_PRINTED = 20_000
CLOSE_SECONDS = 30.0
_CHUNK = 2**16
# Passed on from our own environment, because they change how TensorFlow computes.
_PASSED_ON = ("TF_ENABLE_ONEDNN_OPTS",)


class TimedOutError(Exception):
    """No answer within the time allowed."""


class DiedError(Exception):
    """The child ended without an answer.

    Attributes:
        returncode: its exit status; negative for a signal, as in `subprocess`.
    """

    def __init__(self, returncode: int) -> None:
        super().__init__(returncode)
        self.returncode = returncode


class Session:
    """A child process and the two pipes to it.

    Args:
        setup: the first request, for `harness.execution.child.Child`.
        home: a private folder: the child's working, home and temporary folder.
        starter: starts the process.
    """

    def __init__(self, setup: dict[str, Any], home: Path, starter: Starter) -> None:
        request_read, self._requests = os.pipe()
        self._replies, reply_write = os.pipe()
        printed_read, printed_write = os.pipe()
        self._reader = FrameReader(max_payload_bytes=setup["output_mb"] * 2**20 + _CHUNK)
        self._printed = _Printed()
        self._stream = os.fdopen(printed_read, "rb")
        try:
            self._process: Process = starter.start(home, (request_read, reply_write, printed_write))
        except MachineError:
            self._stream.close()
            os.close(self._requests)
            os.close(self._replies)
            raise
        finally:
            for descriptor in (request_read, reply_write, printed_write):
                os.close(descriptor)
        self._drain = threading.Thread(
            target=self._printed.drain, args=(self._stream,), daemon=True
        )
        self._drain.start()
        try:
            ready = self.ask(setup, [], STARTUP_SECONDS)
        except (TimedOutError, DiedError, WireError) as error:
            self.close()
            raise MachineError(
                f"a child process did not start ({type(error).__name__} {error}); it printed:\n"
                f"{self.printed[-2000:]}"
            ) from error
        assert ready.header.get("reply") == "ready"
        self._printed.clear()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def printed(self) -> str:
        """What the submission printed so far, to stdout and stderr, cut to a bounded length."""
        return self._printed.text()

    def ask(self, header: dict[str, Any], arrays: list[npt.NDArray[Any]], seconds: float) -> Frame:
        """Send a request and wait for its answer.

        Raises:
            TimedOutError: no whole answer came in time.
            DiedError: the child ended first.
            WireError: what came is not a valid frame.
        """
        deadline = time.monotonic() + seconds
        self._send(pack(header, arrays), deadline)
        while (frame := self._reader.take()) is None:
            self._reader.feed(self._receive(deadline))
        return frame

    def close(self) -> None:
        """Kill the child and all it started, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        with contextlib.suppress(MachineError, subprocess.TimeoutExpired):
            # A child that hangs in the kernel must not hang us.
            self._process.wait(timeout=CLOSE_SECONDS)
        self._drain.join(timeout=5)
        if not self._drain.is_alive():
            self._stream.close()
        for descriptor in (self._requests, self._replies):
            if descriptor >= 0:
                os.close(descriptor)
        self._requests = self._replies = -1

    def _send(self, data: bytes, deadline: float) -> None:
        os.set_blocking(self._requests, False)
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [self._requests], [], _left(deadline))
            if not ready:
                raise TimedOutError
            try:
                view = view[os.write(self._requests, view) :]
            except BrokenPipeError:
                raise DiedError(self._process.wait()) from None

    def _receive(self, deadline: float) -> bytes:
        ready, _, _ = select.select([self._replies], [], [], _left(deadline))
        if not ready:
            raise TimedOutError
        data = os.read(self._replies, _CHUNK)
        if not data:
            try:
                raise DiedError(self._process.wait(timeout=max(0.1, _left(deadline))))
            except subprocess.TimeoutExpired:
                raise TimedOutError from None
        return data


def without_addresses(text: str) -> str:
    """Text without addresses of objects, which differ between two runs of the same code."""
    return re.sub(r"\b0x[0-9a-f]{6,}", "0x…", text)


def _left(deadline: float) -> float:
    return max(0.0, deadline - time.monotonic())


def clean_environment(materials: Path) -> dict[str, str]:
    """A clean environment: nothing of ours, nothing that makes two runs differ.

    Args:
        materials: the folder that `harness.student` reads in the child.
    """
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "KERAS_BACKEND": "tensorflow",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONSAFEPATH": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "CUDA_VISIBLE_DEVICES": "-1",
        "HARNESS_MATERIALS": str(materials),
    }


class _Printed:
    """Keeps the first `MAX_PRINTED` bytes that a child prints and counts the rest."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._total = 0
        self._lock = threading.Lock()

    def drain(self, stream: IO[bytes]) -> None:
        while data := stream.read1(_CHUNK):  # type: ignore[attr-defined]
            with self._lock:
                self._total += len(data)
                self._kept += data[: max(0, MAX_PRINTED - len(self._kept))]

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._total = 0

    def text(self) -> str:
        with self._lock:
            text = without_addresses(self._kept.decode("utf-8", errors="replace"))
            cut = self._total - len(self._kept)
        return text + (f"\n… {cut} more bytes were printed and are left out" if cut else "")
