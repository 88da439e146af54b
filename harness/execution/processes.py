"""Child processes as the harness sees them, and the plain way to start one.

`harness.execution.templates` has the fast way. A child reads requests, writes replies and prints,
each on a stream of its own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Protocol

from harness.errors import MachineError

# A child that hangs in the kernel must not hang us.
KILL_SECONDS = 30.0
# Of what a template and the harness say to each other.
MESSAGE_BYTES = 65536


class Process(Protocol):
    """A child process.

    Attributes:
        requests: what we write and it reads; unbuffered, as are the others.
        replies: what it writes and we read.
        printed: its stdout and stderr.
        cpu_seconds: processor time that it took, known once it has ended (0 where it is not).
        memory_mb: the most memory that it held, the libraries' share included; likewise.
    """

    requests: IO[bytes]
    replies: IO[bytes]
    printed: IO[bytes]
    cpu_seconds: float
    memory_mb: float

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status, negative for a signal.

        Raises:
            subprocess.TimeoutExpired: it has not ended within the time.
        """

    def kill(self) -> None:
        """Kill it, and wait until it is gone."""

    def written(self) -> int:
        """Bytes that it has written to disk, those of files that are gone included.

        0 where the system does not tell.
        """


class Starter(Protocol):
    """Starts child processes."""

    def start(self, home: Path, *, reads: Sequence[Path] = (), trusted: bool = False) -> Process:
        """Start a child.

        Args:
            home: its working, home and temporary folder.
            reads: folders of the lab that it may read.
            trusted: it will run no student's code, and is not confined.

        Raises:
            MachineError: it could not be started.
        """

    def close(self) -> None:
        """Start no more; children that still run are the caller's to end."""


class Cold:
    """A child in an interpreter of its own."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self.requests: IO[bytes] = process.stdin
        self.replies: IO[bytes] = process.stdout
        self.printed: IO[bytes] = process.stderr
        self.cpu_seconds = self.memory_mb = 0.0
        self._process = process

    def wait(self, timeout: float | None = None) -> int:
        """See `Process`."""
        return self._process.wait(timeout)

    def kill(self) -> None:
        """See `Process`."""
        if sys.platform == "win32":
            self._process.kill()
        else:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(KILL_SECONDS)

    def written(self) -> int:
        """See `Process`."""
        try:
            return written_of(Path(f"/proc/{self._process.pid}/io").read_bytes())
        except OSError:
            return 0


class ColdStarter:
    """A new interpreter for each child: slow, and possible on every system.

    Args:
        environment: of each child.
        confined: whether they put up the inner wall.
    """

    def __init__(self, environment: Mapping[str, str], *, confined: bool) -> None:
        self._environment = environment
        self._confined = confined

    def start(self, home: Path, *, reads: Sequence[Path] = (), trusted: bool = False) -> Process:
        """See `Starter`."""
        jail = {"home": str(home), "reads": [str(path) for path in reads]}
        told = json.dumps(jail if self._confined and not trusted else None)
        try:
            process = subprocess.Popen(
                [sys.executable, "-s", "-m", "harness.execution.child", told],
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env={**self._environment, **homes(home)},
                cwd=home,
                start_new_session=True,
            )
        except OSError as error:
            raise MachineError(f"a child process could not be started: {error}") from error
        return Cold(process)

    def close(self) -> None:
        """See `Starter`."""


def homes(home: Path) -> dict[str, str]:
    """The variables that name a child's own folder."""
    names = ("HOME", "TMPDIR", "TMP", "TEMP", "MPLCONFIGDIR")
    return {**dict.fromkeys(names, str(home)), "KERAS_HOME": str(home / ".keras")}


def written_of(counters: bytes) -> int:
    """Bytes written to disk, of `/proc/PID/io`; what was taken back before it came there is not."""
    counted = dict(line.split(b": ") for line in counters.splitlines())
    return int(counted[b"write_bytes"]) - int(counted[b"cancelled_write_bytes"])
