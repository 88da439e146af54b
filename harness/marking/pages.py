"""What the marking page says: one question, the answers of many students."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from harness.language import gettext as _
from harness.language import ngettext, speaking
from harness.marking.desk import Desk, Mark, key_of
from harness.marks import Change
from harness.questions import Level, Question
from harness.report.of_questions import ClaimLine, claim_lines
from harness.report.of_student import DrawnFigure
from harness.report.photographs import Photograph, photographs

PER_PAGE = 50


@dataclass(frozen=True)
class QuestionLink:
    """One question of the lab, and how far it is marked."""

    title: str
    link: str
    here: bool
    progress: str


@dataclass(frozen=True)
class Item:
    """One student's answer and its mark.

    Attributes:
        key: what the submission is called in addresses.
        name: the submission.
        answer: what the student wrote, or empty.
        digest: of the answer.
        other: what the student wrote beside all questions, where there is no answer.
        notes: what was noticed when the answers were read.
        claims: the claimed table, held against what the network says.
        figures: of the question's cases.
        level: label of the level given, or None.
        comment: given.
        seen: id of the change behind both, or empty.
        state: `marked`, `unmarked` or `stale`.
        told: the same in words: by whom and when.
        problem: why what was sent was not saved, or empty.
    """

    key: str
    name: str
    answer: str
    digest: str
    other: str
    notes: tuple[str, ...]
    claims: tuple[ClaimLine, ...]
    figures: tuple[DrawnFigure, ...]
    level: str | None
    comment: str
    seen: str
    state: str
    told: str
    problem: str = ""


@dataclass(frozen=True)
class View:
    """Which part of a cohort a page shows.

    Attributes:
        start: position of the first submission that may be on it, from 0, of all.
        unmarked: only answers without a mark that counts.
    """

    start: int = 0
    unmarked: bool = False

    def link(self, question: Question, key: str = "") -> str:
        """The page's address, at a submission if one is given."""
        asked = {**({"from": self.start} if self.start else {})}
        filtered = {"show": "unmarked"} if self.unmarked else {}
        query = urlencode({**asked, **filtered})
        return f"/questions/{question.id}" + (f"?{query}" if query else "") + (key and f"#s-{key}")


@dataclass(frozen=True)
class MarkingPage:
    """All that the page says."""

    title: str
    lab: str
    text: str
    marker: str
    question: Question
    levels: tuple[Level, ...]
    questions: tuple[QuestionLink, ...]
    progress: str
    view: View
    everyone: str
    only_unmarked: str
    before: str
    after: str
    first: int
    last: int
    count: int
    items: tuple[Item, ...]
    notice: str
    photographs: Mapping[str, Photograph]


def marking_page(
    desk: Desk, question: Question, view: View, *, notice: str = "", draft: Item | None = None
) -> MarkingPage:
    """Work out all that the page says.

    Args:
        desk: where is marked.
        question: which answers.
        view: whose answers.
        notice: something to say first.
        draft: an item to show in place of the stored one.
    """
    with speaking(desk.lab.language):
        states = dict(_states(desk))
        matching = [
            (place, name)
            for place, name in enumerate(desk.names)
            if name in states and (not view.unmarked or states[name][question.id] != "marked")
        ]
        shown = [one for one in matching if one[0] >= view.start][:PER_PAGE]
        if draft is not None and draft.name not in [name for _, name in shown]:
            shown.insert(0, (desk.names.index(draft.name), draft.name))
        found = (item_of(desk, question, name) for _, name in shown)
        items = tuple(draft if draft and draft.name == item.name else item for item in found)
        before = [place for place, _ in matching if place < view.start]
        behind = [place for place, _ in matching if shown and place > shown[-1][0]]
        earlier = replace(view, start=before[-PER_PAGE:][0] if len(before) > PER_PAGE else 0)
        return MarkingPage(
            title=question.title,
            lab=desk.lab.title,
            text=question.text,
            marker=desk.marker,
            question=question,
            levels=question.levels,
            questions=tuple(_links(desk, question, view, states)),
            progress=_progress(states, question),
            view=view,
            everyone=View().link(question),
            only_unmarked=View(unmarked=True).link(question),
            before=earlier.link(question) if before else "",
            after=replace(view, start=behind[0]).link(question) if behind else "",
            first=len(before) + 1,
            last=len(before) + len(shown),
            count=len(matching),
            items=items,
            photographs=photographs(
                desk.lab, (drawn.figure for item in items for drawn in item.figures)
            ),
            notice=" ".join(filter(None, (notice, _board_notice(desk)))),
        )


def progress(desk: Desk, question: Question) -> str:
    """How far a question is marked: `12 of 30 marked`."""
    with speaking(desk.lab.language):
        return _progress(dict(_states(desk)), question)


def item_of(desk: Desk, question: Question, name: str) -> Item:
    """One student's answer and its mark as they are stored."""
    answers, mark = desk.answers(name), desk.marks(name).current.get(question.id)
    if mark is not None and mark.level is None and not mark.comment:
        mark = None
    digest, key = answers.digest(question.id), key_of(name)
    answer = answers.texts.get(question.id, "")
    state = _state(question, mark, digest)
    drawn = enumerate(desk.figures(name, question), start=1)
    return Item(
        key=key,
        name=name,
        answer=answer,
        digest=digest,
        other="" if answer else answers.other,
        notes=answers.notes,
        claims=claim_lines(answers.claims.get(question.id, ())),
        figures=tuple(DrawnFigure(f"f-{key}-{n}", "", figure, open=True) for n, figure in drawn),
        level=mark.level if mark else None,
        comment=mark.comment if mark else "",
        seen=desk.marks(name).seen(question.id),
        state=state,
        told=_told(state, mark),
    )


def conflict(desk: Desk, question: Question, name: str, mark: Mark) -> Item:
    """The item with what was sent still in its form, after somebody else was quicker."""
    with speaking(desk.lab.language):
        stored = item_of(desk, question, name)
        told = _("This was changed meanwhile: {told} Save again to put yours in its place.")
        level = stored.level or _("no level")
        meanwhile = f"{level}. {stored.comment}".strip()
        return replace(
            stored,
            level=mark.level,
            comment=mark.comment,
            problem=told.format(told=f"{stored.told} ({meanwhile})"),
        )


def undone_notice(desk: Desk, key: str, question: Question) -> str:
    """What to say after a mark was taken back, or when there was none."""
    with speaking(desk.lab.language):
        if key not in desk.keys:
            return _("There is nothing left that you could take back.")
        told = _("Your last change was taken back: {name}, “{title}”.")
        return told.format(name=desk.keys[key], title=question.title)


def _board_notice(desk: Desk) -> str:
    if not desk.board.problem:
        return ""
    told = _("Marks are saved, but the board and the CSV could not be written ({problem}).")
    return told.format(problem=desk.board.problem)


def _states(desk: Desk) -> Iterator[tuple[str, Mapping[str, str]]]:
    for name, grade in desk.summaries():
        stored = {question["id"]: question for question in grade.get("questions", ())}
        yield name, {question: _stored_state(stored.get(question)) for question in desk.questions}


def _stored_state(question: Mapping[str, Any] | None) -> str:
    if question is None:
        return "unmarked"
    if question["stale"]:
        return "stale"
    return "unmarked" if question["points"] is None else "marked"


def _state(question: Question, mark: Change | None, digest: str) -> str:
    if mark is None:
        return "unmarked"
    lost = mark.level is not None and question.level(mark.level) is None
    if lost or mark.answer != digest:
        return "stale"
    return "unmarked" if mark.level is None else "marked"


def _told(state: str, mark: Change | None) -> str:
    if mark is None:
        return _("Not marked yet.")
    when = datetime.fromisoformat(mark.at).astimezone().strftime("%Y-%m-%d %H:%M")
    told = {
        "marked": _("Marked by {by}, {when}."),
        "stale": _("The mark by {by}, {when}, was given for an earlier answer or rubric: save it "
                   "again if it still holds."),
        "unmarked": _("Only a comment so far, by {by}, {when}."),
    }[state]  # fmt: skip
    return told.format(by=mark.by, when=when)


def _progress(states: Mapping[str, Mapping[str, str]], question: Question) -> str:
    marked = sum(state[question.id] == "marked" for state in states.values())
    text = ngettext("{marked} of {n} marked", "{marked} of {n} marked", len(states))
    return text.format(marked=marked, n=len(states))


def _links(
    desk: Desk, here: Question, view: View, states: Mapping[str, Mapping[str, str]]
) -> Iterator[QuestionLink]:
    for question in desk.lab.questions:
        link = View(unmarked=view.unmarked).link(question)
        yield QuestionLink(question.title, link, question is here, _progress(states, question))
