"""How much time and memory one step of ours may take over what a student made.

Student *code* has the lab's limits and walls of its own (`harness.execution`). These limits are for
student *data*: files, archives, notebooks, answers and returned arrays, which our own code reads.
What goes beyond them is the student's failure, since honest work stays a long way below.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path

try:
    import resource
except ImportError:  # Windows has no such limits; wall time still holds there
    resource = None  # type: ignore[assignment]

_MEGABYTE = 2**20
_STATM = Path("/proc/self/statm")


@dataclass(frozen=True)
class Allowance:
    """What one request may take.

    Attributes:
        cpu_seconds: processor time.
        memory_mb: address space, beyond what the process has when the request comes.
    """

    cpu_seconds: int
    memory_mb: int

    @property
    def wall_seconds(self) -> float:
        """After so long the machine is at fault, and not what is read: far beyond `cpu_seconds`."""
        return 60.0 + 20.0 * self.cpu_seconds


# Opening unpacks at most 200 MB and 1,000 files; honest hand-ins take a tenth of a second.
OPEN = Allowance(cpu_seconds=30, memory_mb=768)
# Honest outputs of a whole lab take about a second.
ASSESS = Allowance(cpu_seconds=120, memory_mb=1536)


def apply(allowance: Allowance) -> None:
    """Limit this process, where the system can, from now on.

    Beyond the processor time it is ended by SIGXCPU; beyond the memory it meets a `MemoryError`.
    """
    if resource is None:
        return
    used = int(time.process_time()) + 1
    _set_soft("RLIMIT_CPU", used + allowance.cpu_seconds)
    if (size := _address_space()) is not None:
        _set_soft("RLIMIT_AS", size + allowance.memory_mb * _MEGABYTE)


def no_core_dump() -> None:
    """Leave no file where this process ends by a limit."""
    if resource is not None:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def lift() -> None:
    """Take this process's limits of memory away again, to say what went beyond them."""
    if resource is not None:
        _set_soft("RLIMIT_AS", resource.RLIM_INFINITY)


def _set_soft(name: str, value: int) -> None:
    kind = getattr(resource, name)
    _soft, hard = resource.getrlimit(kind)
    bounded = hard != resource.RLIM_INFINITY and not 0 <= value <= hard
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (hard if bounded else value, hard))


def _address_space() -> int | None:
    """Bytes of this process's address space; None where the system does not say."""
    try:
        return int(_STATM.read_bytes().split()[0]) * resource.getpagesize()
    except OSError:
        return None
