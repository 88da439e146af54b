"""What is said at the student's own lines: GitHub's workflow commands, GitLab's Code Quality.

Sources of the rules: how GitHub's runner reads a line (`src/Runner.Common/ActionCommand.cs` and
`src/Runner.Worker/ActionCommandManager.cs` of actions/runner), its limits on annotations
(`docs/problem-matchers.md` of actions/toolkit), and GitLab's documentation of the Code Quality
report format.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.courseci.facts import (
    Checked,
    Failure,
    diagnosis_of,
    failures,
    not_judged,
)
from harness.courseci.places import Definitions, definitions
from harness.disclosure import cases_of
from harness.lab import Lab
from harness.opened import main_file
from harness.results import stopped
from harness.texts import visible

# GitHub shows so many of each level and step, and drops the rest.
MOST_PER_STEP = 10
MAX_MESSAGE = 4000
_MOST_CASES = 10
_SEVERITY = {"error": "major", "warning": "minor", "notice": "info"}


@dataclass(frozen=True)
class Annotation:
    """Something said at a line of a file.

    Attributes:
        level: `error`, `warning` or `notice`.
        title: in a few words.
        message: the rest, in lines.
        file: relative to the repository, with slashes; empty where it is about no file.
        line: from 1.
    """

    level: str
    title: str
    message: str
    file: str = ""
    line: int = 1


def annotate(checked: Checked, root: Path) -> list[Annotation]:
    """What there is to say: an error per function and message, a warning for what is not theirs.

    Args:
        checked: the submission.
        root: of the repository.
    """
    code = main_file(checked.path)
    defined = definitions(code) if code else Definitions()
    file = _relative(code or checked.path, root)
    failed = failures(checked.grade, checked.lab)
    said = [_of_failures(alike, checked, defined, file) for alike in _alike(failed, checked.lab)]
    if once := stopped(checked.grade):
        text = "\n→ ".join(filter(None, once))
        said = [Annotation("error", "this file cannot be run", text, file, defined.broken or 1)]
    left = not_judged(checked.grade, checked.lab)
    if left:
        text = f"{left[0][0]}: {left[0][1]}"
        said.append(Annotation("warning", f"{len(left)} cases could not be judged", text))
    if checked.changed:
        names = "\n".join(f"{one.file}: {one.how}" for one in checked.changed)
        title = "files of the kit were changed: what is shown here may differ from your grade"
        said.append(Annotation("warning", title, names))
    return said


def of_error(message: str) -> Annotation:
    """The check itself could not be made."""
    return Annotation("error", "the check could not be made", message)


def _alike(failed: Sequence[Failure], lab: Lab) -> list[list[Failure]]:
    """Failures of a function with the same message and hint, whatever the check."""
    groups: dict[tuple[str, ...], list[Failure]] = {}
    for one in failed:
        message = one.message
        # Of a sweep, the message begins with the name of the case that it is about.
        for case in cases_of(lab, one.technique, one.cases[0]):
            message = message.removeprefix(f"{case.id}: ")
        bare = replace(one, message=message)
        key = (one.technique, one.function, message, one.hint)
        groups.setdefault(key, []).append(bare)
    return list(groups.values())


def _of_failures(
    alike: Sequence[Failure], checked: Checked, defined: Definitions, file: str
) -> Annotation:
    failure = alike[0]
    cases = list(dict.fromkeys(case for one in alike for case in one.cases))
    more = len(cases) - _MOST_CASES
    shown = ", ".join(cases[:_MOST_CASES]) + (f" and {more} more" if more > 0 else "")
    texts = [f"case: {shown}", failure.message]
    if failure.function not in defined.lines:
        if defined.broken:
            texts.append("the code at this line cannot be read as Python")
        elif defined.functions and not any(name in failure.message for name in defined.functions):
            texts.append("functions that are there: " + ", ".join(defined.functions[:20]))
    if hint := diagnosis_of(checked.grade, failure.technique) or failure.hint:
        texts.append(f"→ {hint}")
    checks = dict.fromkeys(one.check for one in alike)
    title = f"{failure.technique}: {', '.join(checks)}"
    message = "\n".join(text for text in texts if text)
    return Annotation("error", title, message, file, defined.line_of(failure.function))


def _relative(path: Path, root: Path) -> str:
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.name


def github_lines(said: Sequence[Annotation]) -> list[str]:
    """A workflow command per annotation, not more than GitHub shows; the last says what is left."""
    lines = []
    for level in _SEVERITY:
        own = [one for one in said if one.level == level]
        shown = own if len(own) <= MOST_PER_STEP else own[: MOST_PER_STEP - 1]
        lines += [_command(one) for one in shown]
        if rest := len(own) - len(shown):
            more = replace(own[len(shown)], title=f"{rest} more, in the summary of this run")
            lines.append(_command(more))
    return lines


def _command(one: Annotation) -> str:
    properties = {"title": visible(one.title)}
    if one.file:
        properties = {"file": visible(one.file), "line": str(one.line), **properties}
    told = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{one.level} {told}::{_data(visible(_cut(one.message)))}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def code_quality(said: Iterable[Annotation], fallback: str) -> str:
    """GitLab's Code Quality report.

    Args:
        said: the annotations.
        fallback: the file that one without a file is filed under; GitLab shows none without.
    """
    return json.dumps(list(_issues(said, fallback)), indent=1, ensure_ascii=False) + "\n"


def _issues(said: Iterable[Annotation], fallback: str) -> Iterator[dict[str, object]]:
    seen: dict[str, int] = {}
    for one in said:
        file = visible(one.file or fallback)
        text = visible(_cut(f"{one.title}: {one.message}"))
        # Without the line, so that a finding stays the same one when code above it changes.
        title = visible(one.title)
        plain = f"{title}\0{file}\0{text}"
        again = seen[plain] = seen.get(plain, -1) + 1
        yield {
            "description": " ".join(text.split()),
            "check_name": title,
            "fingerprint": hashlib.sha256(f"{plain}\0{again}".encode()).hexdigest(),
            "severity": _SEVERITY[one.level],
            "location": {"path": file, "lines": {"begin": one.line}},
        }


def _cut(text: str) -> str:
    return text if len(text) <= MAX_MESSAGE else text[: MAX_MESSAGE - 1] + "…"
