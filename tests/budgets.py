"""What reading may cost: in proportion to what is read, and within a budget."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable
from typing import TypeVar

SECONDS, MEGABYTES = 2.0, 512.0  # for one hand-in, whatever is in it

T = TypeVar("T")


def seconds(work: Callable[[], object]) -> float:
    """Processor time that something takes."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start


def megabytes(work: Callable[[], object]) -> float:
    """Memory that something holds at its peak, beyond what was there before."""
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        work()
        return (tracemalloc.get_traced_memory()[1] - before) / 2**20
    finally:
        tracemalloc.stop()


def growth(work: Callable[[T], object], sample: Callable[[int], T], size: int) -> float:
    """How many times longer twice as much takes: 2 where work is linear, 4 where it is quadratic.

    The least of several measurements of each, which what else the machine does cannot lower.
    """
    small, large = sample(size), sample(2 * size)
    work(small)
    pairs = [(seconds(lambda: work(small)), seconds(lambda: work(large))) for _ in range(4)]
    return min(large for _, large in pairs) / max(min(small for small, _ in pairs), 1e-4)
