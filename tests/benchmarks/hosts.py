"""Hosts of a cluster, each a network namespace of this machine; part of `cohort.py`, as root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_BRIDGE, _NET, _PORT = "bench0", "10.77.0", 8786


def possible() -> bool:
    return os.geteuid() == 0 and shutil.which("ip") is not None


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextmanager
def _network(count: int) -> Iterator[list[str]]:
    """A bridge with an address of this machine, and hosts with nothing but a cable to it."""
    names = [f"bench{number}" for number in range(1, count + 1)]
    with ExitStack() as stack:
        _ip("link", "add", _BRIDGE, "type", "bridge")
        stack.callback(_ip, "link", "del", _BRIDGE)
        _ip("addr", "add", f"{_NET}.254/24", "dev", _BRIDGE)
        _ip("link", "set", _BRIDGE, "up")
        for number, name in enumerate(names, start=1):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            cable = f"{name}-up"
            _ip("link", "add", cable, "type", "veth", "peer", "name", "eth0", "netns", name)
            # A namespace, and what is in it, ends some time after it is deleted.
            stack.callback(_ip, "link", "del", cable)
            _ip("link", "set", cable, "master", _BRIDGE, "up")
            _ip("-n", name, "addr", "add", f"{_NET}.{number}/24", "dev", "eth0")
            _ip("-n", name, "link", "set", "eth0", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names


@contextmanager
def _running(*command: object) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        list(map(str, command)), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """At once, with all that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def cluster(count: int, folder: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler here and a worker on each host: its address, and the workers."""
    address = f"tcp://{_NET}.254:{_PORT}"
    dask = (sys.executable, "-m", "dask")
    with ExitStack() as stack:
        hosts = stack.enter_context(_network(count))
        stack.enter_context(
            _running(*dask, "scheduler", "--host", f"{_NET}.254", "--port", _PORT, "--no-dashboard")
        )
        workers = [
            stack.enter_context(
                _running(
                    "ip", "netns", "exec", host, *dask, "worker", address, "--nthreads", 1,
                    "--no-dashboard", "--local-directory", folder / host,
                )
            )
            for host in hosts
        ]  # fmt: skip
        _wait_for_all(address, count)
        yield address, workers


def _wait_for_all(address: str, count: int) -> None:
    from distributed import Client

    with Client(address, timeout=60) as client:
        client.wait_for_workers(count, timeout=60)


@contextmanager
def at_half(out: Path, count: int, action: Callable[[], None]) -> Iterator[None]:
    """Act once half of the submissions are judged."""
    stopped = threading.Event()

    def watch() -> None:
        while not stopped.is_set():
            if len(list(out.glob("*/grade.json"))) >= count // 2:
                action()
                return
            time.sleep(0.1)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        thread.join()
