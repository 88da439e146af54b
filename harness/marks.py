"""Marks of written answers: `DIR/<submission>/marks.json`, changes in the order they were made.

Nothing is ever taken out of the file: what holds now follows from all changes, of which some take
back earlier ones. A mark is kept with the digest of the answer that it was given for.
"""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import Any

from filelock import FileLock, Timeout

from harness.answers import Answers
from harness.errors import UsageError
from harness.gradebook import Gradebook, write_whole
from harness.questions import Question

FORMAT_VERSION = 1
LOCK_SECONDS = 30.0


@dataclass(frozen=True)
class Change:
    """One change of a submission's marks.

    Attributes:
        question: whose mark.
        level: label of the level given, or None for no mark.
        points: of the level when it was given.
        comment: for the student.
        answer: digest of the answer that was marked.
        by: who gave it.
        at: when, ISO 8601 in UTC with microseconds.
        undoes: id of the change that this one takes back; all but the question is then empty.
        id: names it.
    """

    question: str
    level: str | None
    points: float | None
    comment: str
    answer: str
    by: str
    at: str = field(default_factory=lambda: _now())
    undoes: str = ""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)


@dataclass(frozen=True)
class Marks:
    """All changes of one submission's marks, oldest first."""

    history: tuple[Change, ...] = ()

    @cached_property
    def standing(self) -> tuple[Change, ...]:
        """The changes that are neither taken back nor take one back."""
        undone = {change.undoes for change in self.history}
        return tuple(c for c in self.history if not c.undoes and c.id not in undone)

    @cached_property
    def current(self) -> Mapping[str, Change]:
        """The change that holds, by question."""
        return {change.question: change for change in self.standing}

    def seen(self, question: str) -> str:
        """Id of the change that holds for a question, or empty."""
        change = self.current.get(question)
        return change.id if change else ""

    def last(self, by: str) -> Change | None:
        """The last change of that person that still stands."""
        return next((change for change in reversed(self.standing) if change.by == by), None)

    def with_change(self, change: Change) -> Marks:
        """The same marks and one change more."""
        return Marks((*self.history, change))

    def to_bytes(self, submission: str) -> bytes:
        """All of it as JSON; `marks` repeats what holds now, for people."""
        shown = ("level", "points", "comment", "by", "at")
        data = {
            "format_version": FORMAT_VERSION,
            "submission": submission,
            "marks": {
                question: {name: getattr(change, name) for name in shown}
                for question, change in self.current.items()
            },
            "history": [asdict(change) for change in self.history],
        }
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        return text.encode(errors="backslashreplace")

    @classmethod
    def from_bytes(cls, data: bytes, where: object) -> Marks:
        """Read what `to_bytes` made; no data, no marks.

        Raises:
            UsageError: it is damaged or of another version; nothing is guessed about marks.
        """
        if not data:
            return cls()
        with suppress(ValueError, KeyError, TypeError):
            stored = json.loads(data)
            if stored["format_version"] == FORMAT_VERSION:
                return cls(tuple(Change(**entry) for entry in stored["history"]))
        raise UsageError(
            f"{where}: expected marks of format version {FORMAT_VERSION}, found something else; "
            "mend the file, or move it away to mark this submission anew"
        )


def _now() -> str:
    """The time, a microsecond on at least, however coarse the clock: changes have an order."""
    with _clock:
        _latest[0] = max(datetime.now(timezone.utc), _latest[0] + timedelta(microseconds=1))
        return _latest[0].isoformat(timespec="microseconds")


_clock = threading.Lock()
_latest = [datetime(2000, 1, 1, tzinfo=timezone.utc)]


def stored_marks(book: Gradebook, name: str) -> bytes:
    """The file of a submission's marks as it is; empty where there is none."""
    try:
        return book.marks_file(name).read_bytes()
    except FileNotFoundError:
        return b""


def read_marks(book: Gradebook, name: str) -> Marks:
    """The marks of one submission.

    Raises:
        UsageError: the file is damaged.
    """
    return Marks.from_bytes(stored_marks(book, name), book.marks_file(name))


def write_marks(book: Gradebook, name: str, marks: Marks) -> None:
    """Replace the marks of one submission in one step; the caller holds `locked`."""
    write_whole(book.marks_file(name), marks.to_bytes(name))


@contextmanager
def locked(book: Gradebook, what: str = "marks") -> Iterator[None]:
    """Keep other programs from writing marks, or the grades that show them, for a moment.

    Args:
        book: the gradebook.
        what: `marks`, or `board` for the files of the whole cohort.

    Raises:
        UsageError: another program did not let go.
    """
    path = book.folder / f".{what}.lock"
    try:
        with FileLock(path, timeout=LOCK_SECONDS):
            yield
    except Timeout:
        raise UsageError(
            f"another program has held {path} for {LOCK_SECONDS:g} seconds; end it and try again"
        ) from None


def questions_of(
    questions: Sequence[Question], answers: Answers, marks: Marks
) -> list[dict[str, Any]]:
    """The key `questions` of `grade.json`.

    Points follow the rubric as it is now. A mark that was given for another answer, or for a level
    that the rubric no longer has, is `stale`: it is shown, and counts only once it is given again.
    """
    return [
        _question(question, answers.digest(question.id), marks.current.get(question.id))
        for question in questions
    ]


def shown_in(questions: Sequence[Mapping[str, Any]], marks: Marks) -> bool:
    """Whether the key `questions` of a grade shows these marks, of the questions that it has."""
    given = {name: (one.level, one.comment) for name, one in marks.current.items()}
    return all(
        (one["level"], one["comment"]) == given.get(one["id"], (None, "")) for one in questions
    )


def _question(question: Question, answer: str, mark: Change | None) -> dict[str, Any]:
    if mark and mark.level is None and not mark.comment:
        mark = None  # taken off again
    level = question.level(mark.level) if mark else None
    lost = mark is not None and mark.level is not None and level is None
    return {
        "id": question.id,
        "title": question.title,
        "points": level.points if level else mark.points if mark and lost else None,
        "max_points": question.points,
        "level": mark.level if mark else None,
        "comment": mark.comment if mark else "",
        "stale": mark is not None and (lost or mark.answer != answer),
    }
