"""The warm template: imports what submissions import, runs nothing, and forks a child for each.

Started as `python -s -m harness.execution.template CONTROL_FD` in a clean environment. It
never holds a student's bytes: what it is sent is a number, a folder's name and three descriptors,
and the child reads its submission after the fork, and after it has confined itself. The template
must have one thread when it forks, so it runs no TensorFlow operation: any would hang every child.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from harness.execution import child, jail
from harness.execution.processes import MESSAGE_BYTES, homes

# What students import; imported once, instead of by every submission.
MODULES = (
    *("numpy", "scipy.ndimage", "scipy.stats", "PIL.Image", "skimage.transform", "skimage.metrics"),
    *("tensorflow", "keras", "harness.student"),
)
_PR_SET_PDEATHSIG = 1


class Template:
    """The process that forks.

    Args:
        control: connected to the harness; a message is a JSON object.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._readable = jail.readable()
        self._children: set[int] = set()

    def serve(self) -> None:
        """Say that it is ready, and do what is asked until the harness closes its end."""
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._send({"ready": True, "threads": len(os.listdir("/proc/self/task"))})
        while True:
            ready, _, _ = select.select([self._control.fileno(), wake_read], [], [])
            if wake_read in ready:
                os.read(wake_read, 4096)
                self._reap()
            if self._control.fileno() in ready:
                data, descriptors, _, _ = socket.recv_fds(self._control, MESSAGE_BYTES, 3)
                if not data:
                    return
                message = json.loads(data)
                if "fork" in message:
                    self._fork(message, descriptors)
                elif message["kill"] in self._children:  # and not yet waited for
                    _kill(message["kill"])

    def _fork(self, request: dict[str, Any], descriptors: list[int]) -> None:
        answer = {"id": request["fork"]}
        in_use = _threads_in_use()
        try:
            pid = os.fork()
        except OSError as error:
            pid = -1
            answer["error"] = str(error)
        if pid == 0:
            self._be_a_child(request, in_use, *descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        opened = []
        if pid > 0:
            self._children.add(pid)
            answer["pid"] = pid
            with suppress(OSError):  # not counted by every kernel
                opened.append(os.open(f"/proc/{pid}/io", os.O_RDONLY))
        socket.send_fds(self._control, [json.dumps(answer).encode()], opened)
        for descriptor in opened:
            os.close(descriptor)

    def _be_a_child(
        self,
        request: dict[str, Any],
        threads_in_use: int,
        request_fd: int,
        reply_fd: int,
        printed_fd: int,
    ) -> NoReturn:
        """Leave everything of the template behind, and serve one submission."""
        status = 1
        home = Path(request["home"])
        try:
            os.setsid()
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with open(os.devnull, "rb") as nothing:
                os.dup2(nothing.fileno(), 0)
            os.dup2(printed_fd, 1)
            os.dup2(printed_fd, 2)
            kept = _keep_only(request_fd, reply_fd)
            os.chdir(home)
            os.environ.update(homes(home))
            tempfile.tempdir = None
            _move_keras(os.environ["KERAS_HOME"])
            sys.argv = [""]
            if request["confined"]:
                reads = [Path(path) for path in request["reads"]]
                jail.confine(home, reads, self._readable)
            child.serve(*kept, threads_in_use, confined=request["confined"])
            status = 0
        except SystemExit as error:
            status = error.code if isinstance(error.code, int) else 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            with suppress(BaseException):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        """Tell which children ended, how, and what processor time and memory they took."""
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self._children.discard(pid)
            returncode = os.waitstatus_to_exitcode(status)
            used = {
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "memory_mb": usage.ru_maxrss / 1024,
            }
            self._send({"ended": pid, "returncode": returncode, **used})

    def _send(self, message: dict[str, Any]) -> None:
        self._control.send(json.dumps(message).encode())


def _kill(pid: int) -> None:
    """Kill a child and, where it could start some, the processes of its group."""
    with suppress(ProcessLookupError):  # no group of its own yet
        os.killpg(pid, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)


def _threads_in_use() -> int:
    """Threads of all processes of our user, against which the system counts a child's."""
    count = 0
    for entry in os.scandir("/proc"):
        with suppress(OSError):  # it has just ended
            if entry.name.isdigit() and entry.stat().st_uid == os.getuid():
                count += len(os.listdir(f"{entry.path}/task"))
    return count


def _move_keras(folder: str) -> None:
    """Keras has read its folder at import: it would be one for all submissions."""
    from keras.src.backend import config

    config._KERAS_DIR = folder


def _keep_only(request_fd: int, reply_fd: int) -> tuple[int, int]:
    """Move both descriptors to 3 and 4 and close all above."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 5) for fd in (request_fd, reply_fd)]
    moved = os.dup2(high[0], 3), os.dup2(high[1], 4)
    for name in os.listdir("/proc/self/fd"):  # not up to the limit: that may be a thousand million
        if int(name) > 4:
            with suppress(OSError):  # the listing's own
                os.close(int(name))
    return moved


def main(control_fd: int) -> None:
    """Import, and serve."""
    for name in MODULES:
        importlib.import_module(name)
    # What is imported stays: the collector of a child need not look through it again and again,
    # and, touched by no collection, its memory stays shared.
    gc.collect()
    gc.freeze()
    Template(socket.socket(fileno=control_fd)).serve()


if __name__ == "__main__":
    main(int(sys.argv[1]))
