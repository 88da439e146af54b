"""A warm template process and the children that it forks, as the harness sees them."""

from __future__ import annotations

import itertools
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from harness.errors import MachineError
from harness.execution.processes import KILL_SECONDS, MESSAGE_BYTES, written_of
from harness.execution.sandbox import Sandbox

STARTUP_SECONDS = 180.0
FORK_SECONDS = 60.0
# A template is replaced after so many children.
MAX_CHILDREN = 1000


class ThreadsError(MachineError):
    """The template has more than one thread, so it must not be forked."""


class Forked:
    """A child that a template forked; see `Process`.

    Args:
        template: that forked it.
        pid: its number, as the template sees it.
        counters: a descriptor of its `/proc/PID/io`, if there is one.
        streams: requests, replies, printed.
        trusted: whether it runs no student's code.
    """

    def __init__(
        self,
        template: Template,
        pid: int,
        counters: Sequence[int],
        streams: tuple[IO[bytes], ...],
        *,
        trusted: bool,
    ) -> None:
        self.pid = pid
        self._counters = [os.fdopen(descriptor, "rb", buffering=0) for descriptor in counters]
        self.requests, self.replies, self.printed = streams
        self.cpu_seconds = self.memory_mb = 0.0
        self.trusted = trusted
        self._template = template
        self._ended = threading.Event()
        self._returncode: int | None = None

    def end(self, returncode: int | None, cpu_seconds: float = 0.0, memory_mb: float = 0.0) -> None:
        """Told by the template; None when the template itself is gone, and the child with it."""
        self._returncode = returncode
        self.cpu_seconds, self.memory_mb = cpu_seconds, memory_mb
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

    def kill(self) -> None:
        """See `Process`; a child that outlives it takes its template along."""
        if not self._ended.is_set():
            self._template.kill(self.pid)
            if not self._ended.wait(KILL_SECONDS):
                self._template.close()
        for stream in self._counters:
            stream.close()

    def written(self) -> int:
        """See `Process`."""
        for stream in self._counters:
            with suppress(OSError, ValueError):  # it has ended, or is closed
                stream.seek(0)
                return written_of(stream.read())
        return 0


class Template:
    """One template process and what it says."""

    def __init__(
        self,
        environment: Mapping[str, str],
        sandbox: Sandbox,
        readable: Sequence[Path],
        homes: Path,
    ) -> None:
        self.ended = threading.Event()
        self._environment = environment
        self._sandbox = sandbox
        self._readable = readable
        self._homes = homes
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._booting = threading.Lock()
        self._starting = threading.Lock()
        self._closed = False
        self._reader: threading.Thread | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._start_error: Exception | None = None
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._answers: dict[int, tuple[int, list[int], str]] = {}
        self._children: dict[int, Forked] = {}
        self._early: dict[int, tuple[int, float, float]] = {}
        self._ready: dict[str, Any] | None = None
        self._reserved = False
        self.forks = 0

    @property
    def retired(self) -> bool:
        """Whether it has served long enough, and serves nobody now."""
        return self.forks >= MAX_CHILDREN and not self._children and not self._reserved

    def reserve(self, trusted: bool) -> bool:
        """Take it for a child, if it is free for one."""
        if trusted:
            return True
        busy = self._reserved or any(not child.trusted for child in self._children.values())
        if busy or self.forks >= MAX_CHILDREN:
            return False
        self._reserved = True
        return True

    def boot(self, folder: Path) -> None:
        """Start the process unless it runs, and wait until it is ready.

        Raises:
            MachineError: it did not start.
            ThreadsError: it has more than one thread.
        """
        with self._booting:
            if self._ready is not None:
                return
            folder.mkdir()
            log = folder / "printed.txt"
            with self._starting:
                if self._closed:
                    raise MachineError("the template was closed before it was started")
                # Its parent thread must live as long as the process, which would die with it.
                self._reader = threading.Thread(target=self._run, args=(folder, log), daemon=True)
                self._reader.start()
            with self._changed:
                self._changed.wait_for(
                    lambda: self._ready is not None or self.ended.is_set(), STARTUP_SECONDS
                )
            if self._ready is None:
                self.close()
                printed = log.read_text("utf-8", errors="replace")[-2000:] if log.exists() else ""
                raise MachineError(
                    f"the template did not start ({self._start_error or 'it ended'}); "
                    f"it printed:\n{printed}"
                )
            if self._ready["threads"] != 1:
                self.close()
                raise ThreadsError(f"the template has {self._ready['threads']} threads")

    def fork(self, home: Path, reads: Sequence[Path], *, trusted: bool) -> Forked:
        """A new child.

        Raises:
            MachineError: the template has died, does not answer, or could not fork.
        """
        request_read, request_write = os.pipe()
        reply_read, reply_write = os.pipe()
        printed_read, printed_write = os.pipe()
        theirs, ours = (request_read, reply_write, printed_write), (request_write, reply_read)
        try:
            self._sandbox.open_to(home, write=True)
            pid, counters = self._fork(home, reads, theirs, trusted=trusted)
        except MachineError:
            for descriptor in (*ours, printed_read):
                os.close(descriptor)
            self._reserved = False
            raise
        finally:
            for descriptor in theirs:
                os.close(descriptor)
        streams = (
            os.fdopen(request_write, "wb", buffering=0),
            os.fdopen(reply_read, "rb", buffering=0),
            os.fdopen(printed_read, "rb", buffering=0),
        )
        child = Forked(self, pid, counters, streams, trusted=trusted)
        with self._changed:
            self.forks += 1
            self._children[pid] = child
            self._reserved = False if not trusted else self._reserved
            if pid in self._early:
                self._children.pop(pid).end(*self._early.pop(pid))
            elif self.ended.is_set():
                self._children.pop(pid).end(None)
        return child

    def _fork(
        self,
        home: Path,
        reads: Sequence[Path],
        descriptors: tuple[int, int, int],
        *,
        trusted: bool,
    ) -> tuple[int, list[int]]:
        number = next(self._numbers)
        confined = self._sandbox.inner and not trusted
        request = {"home": str(home), "reads": [str(path) for path in reads], "confined": confined}
        message = json.dumps({"fork": number, **request}).encode()
        try:
            socket.send_fds(self._control, [message], list(descriptors))
        except OSError as error:
            raise MachineError(f"the template is gone ({error})") from error
        deadline = time.monotonic() + FORK_SECONDS
        with self._changed:
            while number not in self._answers and not self.ended.is_set():
                if not self._changed.wait(max(0.0, deadline - time.monotonic())):
                    break
            silent = (0, list[int](), "it does not answer, or has died")
            pid, counters, problem = self._answers.pop(number, silent)
        if problem:
            raise MachineError(f"the template could not fork: {problem}")
        return pid, counters

    def kill(self, pid: int) -> None:
        """Have a child killed."""
        with suppress(OSError):
            self._control.send(json.dumps({"kill": pid}).encode())

    def close(self) -> None:
        """End the template, and with it all its children."""
        with self._starting:
            self._closed = True
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_RDWR)
        if self._process is not None:
            self._process.kill()
        if self._reader is not None and self._reader is not threading.current_thread():
            self._reader.join(timeout=KILL_SECONDS)
        self._control.close()
        self._theirs.close()

    def _run(self, folder: Path, log: Path) -> None:
        """Start the process and take what it says until it ends."""
        command = [sys.executable, "-s", "-m", "harness.execution.template"]
        command += [str(self._theirs.fileno())]
        try:
            with log.open("wb") as printed:
                self._process = subprocess.Popen(
                    self._sandbox.command(command, self._readable, self._homes),
                    stdin=subprocess.DEVNULL,
                    stdout=printed,
                    stderr=printed,
                    pass_fds=[self._theirs.fileno()],
                    env=dict(self._environment),
                    cwd="/",
                    start_new_session=True,
                    **self._sandbox.identity(),
                )
        except (OSError, ValueError) as error:  # of the second, when it was closed meanwhile
            self._start_error = error
        else:
            if self._closed:  # before there was a process to kill
                self._process.kill()
        self._theirs.close()
        self._read()
        if self._process is not None:
            self._process.wait()

    def _read(self) -> None:
        while True:
            try:
                data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 1)
            except OSError:
                data = b""
            with self._changed:
                if not data:
                    self.ended.set()
                    children, self._children = self._children, {}
                    for child in children.values():
                        child.end(None)
                    self._changed.notify_all()
                    return
                self._take(json.loads(data), descriptors)
                self._changed.notify_all()

    def _take(self, message: dict[str, Any], descriptors: list[int]) -> None:
        if "ready" in message:
            self._ready = message
        elif "ended" in message:
            pid = message["ended"]
            how = (message["returncode"], message["cpu_seconds"], message["memory_mb"])
            if pid in self._children:
                self._children.pop(pid).end(*how)
            else:  # it ended before we knew of it
                self._early[pid] = how
        else:
            problem = message.get("error", "")
            self._answers[message["id"]] = (message.get("pid", 0), descriptors, problem)
