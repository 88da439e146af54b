"""The page of a run: points, the one thing to fix first, what failed, and small pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import techniques
from harness.courseci.facts import (
    Checked,
    Failure,
    diagnosis_of,
    failures,
    not_judged,
)
from harness.courseci.markdown import head, plain, row
from harness.courseci.squares import LEVELS, squares
from harness.disclosure import cases_of, is_hidden
from harness.lab import Case
from harness.language import gettext as _
from harness.language import ngettext, speaking
from harness.outputs import CaseStatus
from harness.report.words import run_sentence, technique_title, words
from harness.results import stopped
from harness.techniques.base import OutputError

# GitHub drops the summary of a step that is larger than 1 MiB, all of it.
MAX_BYTES = 2**20
_ROOM = 4096
_MOST_MAPS = 5
_MAPS = "class_activation_maps"


def summary(checked: Checked) -> str:
    """The summary in the lab's language, as Markdown of at most 1 MiB."""
    with speaking(checked.lab.language):
        return _whole(checked)


def summary_of_error(message: str) -> str:
    """The check itself could not be made."""
    return f"## The check could not be made\n\n{plain(message[:20_000])}\n"


def _whole(checked: Checked) -> str:
    failed = failures(checked.grade, checked.lab)
    parts = [
        *_top(checked),
        *_changed(checked),
        *_first(checked, failed),
        *_points(checked),
        *_not_judged(checked),
    ]
    text = "".join(parts)
    text += _bounded(
        _failed([] if _nothing_loaded(checked) else failed), MAX_BYTES - _ROOM - len(text.encode())
    )
    return text + _bounded(_maps(checked), MAX_BYTES - _ROOM - len(text.encode()))


def _bounded(lines: Iterator[str], room: int) -> str:
    """As many whole lines as there is room for; the last one says that there were more."""
    kept = []
    for line in lines:
        room -= len(line.encode())
        if room < 0:
            kept.append("\n" + _("There was no room for more; the rest is in the report.") + "\n")
            break
        kept.append(line)
    return "".join(kept)


def _section(title: str) -> str:
    return f"### {title}\n\n"


def _top(checked: Checked) -> Iterator[str]:
    grade = checked.grade
    yield f"## {plain(checked.lab.title)}\n\n"
    if checked.judged:
        text = _("{points:g} of {possible:g} points")
        told = text.format(points=grade["points"], possible=grade["max_points"])
    else:
        told = _("Not judged: this is not your fault, and costs no points.")
    yield f"**{told}**\n\n"
    if grade["run"]["status"] != "completed":
        yield plain(run_sentence(grade["run"])) + "\n\n"
        # Where nothing was loaded, the message comes under what to fix first.
        message = "" if _nothing_loaded(checked) else grade["run"]["message"]
        yield f"{plain(message)}\n\n" if message else ""
    for note in grade["run"]["notes"]:
        yield f"- {plain(note)}\n"
    yield "\n" if grade["run"]["notes"] else ""


def _changed(checked: Checked) -> Iterator[str]:
    if not checked.changed:
        return
    text = _(
        "These files of the kit were changed, so what you see here may differ from your grade. "
        "Take them from the kit again:"
    )
    yield f"> ⚠️ {text}\n>\n"
    for one in checked.changed[:50]:
        yield f"> - {plain(one.file)}: {plain(one.how)}\n"
    yield "> - …\n\n" if len(checked.changed) > 50 else "\n"


def _first(checked: Checked, failed: Sequence[Failure]) -> Iterator[str]:
    if not failed:
        return
    one = failed[0]
    yield _section(_("What to fix first"))
    if _nothing_loaded(checked):
        texts = [checked.grade["run"]["message"], one.hint]
    else:
        yield f"{plain(technique_title(one.technique))}, {plain(words(one.check))}\n\n"
        hint = diagnosis_of(checked.grade, one.technique)
        texts = [hint, one.message] if hint else [one.message, one.hint]
    for text in texts:
        yield f"{plain(text)}\n\n" if text else ""


def _points(checked: Checked) -> Iterator[str]:
    yield head((_("Technique"), _("Points"), _("of")), right=(1, 2))
    for name, entry in checked.grade["techniques"].items():
        # What was not judged is not nought.
        points = f"{entry['points']:g}" if checked.judged else "–"
        yield row((plain(technique_title(name)), points, f"{entry['max_points']:g}"))
    yield "\n"
    if questions := checked.lab.questions:
        text = _("Written answers are marked by a person: {points:g} more points.")
        yield text.format(points=sum(one.points for one in questions)) + "\n\n"


def _not_judged(checked: Checked) -> Iterator[str]:
    left = not_judged(checked.grade, checked.lab)
    if not left:
        return
    text = ngettext(
        "{count} case could not be judged:", "{count} cases could not be judged:", len(left)
    )
    key, message = left[0]
    yield f"{text.format(count=len(left))} {plain(key)}: {plain(message)}\n\n"


def _nothing_loaded(checked: Checked) -> bool:
    """Whether the same is the matter with every function; it is then said once."""
    return stopped(checked.grade) is not None


def _failed(failed: Sequence[Failure]) -> Iterator[str]:
    if not failed:
        return
    titles = (_("Check"), _("Cases"), _("What happened"), _("What to do next"))
    yield _section(_("What failed")) + head(titles)
    for one in failed:
        check = f"{plain(technique_title(one.technique))}: {plain(words(one.check))}"
        cells = plain(", ".join(one.cases)), plain(one.message), plain(one.hint)
        yield row((check, *cells))
    yield "\n"


def _maps(checked: Checked) -> Iterator[str]:
    drawn = 0
    for case in _failed_maps(checked):
        tables = _map(checked, case)
        if tables and drawn == 0:
            text = _("Maps: {darkest} least to {lightest} most, each over its own maximum")
            yield _section(text.format(darkest=LEVELS[0], lightest=LEVELS[-1]))
        if tables and drawn == _MOST_MAPS:
            yield _("All others are in the report.") + "\n"
            return
        drawn += bool(tables)
        yield tables


def _failed_maps(checked: Checked) -> Iterator[Case]:
    for check in checked.grade["checks"]:
        if check["technique"] == _MAPS:
            for found in check["cases"]:
                cases = cases_of(checked.lab, _MAPS, found["id"])
                if found["outcome"] == "failed" and not is_hidden(cases):
                    yield from cases


def _map(checked: Checked, case: Case) -> str:
    """Both maps of a case side by side; empty where there is none to be shown."""
    key = techniques.key(case)
    output = checked.outputs.cases.get(key)
    if output is None or output.status is not CaseStatus.RETURNED:
        return ""
    try:
        mine = techniques.technique_of(case).normalise(checked.lab, case, output.value)
    except OutputError:
        return ""
    pictures = [squares(one) for one in (mine, checked.golden.accepted[key][0])]
    cells = ("<br>".join(lines) for lines in pictures)
    titles = (plain(case.id) + ": " + _("yours"), _("expected"))
    return head(titles) + row(tuple(cells)) + "\n"
