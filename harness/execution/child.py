"""The other side of the boundary: loads a submission and calls its functions, one at a time.

Forked from a template, or started as `python -s -m harness.execution.child JAIL` in a clean
environment. It is told what to do in frames and answers in frames; it knows no golden output and
gives no verdict. Whatever student code does to this process can only spoil its own answers.
"""

from __future__ import annotations

import errno
import importlib
import inspect
import json
import os
import sys
import time
import traceback
import types
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from harness.execution import seccomp
from harness.execution.pristine import Pristine
from harness.execution.wire import Frame, pack, read_frame
from harness.models import ModelSpec, load_model
from harness.outputs import ARRAY_DTYPES, MAX_DEPTH, MAX_ITEMS, decode, encode

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]

MODULE = "submission"
# Of all texts of one value; as JSON they stay within what a header may have.
MAX_TEXT = 2**17
NOT_PERMITTED = (
    " (graded code cannot start programs, use the network, or open files outside its own folder; "
    "harness.student has the lab's models and images)"
)
MAX_DESCRIPTORS = 128
MAX_SIGNALS = 256
_REQUEST_BYTES = 2**30


class RefusedError(Exception):
    """A returned value that is not plain data, or too much of it."""


class Child:
    """State of one child: the loaded submission and how to make values of its answers.

    Args:
        setup: the first request: folder, files, models, limits.
    """

    def __init__(self, setup: dict[str, Any]) -> None:
        self.folder = Path(setup["folder"])
        self.files: list[str] = setup["files"]
        self.models = {name: ModelSpec.from_json(m) for name, m in setup["models"].items()}
        self.output_bytes: int = setup["output_mb"] * 2**20
        self.contract: dict[str, list[str]] = setup["contract"]
        self.trusted: bool = setup["trusted"]
        self.kept: dict[str, Pristine] = {}
        self.module = types.ModuleType(MODULE)

    def load(self) -> dict[str, Any]:
        """Run the submission's files in order in one module; say what is defined and what failed.

        Definitions made before a failure count, and so do later cells of a notebook.
        """
        self.module.__file__ = str(self.folder / self.files[0])
        # As a package, so that `from .helpers import …` finds the files beside it.
        self.module.__package__, self.module.__path__ = MODULE, [str(self.folder)]
        sys.modules[MODULE] = self.module
        sys.path.insert(0, str(self.folder))
        failures = []
        for name in self.files:
            path = self.folder / name
            try:
                exec(compile(path.read_bytes(), str(path), "exec"), self.module.__dict__)
            except SystemExit:
                continue  # a script may end so; what it has defined is there
            except BaseException as error:
                failures.append({"file": name, **self.describe(error)})
        defined = [
            name
            for name, value in vars(self.module).items()
            if isinstance(value, types.FunctionType) and not name.startswith("_")
        ]
        found = [name for name in self.contract if callable(getattr(self.module, name, None))]
        return {"reply": "loaded", "found": found, "defined": defined, "failures": failures}

    def call(self, request: Frame) -> bytes:
        """Call one contract function and answer with a frame."""
        header = request.header
        function = getattr(self.module, header["function"])
        arguments = decode(header["arguments"], request.arrays)
        assert isinstance(arguments, dict)
        try:
            model = {"model": self._model(header["model"])} if header["model"] else {}
            if not self.trusted:  # nothing is drawn at random there
                _seed(header["seed"])
        except Exception as error:  # the lab's fault, not the student's
            message = f"model {header['model']!r} could not be loaded: {error}"
            return pack({"reply": "not_run", "message": message, "traceback": "", "seconds": 0}, [])
        started = time.monotonic()
        try:
            bound = _bind(function, self.contract[header["function"]], {**model, **arguments})
            started = time.monotonic()
            value = bound()
            seconds = time.monotonic() - started
            arrays: list[np.ndarray[Any, Any]] = []
            most = min(self.output_bytes, header["most_bytes"] or self.output_bytes)
            tree = encode(_Flattener(most).plain(value), arrays)
            return pack({"reply": "returned", "value": tree, "seconds": seconds}, arrays)
        except RefusedError as error:
            answer = {"reply": "refused", "message": str(error), "traceback": ""}
        except BaseException as error:
            answer = {"reply": "raised", **self.describe(error)}
        return pack({**answer, "seconds": time.monotonic() - started}, [])

    def _model(self, name: str) -> Any:
        """The model as it was loaded: a fresh one wherever student code has changed the last."""
        kept = self.kept.get(name)
        if kept is None or not (self.trusted or kept.unchanged()):
            kept = self.kept[name] = Pristine(load_model(self.models[name]))
        return kept.model

    def describe(self, error: BaseException) -> dict[str, str]:
        """What was raised, with the lines of the student's own files only."""
        with suppress(Exception):
            own = str(self.folder) + os.sep
            lines = [
                f'  File "{frame.filename.removeprefix(own)}", line {frame.lineno}, '
                f"in {frame.name}\n    {frame.line}"
                for frame in traceback.extract_tb(error.__traceback__)
                if frame.filename.startswith(own)
            ]
            last = "".join(traceback.format_exception_only(type(error), error)).strip()
            last = last.replace(own, "")
            message = f"{type(error).__name__}: {error}".replace(own, "")
            if isinstance(error, PermissionError):
                message += NOT_PERMITTED
            kept = lines if len(lines) <= 12 else [*lines[:4], "  …", *lines[-7:]]
            return {
                "message": message.strip()[:2000],
                "traceback": "\n".join([*kept, last])[:8000],
                "kind": _kind(error),
            }
        # An exception whose own text fails: its type is all there is to say.
        return {"message": type(error).__name__, "traceback": "", "kind": "raised"}


class _Flattener:
    """Turns what student code returned into plain data, within a budget of bytes and items."""

    def __init__(self, max_bytes: int) -> None:
        self.bytes_left = max_bytes
        self.items_left = MAX_ITEMS
        self.text_left = MAX_TEXT

    def plain(self, value: Any, depth: int = 0) -> Any:
        """The value as bool, int, float, str, None, array, list or dict.

        Raises:
            RefusedError: it holds something else, is too deep or too large.
        """
        self.items_left -= 1
        if self.items_left < 0 or depth > MAX_DEPTH:
            raise RefusedError(
                f"returned more than {MAX_ITEMS} items, or nested more than {MAX_DEPTH} deep; "
                "return NumPy arrays"
            )
        if value is None or isinstance(value, (bool, int, float, str)):
            return self._scalar(value)
        if isinstance(value, bytes):  # what TensorFlow makes of text
            self._spend(len(value), "text")
            return value.decode("utf-8", "backslashreplace")
        if isinstance(value, np.generic):
            return self.plain(value.item(), depth + 1)
        if isinstance(value, dict):
            return {self._key(key): self.plain(item, depth + 1) for key, item in value.items()}
        # What `zip`, `map` and `dict.items` make is a list that was not written out.
        if isinstance(
            value, (list, tuple, set, frozenset, Iterator, KeysView, ValuesView, ItemsView)
        ):
            return [self.plain(item, depth + 1) for item in value]
        if isinstance(value, np.ndarray) or hasattr(value, "__array__"):
            return self._array(np.asarray(value), depth)
        if hasattr(value, "__array_interface__"):  # a Pillow image
            return self._array(np.array(value), depth)
        raise RefusedError(
            f"returned a {type(value).__name__}; expected arrays, numbers, strings, or lists and "
            "dicts of these"
        )

    def _scalar(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(str(value))
        if isinstance(value, int) and abs(value) > 2**63:
            raise RefusedError("returned an integer of more than 64 bits")
        return value

    def _key(self, key: Any) -> str:
        if not isinstance(key, (str, int, np.integer)):
            kind = type(key).__name__
            raise RefusedError(f"returned a dict with a {kind} as key; expected strings")
        return self._text(str(key))

    def _text(self, text: str) -> str:
        self.text_left -= len(text)
        if self.text_left < 0:
            raise RefusedError(f"returned more than {MAX_TEXT} characters of text")
        return text

    def _array(self, array: np.ndarray[Any, Any], depth: int) -> Any:
        array = np.asarray(array)
        if array.dtype.kind in "USO" or array.dtype.names:  # text, arrays of unequal size, records
            self._spend(array.nbytes, f"an array of shape {array.shape}")
            return self.plain(array.tolist(), depth + 1)
        dtype = array.dtype.newbyteorder("=")
        if dtype not in ARRAY_DTYPES:
            raise RefusedError(f"returned an array of dtype {array.dtype}; expected numbers")
        self._spend(array.nbytes, f"an array of shape {array.shape}")
        return np.array(array, dtype=dtype, order="C", copy=True)

    def _spend(self, count: int, what: str) -> None:
        self.bytes_left -= count
        if self.bytes_left < 0:
            raise RefusedError(
                f"returned far more than the contract asks for: {what}, {_size(count)}"
            )


def _size(count: int) -> str:
    """A number of bytes, for people."""
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 2**10:.0f} KB"


def _bind(
    function: Callable[..., Any], names: list[str], values: dict[str, Any]
) -> Callable[[], Any]:
    """The call, by name where the student kept the contract's names, else by position.

    Extra parameters with defaults are fine either way.
    """
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return lambda: function(**values)
    takes_all = any(p.kind is inspect.Parameter.VAR_KEYWORD for p in parameters.values())
    positional_only = any(p.kind is inspect.Parameter.POSITIONAL_ONLY for p in parameters.values())
    if not positional_only and (takes_all or all(name in parameters for name in names)):
        return lambda: function(**values)
    return lambda: function(*(values[name] for name in names))


def _kind(error: BaseException) -> str:
    """Which of the lab's limits an exception tells of, if any."""
    if isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError":
        return "out_of_memory"
    limits = (errno.EFBIG, errno.EMFILE)
    if isinstance(error, OSError) and error.errno in limits:
        return "over_limit"
    if isinstance(error, RuntimeError) and "start new thread" in str(error):
        return "over_limit"
    return "raised"


def _seed(seed: int) -> None:
    """Seed all generators; TensorFlow then builds its kernels again, which is slow.

    An operation of TensorFlow with a seed of its own draws the same whatever `seed` is, as it does
    in two runs of a program; one without draws otherwise.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(seed)
    tf.random.set_seed(0)
    for _ in range(seed):  # each takes one of the seeds that operations without any are given
        tf.random.uniform(())


def _limit(limits: dict[str, int], threads_in_use: int) -> None:
    """Set the limits that the system keeps, where it can; none can be raised again.

    Args:
        limits: `memory_mb` of address space, `cpu_seconds`, `disk_mb` of a single file, `threads`;
            0 sets none of them.
        threads_in_use: what other processes of the same user have already.
    """
    if resource is None:
        return
    memory = limits["memory_mb"] * 2**20
    wanted = {
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_AS": (memory, memory),
        # The first ends the process unless it looks away, the second in any case.
        "RLIMIT_CPU": (limits["cpu_seconds"], limits["cpu_seconds"] + 2),
        "RLIMIT_FSIZE": (limits["disk_mb"] * 2**20,) * 2,
        "RLIMIT_NPROC": (threads_in_use + limits["threads"],) * 2,
        # Pipes, pairs of sockets and signals that wait are kept in memory of the kernel's.
        "RLIMIT_NOFILE": (MAX_DESCRIPTORS, MAX_DESCRIPTORS),
        "RLIMIT_SIGPENDING": (MAX_SIGNALS, MAX_SIGNALS),
    }
    for name, (soft, hard) in wanted.items():
        if soft or name == "RLIMIT_CORE":
            with suppress(ValueError, OSError, AttributeError):  # lower already, or not known here
                resource.setrlimit(getattr(resource, name), (soft, hard))


def serve(request_fd: int, reply_fd: int, threads_in_use: int = 0, *, confined: bool) -> None:
    """Answer requests until the harness closes its end.

    Args:
        request_fd: where they are read.
        reply_fd: where they are answered.
        threads_in_use: what other processes of the same user have already.
        confined: whether this process has put up the inner wall.
    """
    # Read and written without buffers in between, so that nothing is left behind on a kill.
    requests = os.fdopen(request_fd, "rb", buffering=0)
    replies = os.fdopen(reply_fd, "wb", buffering=0)

    def send(data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[replies.write(view) or 0 :]

    setup = read_frame(requests.read, _REQUEST_BYTES)
    if setup is None:
        return
    import tensorflow as tf

    # Every case has a model of its own, about which TensorFlow would warn ("retracing").
    tf.get_logger().setLevel("ERROR")
    # One thread each: the same sums in the same order every time, and small networks gain nothing.
    tf.config.threading.set_intra_op_parallelism_threads(setup.header["threads"])
    tf.config.threading.set_inter_op_parallelism_threads(setup.header["threads"])
    send(pack({"reply": "ready"}, []))
    if setup.header["limits"] is not None:
        _limit(setup.header["limits"], threads_in_use)
        if confined:
            seccomp.keep_cpu_limit()
    child = Child(setup.header)
    while (request := read_frame(requests.read, _REQUEST_BYTES)) is not None:
        match request.header["ask"]:
            case "load":
                _seed(0)
                send(pack(child.load(), []))
            case "call":
                send(child.call(request))


def main(jail: dict[str, Any] | None) -> None:
    """Serve as a process of its own, which is talked to on its standard streams.

    Args:
        jail: `home` to change and folders it `reads`; None for no confinement.
    """
    request_fd, reply_fd = os.dup(0), os.dup(1)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.argv = [""]
    if jail is not None:
        from harness.execution.jail import confine, readable

        confine(Path(jail["home"]), [Path(path) for path in jail["reads"]], readable())
    serve(request_fd, reply_fd, confined=jail is not None)


if __name__ == "__main__":
    importlib.import_module("harness.student")  # before it is out of reach
    main(json.loads(sys.argv[1]))
