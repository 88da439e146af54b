"""What the handout says, worked out from the lab; `handout.md` words it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness import techniques
from harness.final import policy_lines
from harness.golden import Golden
from harness.kit.examples import Example, examples, result_of
from harness.lab import Lab
from harness.language import speaking
from harness.questions import Question
from harness.report import handout_texts
from harness.report.words import technique_title, words


@dataclass(frozen=True)
class GradedPart:
    """One check: what it is worth and over how many cases."""

    technique: str
    title: str
    points: float
    public: int
    hidden: int


@dataclass(frozen=True)
class FunctionPart:
    """One function of the contract and what a right one returns for the example."""

    example: Example
    technique: str
    result: str


@dataclass(frozen=True)
class Handout:
    """All that the handout says.

    Attributes:
        title: of the lab.
        parts: what is graded.
        points: of all checks.
        functions: of the contract, those that the lab asks for.
        questions: the written ones.
        pass_mark_percent: of all points.
        policy: deadline, lateness, attempts, rounding, in sentences.
        limits: name and value.
        models: their names.
        images: theirs.
        datasets: theirs.
        python: the version that the kit was made with.
    """

    title: str
    parts: tuple[GradedPart, ...]
    points: float
    functions: tuple[FunctionPart, ...]
    questions: tuple[Question, ...]
    pass_mark_percent: float
    policy: tuple[str, ...]
    limits: tuple[tuple[str, str], ...]
    models: tuple[str, ...]
    images: tuple[str, ...]
    datasets: tuple[str, ...]
    python: str


def handout(lab: Lab, public: Lab, golden: Golden, python: str) -> tuple[str, str]:
    """The handout in Markdown and as a page that loads nothing.

    Args:
        lab: what is graded, hidden cases counted.
        public: what students get of it.
        golden: of the public lab.
        python: the version that the kit was made with.
    """
    with speaking(lab.language):
        made = Handout(
            title=lab.title,
            parts=tuple(_parts(lab)),
            points=sum(check.points for check in lab.checks),
            functions=tuple(
                FunctionPart(one, technique_title(one.technique), result_of(one, golden))
                for one in examples(public)
            ),
            questions=lab.questions,
            pass_mark_percent=100 * lab.pass_mark,
            policy=tuple(policy_lines(lab.policy)),
            limits=tuple(_limits(lab)),
            models=tuple(public.models),
            images=tuple(public.images),
            datasets=tuple(public.datasets),
            python=python,
        )
        return handout_texts(made)


def _parts(lab: Lab) -> Iterator[GradedPart]:
    for check in lab.checks:
        groups = [group for _, group in techniques.selected(lab, check)]
        hidden = sum(any(case.hidden for case in group) for group in groups)
        technique = technique_title(techniques.metric_of(check)[0].name)
        yield GradedPart(technique, words(check.id), check.points, len(groups) - hidden, hidden)


def _limits(lab: Lab) -> Iterator[tuple[str, str]]:
    limits = lab.limits
    yield "case_seconds", f"{limits.case_seconds:g} s"
    yield "submission_seconds", f"{limits.submission_seconds:g} s"
    yield "memory_mb", f"{limits.memory_mb} MB"
    yield "output_mb", f"{limits.output_mb} MB"
    yield "disk_mb", f"{limits.disk_mb} MB"
