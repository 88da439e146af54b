"""One child process seen from the harness: start, ask with a deadline, kill, collect its prints."""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy.typing as npt

from harness.errors import MachineError, WireError
from harness.execution.processes import KILL_SECONDS, Process, Starter
from harness.execution.wire import Frame, FrameReader, pack
from harness.language import gettext as _

MAX_PRINTED = 20_000
STARTUP_SECONDS = 180.0
MAX_WRITTEN = 4
_CHUNK = 2**16
# How often the disk is looked at while a child computes.
_LOOK_SECONDS = 0.25
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


class LimitError(Exception):
    """The submission used more than the lab allows; the text says of what."""


class Session:
    """A child process and the streams to and from it.

    Args:
        setup: the first request, for `harness.execution.child.Child`.
        home: a private folder: the child's working, home and temporary folder.
        starter: starts the process.
        reads: folders of the lab that it may read.
        trusted: it will run no student's code.
    """

    def __init__(
        self,
        setup: dict[str, Any],
        home: Path,
        starter: Starter,
        *,
        reads: Sequence[Path] = (),
        trusted: bool = False,
    ) -> None:
        self._disk = Disk(home, setup["disk_mb"], setup["disk_files"])
        self._process: Process = starter.start(home, reads=reads, trusted=trusted)
        self._printed = _Printed()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._incoming: queue.Queue[Frame | WireError | None] = queue.Queue(maxsize=2)
        self._closed = False
        self._most_bytes = setup["output_mb"] * 2**20
        self._reader = FrameReader(self._most_bytes + _CHUNK)
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in (self._write, self._read, self._drain)
        ]
        for thread in self._threads:
            thread.start()
        try:
            ready = self.ask(setup, [], STARTUP_SECONDS)
        except (TimedOutError, DiedError, WireError, LimitError, MachineError) as error:
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

    @property
    def cpu_seconds(self) -> float:
        """Processor time that it took; 0 before it is closed, and where it is not known."""
        return self._process.cpu_seconds

    @property
    def memory_mb(self) -> float:
        """The most memory that it held; 0 before it is closed, and where it is not known."""
        return self._process.memory_mb

    def ask(
        self,
        header: dict[str, Any],
        arrays: list[npt.NDArray[Any]],
        seconds: float,
        *,
        most_bytes: int | None = None,
    ) -> Frame:
        """Send a request and wait for its answer.

        Args:
            header: of the request.
            arrays: of the request.
            seconds: how long to wait.
            most_bytes: what the arrays of the answer may take; None for all that the lab allows.

        Raises:
            TimedOutError: no whole answer came in time.
            DiedError: the child ended first.
            LimitError: it has filled more of the disk than is allowed.
            WireError: what came is not a valid frame.
            MachineError: the template died, and took the child with it.
        """
        deadline = time.monotonic() + seconds
        most = self._most_bytes if most_bytes is None else min(most_bytes, self._most_bytes)
        self._reader.max_payload_bytes = most + _CHUNK  # for what safetensors says of itself
        self._outgoing.put(pack(header, arrays))
        while True:
            left = deadline - time.monotonic()
            try:
                answer = self._incoming.get(timeout=min(max(left, 0.0), _LOOK_SECONDS))
            except queue.Empty:
                self._disk.check(self._process.written())
                if left <= 0:
                    raise TimedOutError from None
                continue
            self._disk.check(self._process.written())
            if isinstance(answer, Frame):
                return answer
            if isinstance(answer, WireError):
                raise answer
            raise DiedError(self._ended(deadline))

    def close(self) -> None:
        """Kill the child and all it started, and wait until it is gone."""
        self._closed = True
        self._process.kill()
        self._outgoing.put(None)
        for thread in self._threads:
            thread.join(timeout=KILL_SECONDS)
        for stream in (self._process.requests, self._process.replies, self._process.printed):
            with contextlib.suppress(OSError):
                stream.close()

    def _ended(self, deadline: float) -> int:
        """How it ended, or that it goes on with its reply stream closed."""
        try:
            return self._process.wait(timeout=max(1.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TimedOutError from None

    def _write(self) -> None:
        while (data := self._outgoing.get()) is not None:
            view = memoryview(data)
            # It has ended, or closed its end: the reader learns how.
            with contextlib.suppress(OSError, ValueError):
                while view:
                    view = view[self._process.requests.write(view) or 0 :]

    def _read(self) -> None:
        try:
            while data := self._process.replies.read(_CHUNK):
                self._reader.feed(data)
                while (frame := self._reader.take()) is not None:
                    self._offer(frame)
        except WireError as error:
            self._offer(error)
        except (OSError, ValueError):
            pass
        self._offer(None)

    def _offer(self, answer: Frame | WireError | None) -> None:
        """Hand an answer over; a child that answers unasked waits, and is not listened to."""
        while not self._closed:
            with contextlib.suppress(queue.Full):
                self._incoming.put(answer, timeout=_LOOK_SECONDS)
                return

    def _drain(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while data := self._process.printed.read(_CHUNK):
                self._printed.take(data)


class Disk:
    """How much a child has put into its home since it started.

    Args:
        home: the folder.
        max_mb: how much it may add; `MAX_WRITTEN` times that it may write, what it has removed, or
            hidden by removing it while it is open, included.
        max_files: how many files and folders it may add.
    """

    def __init__(self, home: Path, max_mb: int, max_files: int) -> None:
        self._home = home
        self._max_mb = max_mb
        self._max_files = max_files
        self._files, self._bytes = usage(home)

    def check(self, written: int) -> None:
        """See that it is not too much.

        Args:
            written: bytes that it has written to disk, wherever they are now.

        Raises:
            LimitError: it is.
        """
        if written > MAX_WRITTEN * self._max_mb * 2**20:
            text = _("wrote more than {n} MB to disk, removed files included")
            raise LimitError(text.format(n=MAX_WRITTEN * self._max_mb))
        files, size = usage(self._home, self._files + self._max_files)
        if files - self._files > self._max_files:
            raise LimitError(_("wrote more than {n} files").format(n=self._max_files))
        if size - self._bytes > self._max_mb * 2**20:
            raise LimitError(_("wrote more than {n} MB to disk").format(n=self._max_mb))


def usage(folder: Path, enough: int = sys.maxsize) -> tuple[int, int]:
    """Entries and bytes on disk in a folder and all below, counted until there are enough."""
    count = size = 0
    folders = [str(folder)]
    while folders and count <= enough:
        try:
            entries = os.scandir(folders[-1])
        except PermissionError:
            with contextlib.suppress(OSError):
                os.chmod(folders[-1], 0o700)  # hidden from us; empty, or listed the next time
            count += 1
            folders.pop()
            continue
        except OSError as error:
            # Nested so deep that no path leads there: nobody does that by mistake.
            count += sys.maxsize if error.errno == errno.ENAMETOOLONG else 0
            folders.pop()
            continue
        folders.pop()
        with entries, contextlib.suppress(OSError):  # a folder that is removed meanwhile
            for entry in entries:
                count += 1
                with contextlib.suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        found = entry.stat(follow_symlinks=False)
                        # Windows does not tell blocks.
                        size += getattr(found, "st_blocks", found.st_size // 512) * 512
    return count, size


def without_addresses(text: str) -> str:
    """Text without addresses of objects, which differ between two runs of the same code."""
    return re.sub(r"\b0x[0-9a-f]{6,}", "0x…", text)


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
        "USER": "student",
        "LOGNAME": "student",
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
        **_of_windows(),
    }


def _of_windows() -> dict[str, str]:
    """What Windows needs to start a process at all."""
    return {name: os.environ[name] for name in ("SYSTEMROOT", "PATH") if sys.platform == "win32"}


class _Printed:
    """Keeps the first `MAX_PRINTED` bytes that a child prints and counts the rest."""

    def __init__(self) -> None:
        self._kept = bytearray()
        self._total = 0
        self._lock = threading.Lock()

    def take(self, data: bytes) -> None:
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
