"""What the handout says, worked out from the lab; `handout.md` words it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness import calibrated, techniques
from harness.disclosure import is_hidden
from harness.final import policy_lines
from harness.golden import Golden
from harness.kit.examples import Example, examples, result_of
from harness.lab import Lab
from harness.language import gettext as _
from harness.language import speaking
from harness.questions import Question
from harness.report import handout_texts
from harness.report.words import technique_title, words


@dataclass(frozen=True)
class GradedPart:
    """One check: what it is worth, when a case passes, and over how many cases."""

    technique: str
    title: str
    points: float
    passes: str
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
        limits: what is limited, and how much there may be.
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
    for check in calibrated.with_thresholds(lab, calibrated.load(lab).thresholds).checks:
        groups = [group for _, group in techniques.selected(lab, check)]
        hidden = sum(map(is_hidden, groups))
        technique, metric = techniques.metric_of(check)
        passes = _(metric.passes).format(**{**metric.threshold, **check.threshold})
        title = technique_title(technique.name)
        public = len(groups) - hidden
        yield GradedPart(title, words(check.id), check.points, passes, public, hidden)


def _limits(lab: Lab) -> Iterator[tuple[str, str]]:
    limits = lab.limits
    yield _("time for a case"), f"{limits.case_seconds:g} s"
    yield _("time for all of them, with the start"), f"{limits.submission_seconds:g} s"
    yield _("memory"), f"{limits.memory_mb} MB"
    yield _("what a case returns"), f"{limits.output_mb} MB"
    yield _("files that you write"), f"{limits.disk_mb} MB"
