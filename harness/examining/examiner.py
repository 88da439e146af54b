"""The examining process as the grader sees it: asked one thing at a time, within an allowance.

It stays for the next submission, so that a cohort pays for its start once. When a request goes
beyond its allowance, the process ends, the student's work is at fault, and the next request starts
another one. Where the machine ended it, or it took far too long on a busy machine, nobody is at
fault, and the submission is graded again.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any, cast

import numpy.typing as npt

from harness import errors
from harness.assessing import Assessed, Assessor, Work
from harness.calls import Oracle
from harness.errors import GradingError, HarnessError, MachineError, WireError
from harness.examining.allowance import ASSESS, OPEN, Allowance
from harness.execution.wire import Frame, read_frame
from harness.opened import Opened, Source
from harness.submission import Submission

_REPLY_BYTES = 2**30
_KILL_SECONDS = 10.0
# Read by the libraries of linear algebra that NumPy may be built with: one core judges.
_THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")


class BeyondError(Exception):
    """A step went beyond its allowance.

    Attributes:
        place: the step, by its name in `harness.assessing`; a case by its key.
        what: `memory`, `time`, or `crash` where a library failed over it.
        allowed: what it had.
    """

    def __init__(self, place: str, what: str, allowed: Allowance) -> None:
        super().__init__(f"{place} went beyond its {what}")
        self.place = place
        self.what = what
        self.allowed = allowed


class Examiner:
    """One such process, started when it is needed; use from one thread at a time is seen to.

    Args:
        assessor: what submissions are held against.
        oracle: answers questions about the models; None where nothing is judged.
        folder: one of ours, where the process starts.
    """

    def __init__(self, assessor: Assessor, oracle: Oracle | None, folder: Path) -> None:
        self._assessor = assessor
        self._oracle = oracle
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._taken: Assessor | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The process's number; None while there is none."""
        return self._process.pid if self._process is not None else None

    def warm(self) -> None:
        """It will be needed soon: begin to start it, and do not wait for it."""
        with self._lock:
            self._started()

    def take(self, assessor: Assessor) -> None:
        """Hold submissions against something else from now on."""
        with self._lock:
            self._assessor = assessor

    def open(self, submission: Submission, folder: Path) -> Opened:
        """Open a submission into a folder, which is made.

        Raises:
            BeyondError: its files take more time or memory than is allowed.
            OSError: it cannot be read, or the disk is full.
            GradingError: a fault of ours.
            MachineError: the process was ended from outside, or the machine is far too busy.
        """
        header = self._ask("open", OPEN, _placed(submission), folder).header
        source = Source(tuple(header["files"]), tuple(header["notes"]), header["problem"])
        return Opened(submission, folder, source, tuple(header["problems"]))

    def assess(self, work: Work) -> Assessed:
        """Judge what a submission returned, and write its report.

        Raises:
            BeyondError: a step of it takes more time or memory than is allowed.
            UsageError: the marks are damaged.
            OSError: the submission cannot be read, or the disk is full.
            GradingError: a fault of ours.
            MachineError: the process was ended from outside, or the machine is far too busy.
        """
        placed = replace(work, submission=_placed(work.submission))
        parts = [part.tobytes() for part in self._ask("assess", ASSESS, placed).arrays]
        return Assessed(json.loads(parts[0]), *parts[1:])

    def answers(self, submission: Submission, folder: Path) -> bytes:
        """The written answers of a submission, as `Answers.to_bytes` makes them.

        Raises:
            BeyondError: they take more time or memory than is allowed.
            OSError: it cannot be read, or the disk is full.
            GradingError: a fault of ours.
            MachineError: the process was ended from outside, or the machine is far too busy.
        """
        return bytes(self._ask("answers", OPEN, _placed(submission), folder).arrays[0].tobytes())

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    def _ask(self, kind: str, allowed: Allowance, *content: Any) -> Frame:
        with self._lock:
            process = self._started()
            late = threading.Event()
            timer = threading.Timer(allowed.wall_seconds, lambda: _stop(process, late))
            timer.start()
            try:
                self._hand_over(process)
                return self._answered(process, kind, allowed, content)
            except _EndedError as ended:
                said = self._last_words()
                self._end()
                if late.is_set():
                    raise MachineError(
                        f"reading this took longer than {allowed.wall_seconds:.0f} s on the clock; "
                        "the machine is too busy"
                    ) from None
                raise _reason(process.returncode, ended, allowed, said) from None
            except WireError as error:
                self._end()
                raise GradingError(f"the process that reads submissions: {error}") from None
            except KeyboardInterrupt:
                self._end()
                raise
            finally:
                timer.cancel()

    def _hand_over(self, process: subprocess.Popen[bytes]) -> None:
        """Send what submissions are held against, where the process has it not yet."""
        if self._taken is self._assessor:
            return
        _send(process, ("take", OPEN, self._assessor))
        while _receive(process, "start").header["reply"] == "ready":
            pass
        self._taken = self._assessor

    def _answered(
        self, process: subprocess.Popen[bytes], kind: str, allowed: Allowance, content: Any
    ) -> Frame:
        """The answer to a request; questions that come meanwhile are answered."""
        place = kind
        _send(process, (kind, allowed, *content))
        while True:
            frame = _receive(process, place)
            header = frame.header
            match header["reply"]:
                case "at":
                    place = str(header["place"])
                case "question":
                    _send(process, self._asked(header, frame.arrays[0]))
                case "done":
                    return frame
                case "beyond":
                    raise _EndedError(place, str(header["what"]))
                case _:
                    raise _error(header)

    def _asked(self, header: dict[str, Any], images: npt.NDArray[Any]) -> Any:
        """The oracle's answer, or why there is none."""
        assert self._oracle is not None
        try:
            if header["question"] == "probabilities":
                return self._oracle.probabilities(header["model"], images)
            return self._oracle.layer_outputs(
                header["model"],
                header["asked"]["layer_name"],
                images,
                preprocess=header["asked"]["preprocess"],
            )
        except MachineError as error:
            return str(error)

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115
            environment = {**os.environ, "PYTHONSAFEPATH": "1", **dict.fromkeys(_THREADS, "1")}
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-s", "-m", "harness.examining.inside", os.getcwd()],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._said,
                    cwd=self._folder,  # Python looks there for modules, and must find none
                    env=environment,
                    start_new_session=True,  # Ctrl-C is for the grader, which ends this
                )
            except OSError as error:
                self._end()
                raise MachineError(f"a process could not be started: {error}") from error
        return self._process

    def _end(self) -> None:
        process, self._process, self._taken = self._process, None, None
        said, self._said = self._said, None
        if said is not None:
            said.close()
        if process is None:
            return
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(_KILL_SECONDS)
        for stream in (process.stdin, process.stdout):
            assert stream is not None
            with suppress(OSError):  # what it did not read any more
                stream.close()

    def _last_words(self) -> str:
        """What the process wrote to its standard error, the end of it."""
        if self._said is None:
            return ""
        with suppress(OSError):
            size = self._said.seek(0, os.SEEK_END)
            self._said.seek(max(0, size - 1000))
            return self._said.read().decode("utf-8", errors="replace").strip()
        return ""


class _EndedError(Exception):
    """The process ended, or is about to: at which step, and for what, if it said so."""

    def __init__(self, place: str, what: str = "") -> None:
        super().__init__(place, what)
        self.place = place
        self.what = what


def _reason(status: int | None, ended: _EndedError, allowed: Allowance, said: str) -> Exception:
    """Whose fault it is that the process ended."""
    if ended.what:
        return BeyondError(ended.place, ended.what, allowed)
    if status == -getattr(signal, "SIGXCPU", signal.SIGTERM):
        return BeyondError(ended.place, "time", allowed)
    if status is None or status >= 0 or status == -getattr(signal, "SIGKILL", 9):
        return MachineError(
            f"the process that reads submissions ended (status {status}), as happens where the "
            f"machine has too little memory {said}".rstrip()
        )
    return BeyondError(ended.place, "crash", allowed)


def _placed(submission: Submission) -> Submission:
    """The submission, found from any folder."""
    return replace(submission, path=submission.path.absolute())


def _stop(process: subprocess.Popen[bytes], late: threading.Event) -> None:
    late.set()
    process.kill()


def _send(process: subprocess.Popen[bytes], message: Any) -> None:
    stream: IO[bytes] | None = process.stdin
    assert stream is not None
    with suppress(OSError):  # it has ended; reading will tell
        pickle.dump(message, stream, pickle.HIGHEST_PROTOCOL)
        stream.flush()


def _receive(process: subprocess.Popen[bytes], place: str) -> Frame:
    stream = cast("io.BufferedReader", process.stdout)
    frame = read_frame(stream.read1, _REPLY_BYTES)
    if frame is None:
        process.wait()
        raise _EndedError(place)
    return frame


def _error(header: dict[str, Any]) -> Exception:
    """What went wrong there, as the error that it was."""
    text = str(header["text"])
    if header["reply"] == "unreadable":
        return OSError(text)
    if header["reply"] == "error":
        kind = getattr(errors, str(header["kind"]), HarnessError)
        return kind(text) if issubclass(kind, HarnessError) else HarnessError(text)
    return GradingError(text)
