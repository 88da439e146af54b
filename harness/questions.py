"""The written questions of a lab: what students answer in words and people mark by levels."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.yamlfile import Place, YamlFile


@dataclass(frozen=True)
class Level:
    """One level of a question's rubric."""

    points: float
    label: str
    description: str = ""


@dataclass(frozen=True)
class Question:
    """One written question.

    Attributes:
        id: names it in answers, marks and the CSV.
        title: the question itself, which may head an answer as well.
        points: what the best answer earns.
        levels: the rubric, in the order in which people are shown it.
        text: more about the question.
        cases: whose figures go beside an answer: ids, or `technique/id` where an id is not enough.
        claims: the `top_predictions` case that a table in the answer is about, else empty.
        place: in the lab file.
    """

    id: str
    title: str
    points: float
    levels: tuple[Level, ...]
    text: str = ""
    cases: tuple[str, ...] = ()
    claims: str = ""
    place: Place = ()

    def level(self, label: str | None) -> Level | None:
        """The level of that label, if the rubric has it."""
        return next((level for level in self.levels if level.label == label), None)


def read_questions(source: YamlFile) -> tuple[Question, ...]:
    """The questions of a lab file that keeps the schema.

    Raises:
        LabError: two cannot be told apart, or a level has more points than its question.
    """
    seen: dict[str, Place] = {}
    questions = []
    for index, entry in enumerate(source.data.get("questions", ())):
        place: Place = ("questions", index)
        for key in ("id", "title"):
            name = plain(entry[key])
            if not name:
                raise source.error((*place, key), f"found {entry[key]!r}; expected words")
            if seen.setdefault(name, place) != place:
                raise source.error(
                    (*place, key),
                    f"{entry[key]!r} names an earlier question too (case, accents and punctuation "
                    "do not count); rename one",
                )
        if "case" in entry and "cases" in entry:
            raise source.error(place, "found both 'case' and 'cases'; give one of them")
        questions.append(_question(source, place, entry))
    return tuple(questions)


def plain(text: str) -> str:
    """A name without what people write differently: case, accents, punctuation, spaces."""
    apart = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("æ", "ae"))
    letters = "".join(char for char in apart if not unicodedata.combining(char))
    return " ".join(re.findall(r"[^\W_]+", letters.casefold()))


def _question(source: YamlFile, place: Place, entry: Mapping[str, Any]) -> Question:
    return Question(
        id=entry["id"],
        title=entry["title"],
        points=entry["points"],
        levels=tuple(_levels(source, place, entry)),
        text=entry.get("text", ""),
        cases=tuple(entry.get("cases", [entry["case"]] if "case" in entry else [])),
        claims=entry.get("claims", ""),
        place=place,
    )


def _levels(source: YamlFile, place: Place, entry: Mapping[str, Any]) -> Iterator[Level]:
    labels: set[str] = set()
    for index, level in enumerate(entry["levels"]):
        at: Place = (*place, "levels", index)
        if level["points"] > entry["points"]:
            raise source.error(
                (*at, "points"),
                f"found {level['points']:g}; allowed: 0 to {entry['points']:g}, the question's "
                "points",
            )
        if level["label"] in labels:
            raise source.error(
                (*at, "label"), f"label {level['label']!r} is used twice; rename one"
            )
        labels.add(level["label"])
        yield Level(level["points"], level["label"], level.get("description", ""))
