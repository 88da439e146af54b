"""GitHub Classroom: `result` of every submission, and the grades' table with its points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.exchange.classroom import classroom_result
from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account
from harness.exchange.to_gradescope import per_submission, to_bytes
from harness.exchange.totals import read_grade

FILE = "result.json"


def plan(order: Order, account: Account) -> Iterator[Output]:
    """A file per submission, `<submission>/result.json`."""
    folder = order.target("classroom")
    for name in list(per_submission(order, account)):
        yield _output(order, name, folder / name / FILE)


def _output(order: Order, folder: str, path: Path) -> Output:
    def make() -> bytes:
        grade = read_grade(order.reports, folder)
        return to_bytes(classroom_result(grade, order.secrets.of(grade)))

    return file_of(path, make)
