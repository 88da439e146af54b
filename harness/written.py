"""Written answers and their marks, brought together with the rest of a grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness import techniques
from harness.answers import Answers, read_answers
from harness.claims import Claim, compare
from harness.final import final_of
from harness.golden import Golden
from harness.gradebook import Gradebook, brief
from harness.lab import Lab
from harness.language import speaking
from harness.marks import questions_of, read_marks
from harness.opened import Opened
from harness.outputs import Outputs
from harness.questions import Question
from harness.remembered import Figures, Remembered
from harness.results import RunSummary


def written_answers(lab: Lab, golden: Golden, opened: Opened) -> Answers:
    """The answers of a submission, and how their claimed tables compare with golden outputs."""
    with speaking(lab.language):
        answers = read_answers(opened, lab.questions)
    claims = {
        question.id: _claims(lab, golden, question, answers.texts[question.id])
        for question in lab.questions
        if question.claims and question.id in answers.texts
    }
    return replace(answers, claims={name: rows for name, rows in claims.items() if rows})


def _claims(lab: Lab, golden: Golden, question: Question, text: str) -> tuple[Claim, ...]:
    case = techniques.claimed_case(lab, question)
    expected = golden.accepted[techniques.key(case)][0]
    return compare(text, expected, [name for _, name in lab.models[case.model].classes])


def settled(
    lab: Lab, grade: Mapping[str, Any], handed_in: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A grade with the total that its lab makes of it."""
    with speaking(lab.language):
        final = final_of(lab, grade, handed_in)
    return {**grade, "handed_in": handed_in, "final": final}


def refreshed(
    book: Gradebook,
    lab: Lab,
    grade: Mapping[str, Any],
    handed_in: Mapping[str, Any] | None,
) -> Mapping[str, Any]:
    """A stored grade with the marks, the times and the policy of now.

    Where that changes anything, its report is made again.

    No student code is run: the report is made from what is stored. The caller holds the lock of
    the marks.

    Raises:
        UsageError: the marks are damaged.
    """
    name = grade["submission"]
    now, answers = dict(grade), Answers()
    if lab.questions:
        answers = book.answers(name)
        now["questions"] = questions_of(lab.questions, answers, read_marks(book, name))
    now = settled(lab, now, handed_in)
    if grade == now:
        return grade
    from harness.report import report_html  # templates: not where nothing is written

    outputs, figures = stored_work(book, now)
    html = report_html(now, outputs, lab, figures, answers)
    book.save_marked(now, html.encode(errors="backslashreplace"))
    return now


def remarked(book: Gradebook, lab: Lab, summary: Mapping[str, Any]) -> Mapping[str, Any]:
    """A grade's summary with the marks of now."""
    name = summary["submission"]
    if not lab.questions or not book.marks_file(name).is_file():
        return summary
    questions = questions_of(lab.questions, book.answers(name), read_marks(book, name))
    now = settled(lab, {**summary, "questions": questions}, summary["handed_in"])
    return {**now, "questions": brief(questions)}


def stored_work(book: Gradebook, grade: Mapping[str, Any]) -> tuple[Outputs, Figures]:
    """The stored outputs that a grade rests on, and the figures drawn of them."""
    name = grade["submission"]
    outputs = book.outputs(name)
    if outputs is None or outputs.run.status.value != grade["run"]["status"]:
        # Those of an earlier run, which a grade that could not be made leaves alone.
        return Outputs(name, RunSummary.from_json(grade["run"])), {}
    return outputs, Remembered.from_bytes(book.remembered(name)).figures or {}
