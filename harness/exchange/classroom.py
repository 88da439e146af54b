"""GitHub Classroom's `result`: what a grading step hands to the reporter, before base64.

Sources of the rules: the public reporter `classroom-resources/autograding-grading-reporter`
(`src/notify-classroom.js`) and the graders beside it. The reporter adds up the `score` of all
`tests` for the points that Classroom shows, so `tests` is always there, every `score` is a number,
and they add up to the points of the grade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.disclosure import Hidden, nothing_hidden
from harness.exchange.lines import Line, lines_of
from harness.exchange.totals import Line as TotalLine
from harness.exchange.totals import lines_of as total_lines
from harness.language import gettext as _
from harness.texts import visible

VERSION = 3
MAX_OUTPUT = 500
# What thirds and the like leave behind, and no line of its own is worth.
_NOISE = 0.005
_STATUS = {"passed": "pass", "failed": "fail"}


def classroom_result(grade: Mapping[str, Any], hidden: Hidden = nothing_hidden) -> dict[str, Any]:
    """What `harness check` finds as `result`: the points of the checks.

    Written answers are not marked there, and lateness is not settled, so neither counts.

    Args:
        grade: as in `grade.json`.
        hidden: tells hidden cases, which show their hint only.

    Returns:
        `status` is `error` where the grade was not judged. `max_score` is then 0, with which the
        reporter tells Classroom no points at all, and so never a 0.
    """
    judged = {"points": grade["points"], "max_points": grade["max_points"]}
    held_back = "" if grade["outcome"] == "judged" else _("not judged")
    return _result(grade, {**judged, "held_back": held_back}, hidden)


def final_result(grade: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    """The final points of a grade as `result`: an error, as above, while they are held back."""
    return _result(grade, grade["final"], hidden)


def _result(grade: Mapping[str, Any], final: Mapping[str, Any], hidden: Hidden) -> dict[str, Any]:
    if final["held_back"]:
        return _error(grade, final["held_back"])
    tests = [_test(number, line) for number, line in enumerate(lines_of(grade, hidden), start=1)]
    rest = round(final["points"] - math.fsum(test["score"] for test in tests), 4)
    earned = [test for test in tests if test["score"]]
    if earned and abs(rest) < _NOISE:
        earned[-1]["score"] = round(earned[-1]["score"] + rest, 4)
    elif rest:
        tests.append(_rest(len(tests) + 1, rest, total_lines(final)))
    full = all(test["status"] == "pass" for test in tests)
    return {
        "version": VERSION,
        "status": "pass" if full else "fail",
        "max_score": final["max_points"],
        "tests": tests,
    }


def _test(number: int, line: Line) -> dict[str, Any]:
    status = _STATUS.get(line.outcome, "error")
    output = _cut(line.text or line.outcome)
    code = "" if line.hidden else f"harness check --case {line.key}"
    entry = _entry(number, line.name, status, round(line.points, 4), output, code)
    return entry if status == "pass" else {**entry, "message": output}


def _rest(number: int, points: float, lines: Sequence[TotalLine]) -> dict[str, Any]:
    """What written answers, lateness and rounding add to the points of the checks."""
    name = visible(", ".join(line.text for line in lines[1:] if line.points))
    output = _cut(visible("\n".join(line.shown() for line in lines)))
    return _entry(number, name or "±", "pass", points, output)


def _error(grade: Mapping[str, Any], told: str) -> dict[str, Any]:
    reason = grade["run"]["message"]
    text = _("no points yet: {reason}").format(reason=f"{told} ({reason})" if reason else told)
    message = _cut(visible(text))
    test = {**_entry(1, "grading", "error", 0, message), "message": message}
    return {"version": VERSION, "status": "error", "max_score": 0, "tests": [test]}


def _entry(
    number: int, name: str, status: str, score: float, output: str, code: str = ""
) -> dict[str, Any]:
    """One of `tests`; cases are not timed one by one, and have no line of their own."""
    return {
        "name": name,
        "status": status,
        "test_code": code,
        "task_id": number,
        "filename": "",
        "line_no": 0,
        "duration": 0,
        "score": score,
        "output": output,
    }


def _cut(text: str) -> str:
    return text if len(text) <= MAX_OUTPUT else text[: MAX_OUTPUT - 1] + "…"
