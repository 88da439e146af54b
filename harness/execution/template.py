"""The warm template: imports what submissions import, runs nothing, and forks a child for each.

Started as `python -s -m harness.execution.template CONTROL_FD` in a clean environment. It never
holds a student's bytes: what it is sent is a number, a folder's name and three descriptors, and
the child reads its submission after the fork. It must have one thread when it forks, so it runs
no TensorFlow operation: any would hang every child.
"""

from __future__ import annotations

import ctypes
import fcntl
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
from contextlib import suppress
from typing import Any, NoReturn

from harness.execution import child

# What students import; imported once, instead of by every submission.
MODULES = (
    *("numpy", "scipy.ndimage", "scipy.stats", "PIL.Image", "skimage.transform", "skimage.metrics"),
    *("tensorflow", "keras"),
)
MESSAGE_BYTES = 65536
_PR_SET_PDEATHSIG = 1


def main(control_fd: int) -> None:
    """Import, say so, and fork on request until the harness closes its end."""
    for name in MODULES:
        importlib.import_module(name)
    control = socket.socket(fileno=control_fd)
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    _send(control, {"ready": True, "threads": len(os.listdir("/proc/self/task"))})
    while True:
        ready, _, _ = select.select([control.fileno(), wake_read], [], [])
        if wake_read in ready:
            os.read(wake_read, 4096)
            _reap(control)
        if control.fileno() in ready:
            data, descriptors, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 3)
            if not data:
                return
            _fork(control, json.loads(data), descriptors)


def _fork(control: socket.socket, request: dict[str, Any], descriptors: list[int]) -> None:
    try:
        pid = os.fork()
    except OSError as error:
        pid = -1
        _send(control, {"id": request["id"], "error": str(error)})
    if pid == 0:
        _be_a_child(request["home"], *descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    if pid > 0:
        _send(control, {"id": request["id"], "pid": pid})


def _be_a_child(home: str, request_fd: int, reply_fd: int, printed_fd: int) -> NoReturn:
    """Leave everything of the template behind, and serve one submission."""
    status = 1
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
        os.environ.update(HOME=home, TMPDIR=home, KERAS_HOME=os.path.join(home, ".keras"))
        tempfile.tempdir = None
        _move_keras(os.environ["KERAS_HOME"])
        sys.argv = [""]
        child.main(*kept)
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


def _reap(control: socket.socket) -> None:
    """Tell which children ended, and how."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _send(control, {"ended": pid, "returncode": os.waitstatus_to_exitcode(status)})


def _send(control: socket.socket, message: dict[str, Any]) -> None:
    control.send(json.dumps(message).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
