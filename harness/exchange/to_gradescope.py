"""Gradescope's `results.json`, one per submission.

Source of the rules: Gradescope's autograder specification (top-level `score` overrides the sum of
the tests; a test that is not `visible` hides the total from students). So every test is `visible`,
and a hidden case is kept by what its text says: outcome and hint, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.told import Hidden, Line, lines_of
from harness.exchange.totals import lines_of as total_lines
from harness.exchange.totals import read_grade, read_graded
from harness.texts import visible

FILE = "results.json"


def plan(order: Order, account: Account) -> Iterator[Output]:
    """A file per submission; one, at `--out` itself, where there is one submission."""
    found = list(per_submission(order, account))
    if len(found) == 1 == account.grades:
        path = order.target(FILE)
        yield _output(order, found[0], path / FILE if path.is_dir() else path)
        return
    folder = order.target("gradescope")
    for name in found:
        yield _output(order, name, folder / name / FILE)


def per_submission(order: Order, account: Account) -> Iterator[str]:
    """The folders of the grades that may leave the house; the account says which may not."""
    of_another_lab = []
    for graded in read_graded(order.reports):
        account.grades += 1
        account.matched += 1
        if graded.held_back:
            account.tell(Kind.HELD_BACK, f"{graded.submission}: {graded.held_back}")
            continue
        account.written += 1
        if not order.secrets.knows(graded.lab):
            of_another_lab.append(graded.submission)
        yield graded.folder
    if of_another_lab:
        some = ", ".join(of_another_lab[:5]) + ", …" * (len(of_another_lab) > 5)
        account.tell(
            Kind.NOTE,
            f"{len(of_another_lab)} were graded with another lab file than the one here ({some}), "
            "so every case is shown as a hidden one; give --lab, or run `harness grade` again",
        )


def _output(order: Order, folder: str, path: Path) -> Output:
    def make() -> bytes:
        grade = read_grade(order.reports, folder)
        return to_bytes(results(grade, order.secrets.of(grade)))

    return file_of(path, make)


def to_bytes(data: Mapping[str, Any]) -> bytes:
    """JSON that any reader takes."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace")


def results(grade: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    """One grade, which is not held back, as `results.json`."""
    final = grade["final"]
    tests = [_test(line) for line in lines_of(grade, hidden)]
    tests += [_answer(question) for question in grade.get("questions", ())]
    return {
        "score": final["points"],
        "execution_time": grade["run"]["seconds"],
        "output": _output_text(grade),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"submission": visible(grade["submission"]), "digests": grade["digests"]},
        "tests": [{"number": str(number), **test} for number, test in enumerate(tests, start=1)],
    }


def _test(line: Line) -> dict[str, Any]:
    return {
        "name": line.name,
        "score": round(line.points, 4),
        "max_score": round(line.max_points, 4),
        "status": "passed" if line.outcome == "passed" else "failed",
        "output": line.text,
        "visibility": "visible",
    }


def _answer(question: Mapping[str, Any]) -> dict[str, Any]:
    points, top = question["points"], question["max_points"]
    return {
        "name": visible(question["title"]),
        "score": points,
        "max_score": top,
        "status": "passed" if points == top else "failed",
        "output": visible("\n".join(filter(None, (question["level"], question["comment"])))),
        "visibility": "visible",
    }


def _output_text(grade: Mapping[str, Any]) -> str:
    final = grade["final"]
    told = [grade["run"]["message"], *(line.shown() for line in total_lines(final))]
    told.append(f"{final['points']:g} / {final['max_points']:g}")
    return visible("\n".join(filter(None, told)))
