"""What must hold of a lab: every variant keeps every point, every mistake is caught and named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.calibration.running import CLEAR, NoiseRun, Row
from harness.diagnosis import KnownMistake, diagnose, known_mistake, likeness
from harness.results import Outcome

# The least margin that a variant must have, and the reference under every condition.
ROOM = 0.05
CATCHES = 2
NAMED = 0.9


@dataclass(frozen=True)
class Proof:
    """The proof, or what is missing from it.

    Attributes:
        variants: how many there are.
        variants_right: how many keep every point with room.
        mistakes: how many there are.
        mistakes_caught: how many are clearly caught by two cases.
        named: how many are the first diagnosis of what they return.
        problems: what does not hold, a sentence each; empty when all does.
        notes: what people should know, a sentence each.
    """

    variants: int
    variants_right: int
    mistakes: int
    mistakes_caught: int
    named: int
    problems: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class CaseUse:
    """What one case is good for.

    Attributes:
        key: `check/case`.
        catches: the mistakes that it catches clearly.
        needed: those of them that the chosen cases before it had not caught twice.
    """

    key: str
    catches: tuple[str, ...]
    needed: tuple[str, ...]


def prove(rows: Sequence[Row], noise: Sequence[NoiseRun], known: Sequence[KnownMistake]) -> Proof:
    """Hold what was run against what must hold."""
    problems: list[str] = []
    right = caught = named = 0
    for row in rows:
        name = row.entry.name
        if row.not_judged:
            problems.append(f"{name} could not be judged on {', '.join(row.not_judged)}")
        elif row.entry.is_mistake:
            caught += _is_caught(row, problems)
            named += _is_named(row, known)
        else:
            right += _keeps_all(row, problems)
    for run in noise:
        for check in run.checks:
            for case in check.cases:
                if case.margin < ROOM or case.outcome is not Outcome.PASSED:
                    problems.append(
                        f"a threshold of {check.id} lies within the noise: the reference has a "
                        f"margin of {case.margin:.2f} on {case.id}, {run.condition}"
                    )
    count = sum(row.entry.is_mistake for row in rows)
    unnamed = count - named
    if count and named < NAMED * count:
        problems.append(f"only {named} of {count} mistakes are their own first diagnosis")
    notes = [*cannot_tell(rows)]
    if unnamed:
        notes.append(f"{unnamed} mistakes are given another name than their own, or none")
    return Proof(len(rows) - count, right, count, caught, named, tuple(problems), tuple(notes))


def known_mistakes(rows: Iterable[Row]) -> list[KnownMistake]:
    """What every mistake returns where it fails, for the diagnosis."""
    return [known_mistake(row.entry, row.checks) for row in rows if row.entry.is_mistake]


def choose_cases(rows: Sequence[Row]) -> list[CaseUse]:
    """All cases, those first that together catch every mistake twice, the most useful first.

    A greedy cover: the next case is the one that adds most catches still needed.
    """
    catches: dict[str, list[str]] = {key: [] for row in rows for key in row.units}
    missing: dict[str, int] = {}
    for row in rows:
        if row.entry.is_mistake:
            missing[row.entry.name] = min(CATCHES, len(row.caught_by))
            for key in row.caught_by:
                catches[key].append(row.entry.name)
    uses = []
    left = dict(catches)
    while left:
        needed = {key: [name for name in names if missing[name] > 0] for key, names in left.items()}
        key = max(left, key=lambda key: (len(needed[key]), len(left[key])))
        for name in needed[key]:
            missing[name] -= 1
        uses.append(CaseUse(key, tuple(left.pop(key)), tuple(needed[key])))
    return uses


def cannot_tell(rows: Sequence[Row]) -> list[str]:
    """In plain words: which mistakes no case tells from right work, or from one another."""
    said = []
    mistakes = [row for row in rows if row.entry.is_mistake]
    for row in mistakes:
        if row.caught_by:
            continue
        best = max(case.margin for case in row.units.values())
        why = (
            "it returns what correct work returns on every case, so no measure can tell: it needs "
            "a model or an image on which the two differ (behind a global average pooling, for "
            "one, guided and plain Grad-CAM are the same map)"
            if best > 0.99 and not row.failed
            else f"its nearest case is {best:.2f} of the way from the threshold to perfect"
        )
        said.append(f"no case tells {row.entry.name} from correct work: {why}")
    for number, one in enumerate(mistakes):
        alike = [
            other.entry.name
            for other in mistakes[number + 1 :]
            if other.entry.technique == one.entry.technique and _same(one, other)
        ]
        if alike and one.failed:
            said.append(
                f"{one.entry.name} returns the same as {', '.join(alike)} wherever they fail: the "
                "diagnosis cannot tell them apart"
            )
    return said


def _keeps_all(row: Row, problems: list[str]) -> bool:
    for key in row.failed:
        problems.append(f"the variant {row.entry.name} fails {key}: {row.units[key].message}")
    if row.failed:
        return False
    if row.margin < ROOM:
        key, case = min(row.units.items(), key=lambda item: item[1].margin)
        problems.append(
            f"the variant {row.entry.name} passes {key} with a margin of {case.margin:.2f}; "
            f"at least {ROOM:g} is asked for"
        )
        return False
    return True


def _is_caught(row: Row, problems: list[str]) -> bool:
    count = len(row.caught_by)
    if count < CATCHES:
        nearest = ", ".join(row.caught_by) or "none"
        problems.append(
            f"the mistake {row.entry.name} is clearly caught (margin at most -{CLEAR:g}) by "
            f"{count} cases ({nearest}); at least {CATCHES} are asked for"
        )
    return count >= CATCHES


def _is_named(row: Row, known: Sequence[KnownMistake]) -> bool:
    found = diagnose(row.checks, known).get(row.entry.technique)
    return found is not None and found.mistake == row.entry.name


def _same(one: Row, other: Row) -> bool:
    """Whether two mistakes fail the same cases with the same outputs."""
    if set(one.failed) != set(other.failed):
        return False
    return all(likeness(one.units[key].trace, other.units[key].trace) > 0.98 for key in one.failed)
