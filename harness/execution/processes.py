"""Child processes as the harness sees them: forked from a warm template, or started cold."""

from __future__ import annotations

import itertools
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from harness.errors import MachineError
from harness.execution.template import MESSAGE_BYTES

STARTUP_SECONDS = 180.0
FORK_SECONDS = 60.0


class ThreadsError(MachineError):
    """The template has more than one thread, so it must not be forked."""


class Process(Protocol):
    """A child process; `subprocess.Popen` is one too."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: it has not ended within the time.
        """


class Starter(Protocol):
    """Starts child processes."""

    def start(self, home: Path, descriptors: tuple[int, int, int]) -> Process:
        """Start a child.

        Args:
            home: its working, home and temporary folder.
            descriptors: it reads requests from the first, writes replies to the second, and what
                it prints to the third; the caller closes its own copies.

        Raises:
            MachineError: it could not be started.
        """

    def close(self) -> None:
        """Start no more; children that still run are the caller's to end."""


class ColdStarter:
    """A new interpreter for each child, where forking a process with TensorFlow is not safe.

    Args:
        environment: of each child.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def start(self, home: Path, descriptors: tuple[int, int, int]) -> Process:
        """See `Starter`."""
        request, reply, printed = descriptors
        try:
            return subprocess.Popen(
                [sys.executable, "-s", "-m", "harness.execution.child", str(request), str(reply)],
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=printed,
                pass_fds=(request, reply),
                env={**self._environment, **homes(home)},
                cwd=home,
                start_new_session=True,
            )
        except OSError as error:
            raise MachineError(f"a child process could not be started: {error}") from error

    def close(self) -> None:
        """See `Starter`."""


class Template:
    """A warm template process: imports once, and forks a child in milliseconds.

    It is started with the first child, and again when it has died. Several threads may ask. Where
    it comes up with more than one thread, forking it is not safe, and children start cold.

    Args:
        environment: of the template and so of every child.
        home: the template's own folder.
    """

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        self._environment = environment
        self._home = home
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._cold: ColdStarter | None = None

    def start(self, home: Path, descriptors: tuple[int, int, int]) -> Process:
        """See `Starter`."""
        with self._lock:
            running = self._warm() if self._cold is None else None
        if running is None:
            assert self._cold is not None
            return self._cold.start(home, descriptors)
        return running.fork(home, descriptors)

    def _warm(self) -> _Running | None:
        if self._running is None or self._running.ended.is_set():
            if self._running is not None:
                self._running.close()
                self._running = None
            try:
                self._running = _Running(self._environment, self._home)
            except ThreadsError:
                self._cold = ColdStarter(self._environment)
        return self._running

    def close(self) -> None:
        """See `Starter`."""
        with self._lock:
            if self._running is not None:
                self._running.close()
                self._running = None


class Forked:
    """A child that a template forked; `subprocess.Popen` has the same two members."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._ended = threading.Event()
        self._returncode: int | None = None

    def end(self, returncode: int | None) -> None:
        """Told by the template; None when the template itself is gone, and the child with it."""
        self._returncode = returncode
        self._ended.set()

    def wait(self, timeout: float | None = None) -> int:
        """See `Process`.

        Raises:
            MachineError: the template died, and took the child with it.
        """
        if not self._ended.wait(timeout):
            raise subprocess.TimeoutExpired("child", timeout or 0.0)
        if self._returncode is None:
            raise MachineError("the template that children are forked from died")
        return self._returncode


class _Running:
    """One template process and what it says."""

    def __init__(self, environment: Mapping[str, str], home: Path) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ended = threading.Event()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._answers: dict[int, Forked | str] = {}
        self._children: dict[int, Forked] = {}
        self._ready: dict[str, Any] | None = None
        home.mkdir(exist_ok=True)
        self._log = home / "printed.txt"
        with self._log.open("wb") as log:
            try:
                self._process = subprocess.Popen(
                    [
                        *(sys.executable, "-s", "-m", "harness.execution.template"),
                        str(theirs.fileno()),
                    ],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(theirs.fileno(),),
                    env={**environment, **homes(home)},
                    cwd=home,
                    start_new_session=True,
                )
            except OSError as error:
                self._control.close()
                raise MachineError(f"the template could not be started: {error}") from error
            finally:
                theirs.close()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._await_ready()

    def fork(self, home: Path, descriptors: tuple[int, int, int]) -> Forked:
        """A new child."""
        number = next(self._numbers)
        message = json.dumps({"id": number, "home": str(home)}).encode()
        try:
            socket.send_fds(self._control, [message], list(descriptors))
        except OSError as error:
            raise MachineError(f"the template is gone ({error})") from error
        deadline = time.monotonic() + FORK_SECONDS
        with self._changed:
            while number not in self._answers and not self.ended.is_set():
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
            answer = self._answers.pop(number, "it does not answer, or has died")
        if isinstance(answer, str):
            raise MachineError(f"the template could not fork: {answer}")
        return answer

    def close(self) -> None:
        """End the template."""
        self._control.close()
        self._process.kill()
        self._process.wait()
        self._reader.join(timeout=5)

    def _await_ready(self) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._ready is not None or self.ended.is_set(), STARTUP_SECONDS
            )
        if self._ready is None:
            self.close()
            printed = self._log.read_text("utf-8", errors="replace")[-2000:]
            raise MachineError(f"the template did not start; it printed:\n{printed}")
        if self._ready["threads"] != 1:
            self.close()
            raise ThreadsError(f"the template has {self._ready['threads']} threads")

    def _read(self) -> None:
        """Take what the template says until it ends."""
        while True:
            try:
                data = self._control.recv(MESSAGE_BYTES)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self.ended.set()
                    for child in self._children.values():
                        child.end(None)
                    self._changed.notify_all()
                    return
                self._take(json.loads(data))
                self._changed.notify_all()

    def _take(self, message: dict[str, Any]) -> None:
        if "ready" in message:
            self._ready = message
        elif "ended" in message:
            self._children.pop(message["ended"]).end(message["returncode"])
        elif "error" in message:
            self._answers[message["id"]] = str(message["error"])
        else:
            child = Forked(message["pid"])
            self._children[child.pid] = self._answers[message["id"]] = child


def homes(home: Path) -> dict[str, str]:
    """The variables that name a child's own folder."""
    return {"HOME": str(home), "TMPDIR": str(home), "KERAS_HOME": str(home / ".keras")}


def starter(environment: Mapping[str, str], home: Path) -> Starter:
    """The template on Linux; elsewhere cold starts."""
    if sys.platform == "linux":
        return Template(environment, home)
    return ColdStarter(environment)
