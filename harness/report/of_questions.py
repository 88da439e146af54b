"""What pages say about written answers and their marks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.answers import Answers
from harness.claims import Claim, Verdict
from harness.lab import Lab
from harness.language import gettext as _
from harness.questions import Question

# Of one answer, so that a report stays small; ten pages.
LONGEST = 20_000


@dataclass(frozen=True)
class ClaimLine:
    """One row of a claimed table."""

    name: str
    said: str
    right: bool
    told: str


@dataclass(frozen=True)
class AnswerPart:
    """A question, the answer to it and its mark.

    Attributes:
        anchor: where links find it.
        title: the question.
        text: more about it.
        answer: what the student wrote, or empty.
        cut: whether there is more of it than is shown.
        claims: its claimed table, held against what the network says.
        state: `marked`, `unmarked` or `stale`, for a mark that does not count any more.
        points: of the mark, if there is one.
        max_points: of the question.
        level: label of the level given, or empty.
        description: of that level.
        comment: on the answer.
    """

    anchor: str
    title: str
    text: str
    answer: str
    cut: bool
    claims: tuple[ClaimLine, ...]
    state: str
    points: float | None
    max_points: float
    level: str
    description: str
    comment: str


@dataclass(frozen=True)
class QuestionsPart:
    """All written answers of a submission.

    Attributes:
        parts: one per question.
        other: text that belongs to no question.
        notes: what was noticed when the answers were read.
        marked: how many marks count.
        points: theirs together.
        max_points: of all questions.
    """

    parts: tuple[AnswerPart, ...]
    other: str
    notes: tuple[str, ...]
    marked: int
    points: float
    max_points: float


@dataclass(frozen=True)
class QuestionLine:
    """How the answers to a question were marked over a cohort.

    Attributes:
        title: the question.
        count: of submissions.
        marked: how many marks count.
        stale: how many were given for another answer.
        mean: points of those that count, if any does.
        max_points: of the question.
    """

    title: str
    count: int
    marked: int
    stale: int
    mean: float | None
    max_points: float


def questions_part(
    grade: Mapping[str, Any], lab: Lab, answers: Answers | None
) -> QuestionsPart | None:
    """Work out what a report says about written answers; None where none are asked for."""
    stored: Sequence[Mapping[str, Any]] = grade.get("questions", ())
    if not stored:
        return None
    answers = answers or Answers()
    asked = {question.id: question for question in lab.questions}
    counted = [question["points"] for question in stored if _state(question) == "marked"]
    max_points = math.fsum(question["max_points"] for question in stored)
    return QuestionsPart(
        parts=tuple(_part(question, asked.get(question["id"]), answers) for question in stored),
        other=answers.other[:LONGEST],
        notes=answers.notes,
        marked=len(counted),
        points=math.fsum(counted),
        max_points=max_points,
    )


def _part(stored: Mapping[str, Any], question: Question | None, answers: Answers) -> AnswerPart:
    answer = answers.texts.get(stored["id"], "")
    level = question.level(stored["level"]) if question else None
    return AnswerPart(
        anchor=f"question-{stored['id']}",
        title=stored["title"],
        text=question.text if question else "",
        answer=answer[:LONGEST],
        cut=len(answer) > LONGEST,
        claims=claim_lines(answers.claims.get(stored["id"], ())),
        state=_state(stored),
        points=stored["points"],
        max_points=stored["max_points"],
        level=stored["level"] or "",
        description=level.description if level else "",
        comment=stored["comment"],
    )


def _state(stored: Mapping[str, Any]) -> str:
    if stored["stale"]:
        return "stale"
    return "unmarked" if stored["points"] is None else "marked"


def claim_lines(claims: Sequence[Claim]) -> tuple[ClaimLine, ...]:
    """A claimed table in words."""
    return tuple(
        ClaimLine(claim.name, claim.said, claim.verdict is Verdict.RIGHT, _told(claim))
        for claim in claims
    )


def _told(claim: Claim) -> str:
    if claim.verdict is Verdict.NOT_LISTED:
        return _("not among the network’s most probable classes")
    if claim.verdict is Verdict.RIGHT or claim.true is None:
        return _("as the network says")
    if "%" in claim.said:  # in the unit that the answer is in
        shown = "< 0.01 %" if claim.true < 1e-4 else f"{100 * claim.true:.4g} %"
    else:
        shown = "< 0.0001" if claim.true < 1e-4 else f"{claim.true:.4g}"
    return _("the network says {probability}").format(probability=shown)


def question_lines(grades: Sequence[Mapping[str, Any]]) -> tuple[QuestionLine, ...]:
    """What the cohort's page says about each question."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for grade in grades:
        for question in grade.get("questions", ()):
            found.setdefault(question["id"], []).append(question)
    return tuple(_line(questions) for questions in found.values())


def _line(questions: Sequence[Mapping[str, Any]]) -> QuestionLine:
    counted = [question["points"] for question in questions if _state(question) == "marked"]
    return QuestionLine(
        title=questions[0]["title"],
        count=len(questions),
        marked=len(counted),
        stale=sum(question["stale"] for question in questions),
        mean=math.fsum(counted) / len(counted) if counted else None,
        max_points=questions[0]["max_points"],
    )
