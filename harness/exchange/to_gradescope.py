"""Gradescope's `results.json`, one per submission.

Source of the rules: Gradescope's autograder specification (top-level `score` overrides the sum of
the tests; a test that is not `visible` hides the total from students). So every test is `visible`,
and a hidden case is kept by what its text says: outcome and hint, nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.disclosure import Hidden
from harness.exchange.lines import Line, lines_of
from harness.exchange.order import Order, Output, file_of
from harness.exchange.preflight import Account, Kind
from harness.exchange.totals import lines_of as total_lines
from harness.exchange.totals import read_grade, read_graded
from harness.texts import visible

FILE = "results.json"


def plan(order: Order, account: Account) -> Iterator[Output]:
    """A file per submission; one, at `--out` itself, where there is one submission."""
    found = list(per_submission(order, account))
    if len(found) == 1:
        path = order.target(FILE)
        yield from outputs(order, found, lambda _: path / FILE if path.is_dir() else path, results)
        return
    folder = order.target("gradescope")
    yield from outputs(order, found, lambda name: folder / name / FILE, results)


def per_submission(order: Order, account: Account) -> Iterator[tuple[str, bool]]:
    """Each grade's folder, and whether it may leave the house; the account says which may not."""
    of_another_lab = []
    for graded in read_graded(order.reports):
        account.grades += 1
        account.matched += 1
        if graded.held_back:
            account.hold(graded.submission, graded.held_back, graded.remedy)
        else:
            account.written += 1
            if not order.secrets.knows(graded.lab):
                of_another_lab.append(graded.submission)
        yield graded.folder, not graded.held_back
    if of_another_lab:
        some = ", ".join(of_another_lab[:5]) + ", …" * (len(of_another_lab) > 5)
        account.tell(
            Kind.NOTE,
            f"{len(of_another_lab)} were graded with another lab file than the one here ({some}), "
            "so every case is shown as a hidden one; give --lab, or run `harness grade` again",
        )


def outputs(
    order: Order,
    found: Iterable[tuple[str, bool]],
    place: Callable[[str], Path],
    make: Callable[[Mapping[str, Any], Hidden], Mapping[str, Any]],
) -> Iterator[Output]:
    """A file of JSON per grade; of one that is held back, none, not even one from before."""

    def output(folder: str) -> Output:
        def data() -> bytes:
            grade = read_grade(order.reports, folder)
            return to_bytes(make(grade, order.secrets.of(grade)))

        return file_of(place(folder), data)

    for folder, may_leave in found:
        if may_leave:
            yield output(folder)
        elif place(folder).is_file():
            yield Output(place(folder), None)


def to_bytes(data: Mapping[str, Any]) -> bytes:
    """JSON that any reader takes."""
    text = json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode(errors="backslashreplace")


def results(grade: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    """The final points of one grade, which is not held back, as `results.json`."""
    tests = [_answer(question) for question in grade.get("questions", ())]
    return _results(grade, grade["final"], hidden, tests)


def results_of_checks(grade: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    """The points of the checks of one grade, which is judged: what an autograder can tell.

    Written answers are not marked yet then, and lateness is Gradescope's own business.
    """
    return _results(grade, {"points": grade["points"], "max_points": grade["max_points"]}, hidden)


def _results(
    grade: Mapping[str, Any],
    final: Mapping[str, Any],
    hidden: Hidden,
    more: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    tests = [*map(_test, lines_of(grade, hidden)), *more]
    return {
        "score": final["points"],
        "execution_time": grade["run"]["seconds"],
        "output": _output_text(grade["run"]["message"], final),
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


def _output_text(message: str, final: Mapping[str, Any]) -> str:
    told = [message, *(line.shown() for line in total_lines(final))]
    told.append(f"{final['points']:g} / {final['max_points']:g}")
    return visible("\n".join(filter(None, told)))
