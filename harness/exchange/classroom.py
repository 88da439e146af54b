"""GitHub Classroom's `result`: what a grading step hands to the reporter, before base64.

Sources of the rules: the public reporter `classroom-resources/autograding-grading-reporter`
(`src/notify-classroom.js`) and the graders beside it. The reporter adds up the `score` of all
`tests` for the points that Classroom shows, so `tests` is always there, every `score` is a number,
and they add up to the final points.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from harness.exchange.told import Hidden, Line, lines_of, nothing_hidden
from harness.texts import visible

VERSION = 3
MAX_OUTPUT = 500
# What thirds and the like leave behind, and no line of its own is worth.
_NOISE = 0.005
_STATUS = {"passed": "pass", "failed": "fail"}


def classroom_result(grade: Mapping[str, Any], hidden: Hidden = nothing_hidden) -> dict[str, Any]:
    """One grade as `result`.

    Args:
        grade: as in `grade.json`; without `final`, the points of its checks are the final ones.
        hidden: tells hidden cases, which show their hint only.

    Returns:
        `status` is `error` where the grade was not judged or is held back. `max_score` is then 0,
        with which the reporter tells Classroom no points at all, and so never a 0.
    """
    final = grade.get("final", {"points": grade["points"], "max_points": grade["max_points"]})
    told = final.get("held_back") or ("" if grade["outcome"] == "judged" else "not judged")
    if told or final["points"] is None:
        return _error(grade, str(told or "held back"))
    lines = lines_of(grade, hidden)
    tests = [_test(number, line) for number, line in enumerate(lines, start=1)]
    rest = round(final["points"] - math.fsum(test["score"] for test in tests), 4)
    earned = [test for test in tests if test["score"]]
    if earned and abs(rest) < _NOISE:
        earned[-1]["score"] = round(earned[-1]["score"] + rest, 4)
    elif rest:
        tests.append(_rest(len(tests) + 1, rest, final.get("lines", ())))
    full = all(test["status"] == "pass" for test in tests)
    return {
        "version": VERSION,
        "status": "pass" if full else "fail",
        "max_score": final["max_points"],
        "tests": tests,
    }


def _test(number: int, line: Line) -> dict[str, Any]:
    status = _STATUS.get(line.outcome, "error")
    output = line.text or line.outcome
    # Cases are not timed one by one, and a case has no line of its own.
    test = {
        "name": line.name,
        "status": status,
        "test_code": "" if line.hidden else f"harness check --case {line.key}",
        "task_id": number,
        "filename": "",
        "line_no": 0,
        "duration": 0,
        "score": round(line.points, 4),
        "output": _cut(output),
    }
    return test if status == "pass" else {**test, "message": _cut(output)}


def _rest(number: int, points: float, lines: Any) -> dict[str, Any]:
    """What written answers, lateness and rounding add to the points of the checks."""
    text = visible("\n".join(f"{line['text']}: {line['points']:g}" for line in lines))
    return {
        "name": visible(", ".join(line["text"] for line in lines)) or "±",
        "status": "pass",
        "test_code": "",
        "task_id": number,
        "filename": "",
        "line_no": 0,
        "duration": 0,
        "score": points,
        "output": _cut(text),
    }


def _error(grade: Mapping[str, Any], told: str) -> dict[str, Any]:
    reason = grade["run"]["message"]
    message = _cut(visible(f"no points yet: {told}" + (f" ({reason})" if reason else "")))
    test = {
        "name": "grading",
        "status": "error",
        "message": message,
        "test_code": "",
        "task_id": 1,
        "filename": "",
        "line_no": 0,
        "duration": 0,
        "score": 0,
        "output": message,
    }
    return {"version": VERSION, "status": "error", "max_score": 0, "tests": [test]}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_OUTPUT else text[: MAX_OUTPUT - 1] + "…"
