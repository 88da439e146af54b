"""A table of predictions that a student claims to have seen, held against what the network says."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any

from harness.questions import plain

# Golden outputs may differ by as much from one machine to the next.
DRIFT = 0.001
MOST_ROWS = 20
_LONGEST_LINE = 300
_NUMBER = re.compile(r"[≈~]?\s*(\d{1,3}(?:[.,]\d{1,12})?)\s*(%?)")
_BULLET = re.compile(r"(?:[-*+]|\d{1,2}[.)])\s+")
# What may stand between a name and a probability.
_BETWEEN = " \t\u00a0\u202f|:=(–—-"


class Verdict(str, Enum):
    """How a claimed row compares."""

    RIGHT = "right"
    WRONG_PROBABILITY = "wrong_probability"
    NOT_LISTED = "not_listed"


@dataclass(frozen=True)
class Claim:
    """One row of a claimed table.

    Attributes:
        name: of the class, as the student wrote it.
        said: the probability, as the student wrote it.
        verdict: how it compares.
        true: what the network says, where the class is among its most probable ones.
    """

    name: str
    said: str
    verdict: Verdict
    true: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The claim as plain data."""
        return {
            "name": self.name,
            "said": self.said,
            "verdict": self.verdict.value,
            "true": None if self.true is None else round(self.true, 6),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Claim:
        """Read what `to_json` wrote."""
        return cls(**{**data, "verdict": Verdict(data["verdict"])})


def compare(
    text: str, expected: Sequence[tuple[str, float]], classes: Collection[str]
) -> tuple[Claim, ...]:
    """Find the tables that an answer claims, and compare each row.

    A table is a Markdown table, or a list of `name: 0.93` or `name 93 %`, of two rows or more, of
    which one at least names a class of the model.

    Args:
        text: the answer.
        expected: the network's most probable classes.
        classes: the names of all classes of the model.
    """
    known = {plain(name) for name in classes}
    claimed = (
        row
        for table in _tables(text)
        if len(table) > 1 and any(plain(name) in known for name, _ in table)
        for row in table
    )
    return tuple(_judge(name, said, expected) for name, said in islice(claimed, MOST_ROWS))


def _tables(text: str) -> list[list[tuple[str, str]]]:
    """Runs of rows with a name and a number; blank lines and rulers do not end a run."""
    tables: list[list[tuple[str, str]]] = [[]]
    for line in text.split("\n"):
        if not line.strip(" \t|:-+="):
            continue
        row = _row(line) if len(line) <= _LONGEST_LINE else None
        if row is not None:
            tables[-1].append(row)
        elif tables[-1]:
            tables.append([])
    return tables


def _row(line: str) -> tuple[str, str] | None:
    """Name and probability of one line, if it has both."""
    if line.count("|") > 1 or line.strip().startswith("|"):
        return _cells([cell.strip(" \t*_`") for cell in line.strip().strip("|").split("|")])
    return _item(re.sub(r"[*`]{1,3}(?=\S)|(?<=\S)[*`]{1,3}", "", line).strip())


def _item(line: str) -> tuple[str, str] | None:
    """Name and probability of "- soccer ball: 0.93", "1. soccer_ball (93 %)", "ball = 0,93"."""
    number = line.removesuffix(")").rstrip()
    digits = number.removesuffix("%").rstrip()
    start = len(digits)
    while start and (digits[start - 1].isdecimal() or digits[start - 1] in ".,"):
        start -= 1
    start -= digits[start - 1 : start] in ("≈", "~")
    before, said = line[:start], number[start:]
    if not (before[-1:].isspace() or before.endswith((":", "=", "("))) or _value(said) is None:
        return None
    bullet = _BULLET.match(before)
    own = before[bullet.end() :] if bullet else before
    name = own.rstrip(_BETWEEN) or before.rstrip(_BETWEEN)  # "1. 0.9" is about the class 1
    # "soccer ball: 0.93 (93 %)" says it twice.
    short = re.split("[:=]", name, maxsplit=1)[0].rstrip().strip(" \t*_`(")
    return (short, said) if short else None


def _cells(cells: Sequence[str]) -> tuple[str, str] | None:
    """The first cell with a letter that a number follows; else the last two, if they are numbers.

    Classes of digits have no letter: `| 1 | 9 | 0.93 |` is about the class 9.
    """
    first = next((i for i, cell in enumerate(cells) if re.search(r"[^\W\d_]", cell)), len(cells))
    said = next((cell for cell in cells[first + 1 :] if _value(cell) is not None), None)
    if said is not None:
        return cells[first], said
    if len(cells) > 1 and all(_value(cell) is not None for cell in cells[-2:]):
        return cells[-2], cells[-1]
    return None


def _value(said: str) -> tuple[float, float] | None:
    """Probability and half a unit of its last digit, 0 to 1; None where it is neither.

    Numbers above 1 are percentages, with or without the sign.
    """
    found = _NUMBER.fullmatch(said.strip())
    if found is None:
        return None
    digits = found[1].replace(",", ".")
    decimals = len(digits.partition(".")[2])
    scale = 0.01 if found[2] or float(digits) > 1 else 1.0
    value = scale * float(digits)
    return (value, scale * 0.5 * 10**-decimals) if value <= 1 else None


def _judge(name: str, said: str, expected: Sequence[tuple[str, float]]) -> Claim:
    short = name[:80]
    value = _value(said)
    assert value is not None
    claimed, rounding = value
    # Two classes may share a name: the nearer probability counts.
    true = [probability for other, probability in expected if plain(other) == plain(name)]
    if not true:
        return Claim(short, said, Verdict.NOT_LISTED)
    nearest = min(true, key=lambda probability: abs(probability - claimed))
    right = abs(nearest - claimed) <= rounding + DRIFT
    return Claim(short, said, Verdict.RIGHT if right else Verdict.WRONG_PROBABILITY, nearest)
