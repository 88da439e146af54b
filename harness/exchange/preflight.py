"""The account of an export, told before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    """What can be said of a grade, or of a row of a sheet: the words, and whether to look at it."""

    UNMATCHED = ("grades that match no row", True)
    OUT_OF_RANGE = ("out of range, not written", True)
    HELD_BACK = ("held back, not written", True)
    LOCKED = ("may not be changed, left alone", True)
    EXCUSED = ("excused, left alone", False)
    WITHOUT_GRADE = ("rows without a grade, left alone", False)
    NOTE = ("notes", False)

    @property
    def words(self) -> str:
        """The kind for people."""
        return self.value[0]

    @property
    def needs_a_person(self) -> bool:
        """Whether somebody should see to it."""
        return self.value[1]


@dataclass
class Account:
    """What an export does and leaves undone.

    Attributes:
        grades: students who have one.
        matched: of these, those that the other side knows.
        written: of these, those for whom something is written that is not there yet.
        unchanged: of these, those whose grade is there already.
        told: what else there is to say, by kind, but for those held back.
        held: who is held back, by the reason.
        remedies: what to do about it.
    """

    grades: int = 0
    matched: int = 0
    written: int = 0
    unchanged: int = 0
    told: dict[Kind, list[str]] = field(default_factory=dict)
    held: dict[str, list[str]] = field(default_factory=dict)
    remedies: list[str] = field(default_factory=list)

    def tell(self, kind: Kind, text: str) -> None:
        """Say something of that kind, once."""
        texts = self.told.setdefault(kind, [])
        if text not in texts[-1:]:
            texts.append(text)

    def hold(self, who: str, why: str, remedy: str = "") -> None:
        """Say who is held back, why, and what to do about it, unless the reason says so itself."""
        self.held.setdefault(why, []).append(who)
        if remedy and remedy not in self.remedies:
            self.remedies.append(remedy)

    def count(self, kind: Kind) -> int:
        """How many things there are of that kind."""
        if kind is Kind.HELD_BACK:
            return sum(map(len, self.held.values()))
        return len(self.told.get(kind, ()))

    @property
    def needs_a_person(self) -> bool:
        """Whether there is something that somebody should see to."""
        return any(kind.needs_a_person and self.count(kind) for kind in Kind)

    def lines(self) -> list[str]:
        """The account for people: a sentence, then everything that it counts by name."""
        noun = "grade" if self.grades == 1 else "grades"
        parts = [
            f"{self.grades} {noun}: {self.matched} matched, {self.written} to write, "
            f"{self.unchanged} unchanged"
        ]
        parts += [
            f"{kind.words}: {self.count(kind)}"
            for kind in Kind
            if self.count(kind) and kind is not Kind.NOTE
        ]
        found = ["; ".join(parts)]
        for kind in Kind:
            if self.count(kind):
                found.append(f"{kind.words}:")
                texts = self._held() if kind is Kind.HELD_BACK else self.told[kind]
                found += [f"  {text}" for text in texts]
        return found

    def _held(self) -> Iterator[str]:
        """A line for each who is held back alone, and one for those who share a reason."""
        for why, who in self.held.items():
            if len(who) == 1:
                yield f"{who[0]}: {why}"
            else:
                yield f"{why} ({len(who)}): {'; '.join(who)}"
        yield from (f"→ {remedy}, then export again" for remedy in self.remedies)
