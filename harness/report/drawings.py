"""The figures of a submission, drawn from its outputs and the golden ones."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from typing import Any

from harness import techniques
from harness.disclosure import public
from harness.figures import Figure, Gallery, Nearest, Note, Part, Plot, Row, Views
from harness.golden import Golden
from harness.lab import Case, Lab
from harness.language import gettext as _
from harness.language import speaking
from harness.outputs import CaseStatus, Outputs
from harness.remembered import Figures
from harness.techniques.base import Evidence, OutputError

# Bytes of all pictures and plots of a report, before base64 adds a third: 1.5 MB is the promise.
_MOST_BYTES = 1_000_000


def draw(
    lab: Lab, golden: Golden, outputs: Outputs, known: MutableMapping[str, Any] | None = None
) -> Figures:
    """Draw all cases that returned something drawable; hidden cases stay hidden.

    They are filed by technique and by group: a case's own id, or that of its sweep or repetition.

    A figure that cannot be drawn is a sentence that says so: it never costs the report.

    Args:
        lab: the lab.
        golden: what is expected.
        outputs: what came.
        known: measurements of these outputs (`Evidence.once`), of which some are shown.
    """
    with speaking(lab.language):
        return _draw(lab, golden, outputs, {} if known is None else known)


def _draw(lab: Lab, golden: Golden, outputs: Outputs, known: MutableMapping[str, Any]) -> Figures:
    figures: dict[tuple[str, str], Sequence[Figure]] = {}
    left = _MOST_BYTES
    for (technique, group), cases in _groups(lab).items():
        drawn = _drawn(lab, golden, outputs, cases, known)
        size = sum(_bytes(figure) for figure in drawn)
        if size > left:
            text = _("Left out: with these pictures the report would become too large to send.")
            drawn = [Figure(figure.title, (Note(text),)) for figure in drawn]
        else:
            left -= size
        if drawn:
            figures[technique, group] = drawn
    return figures


def _groups(lab: Lab) -> dict[tuple[str, str], list[Case]]:
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in public(lab.cases):
        groups.setdefault((techniques.technique_of(case).name, case.group), []).append(case)
    return groups


def _drawn(
    lab: Lab,
    golden: Golden,
    outputs: Outputs,
    cases: Sequence[Case],
    known: MutableMapping[str, Any],
) -> Sequence[Figure]:
    try:
        evidence = list(_evidence(lab, golden, outputs, cases, known))
        return techniques.technique_of(cases[0]).figures(evidence) if evidence else ()
    except Exception:  # whatever it is, the rest of the report is worth more
        text = _("This figure could not be drawn. That is the harness's fault; it costs no points.")
        return [Figure(cases[0].group, (Note(text),))]


def _evidence(
    lab: Lab,
    golden: Golden,
    outputs: Outputs,
    cases: Sequence[Case],
    known: MutableMapping[str, Any],
) -> Iterator[Evidence]:
    for case in cases:
        output = outputs.cases.get(techniques.key(case))
        if output is None or output.status is not CaseStatus.RETURNED:
            continue
        try:
            yield golden.evidence(lab, case, output, known)
        except OutputError:
            continue  # the grade's message says what is wrong with it


def _bytes(figure: Figure) -> int:
    return sum(_part_bytes(part) for part in figure.parts)


# What the page takes for a plot, and for a view beside its map and lines.
_PLOT_BYTES = 3500
_VIEW_BYTES = 400


def _part_bytes(part: Part) -> int:
    match part:
        case Row():
            return sum(len(picture.data) for picture in part.pictures)
        case Gallery():
            return sum(len(one.data) for _name, pictures in part.rows for one in pictures if one)
        case Views():
            views = (*part.plain, *part.compare)
            lines = sum(len(line.path) for view in views for line in view.lines)
            heat = sum(len(view.heat) + _VIEW_BYTES for view in views)
            return lines + heat + sum(len(picture.data) for picture in part.pictures)
        case Plot() | Nearest():
            return _PLOT_BYTES
        case _:
            return 0
