"""From the points of a grade to the total that leaves the house, line by line.

`final` in `grade.json`: the checks, the marked answers, what lateness takes off, the rounding. The
total is empty, with the reason in `held_back`, while it may not leave: never a 0 in its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from harness.handed_in import HandedIn
from harness.lab import Lab
from harness.language import gettext as _
from harness.language import ngettext
from harness.policy import Lateness, LatePolicy, Policy, duration


def final_of(
    lab: Lab, grade: Mapping[str, Any], handed_in: Mapping[str, Any] | None
) -> dict[str, Any]:
    """The key `final` of a grade, in the present language.

    Args:
        lab: its policy, pass mark and questions.
        grade: outcome, points and questions.
        handed_in: as in `HandedIn.to_json`, if it is known.
    """
    lines = [_line(_("Checks"), grade["points"], grade["max_points"])]
    held_back = "" if grade["outcome"] == "judged" else _("not all of it could be judged")
    points, max_points = grade["points"], grade["max_points"]
    if lab.questions:
        questions = grade.get("questions", ())
        marked, possible = marked_points(questions), math.fsum(q.points for q in lab.questions)
        lines.append(_line(_("Written answers"), marked, possible))
        held_back = held_back or (_("written answers are not all marked") if marked is None else "")
        points, max_points = points + (marked or 0.0), max_points + possible
    if lab.policy.late:
        known = HandedIn.from_json(grade["submission"], handed_in) if handed_in else None
        text, taken = _late(lab.policy.late, known, points, max_points)
        lines.append(_line(text, taken and -taken))
        if taken is None:
            held_back = held_back or text
        points -= taken or 0.0
    # All points need not be a multiple of the step, and nobody gets more than all.
    rounded = min(lab.policy.rounded(points), round(max_points, 4))
    if lab.policy.step:
        lines.append(_line(_rounding(lab), rounded - points))
    points = rounded
    return {
        "points": None if held_back else points,
        "max_points": round(max_points, 4),
        "lines": lines,
        "held_back": held_back,
        "passed": None if held_back else points >= lab.pass_mark * max_points - 1e-9,
        "attempts": lab.policy.attempts,
    }


def marked_points(questions: Sequence[Mapping[str, Any]]) -> float | None:
    """Points of all answers; None while one of them has no mark that counts, or there are none."""
    if not questions or any(map(unmarked, questions)):
        return None
    return round(math.fsum(question["points"] for question in questions), 4)


def unmarked(question: Mapping[str, Any]) -> bool:
    """Whether there is no mark, or one that was given for another answer."""
    return question["points"] is None or bool(question["stale"])


def _line(text: str, points: float | None, of: float | None = None) -> dict[str, Any]:
    line: dict[str, Any] = {"text": text, "points": None if points is None else round(points, 4)}
    return line if of is None else {**line, "max_points": round(of, 4)}


def _late(
    late: LatePolicy, handed_in: HandedIn | None, points: float, possible: float
) -> tuple[str, float | None]:
    """What to say of lateness, and how many points it takes: None where that is not known."""
    if handed_in is None or handed_in.at is None:
        if handed_in is not None and handed_in.late:
            return _("marked as late, but when it was handed in is not known"), None
        return _("When this was handed in is not known; nothing was taken off"), 0.0
    found = late.lateness(handed_in)
    taken = found.percent / 100 * (possible if late.of_possible and not found.closed else points)
    return _late_text(late, found), min(taken, points)


def _late_text(late: LatePolicy, found: Lateness) -> str:
    deadline = f"{found.deadline:%Y-%m-%d %H:%M:%S %Z}"
    text = _("extended deadline {deadline}") if found.extended else _("deadline {deadline}")
    until = text.format(deadline=deadline)
    if found.by <= timedelta():
        return _("Handed in in time ({deadline})").format(deadline=until)
    by = _duration(found.by)
    if found.closed:
        text = _("Handed in {by} late ({deadline}), after it was closed: nothing counts")
        return text.format(by=by, deadline=until)
    if not found.units:
        text = _("Handed in {by} late ({deadline}), within the grace: nothing is taken off")
        return text.format(by=by, deadline=until)
    if late.hourly:
        begun = ngettext("{n} hour begun", "{n} hours begun", found.units)
    else:
        begun = ngettext("{n} day begun", "{n} days begun", found.units)
    of = _("of the possible points") if late.of_possible else _("of the points earned")
    text = _("Handed in {by} late ({deadline}), {begun}: {percent} % {of}")
    return text.format(
        by=by,
        deadline=until,
        begun=begun.format(n=found.units),
        percent=f"{found.percent:g}",
        of=of,
    )


def _duration(by: timedelta) -> str:
    """The two largest units of a duration: "2 d 3 h", "5 min 1 s"."""
    units = zip(duration(by), (_("d"), _("h"), _("min"), _("s")), strict=True)
    parts = [f"{count} {unit}" for count, unit in units if count]
    return " ".join(parts[:2])


def _rounding(lab: Lab) -> str:
    texts = {
        "nearest": _("Rounded to multiples of {step}"),
        "up": _("Rounded up to multiples of {step}"),
        "down": _("Rounded down to multiples of {step}"),
    }
    return texts[lab.policy.direction].format(step=f"{lab.policy.step:g}")


def policy_lines(policy: Policy) -> Iterator[str]:
    """What a lab's policy is, in sentences of the present language."""
    if late := policy.late:
        yield from _late_lines(late)
    if policy.attempts == "best":
        yield _("You may hand in several times; the best attempt counts.")
    else:
        yield _("You may hand in several times; the last attempt counts.")
    if policy.step:
        yield _("Totals are rounded to multiples of {step}.").format(step=f"{policy.step:g}")


def _late_lines(late: LatePolicy) -> Iterator[str]:
    text = _("The deadline is {deadline} ({zone}).")
    yield text.format(deadline=f"{late.deadline:%Y-%m-%d %H:%M:%S}", zone=late.zone.key)
    if late.grace:
        text = _("Nothing is taken off in the {grace} after it.")
        yield text.format(grace=_duration(late.grace))
    if late.percent:
        of = _("of the possible points") if late.of_possible else _("of the points earned")
        text = (
            _("Each hour late that was begun takes off {percent} % {of}, at most {most} %.")
            if late.hourly
            else _("Each day late that was begun takes off {percent} % {of}, at most {most} %.")
        )
        yield text.format(percent=f"{late.percent:g}", of=of, most=f"{late.at_most:g}")
    if late.closes:
        text = _("After {closes}, nothing counts any more.")
        yield text.format(closes=f"{late.closes:%Y-%m-%d %H:%M:%S}")
