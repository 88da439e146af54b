"""The marker's desk: marks are given and taken back, and pages follow, all from what is stored."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from harness.answers import Answers
from harness.figures import Figure
from harness.gradebook import Gradebook, last_cohort, summary
from harness.lab import Lab
from harness.marks import Change, Marks, locked, read_marks, write_marks
from harness.questions import Question
from harness.remembered import Remembered
from harness.report import write_index
from harness.techniques import cases_beside, technique_of
from harness.written import refreshed

Summary: TypeAlias = Mapping[str, Any]
_Stamp: TypeAlias = "tuple[int, int, int] | None"


@dataclass(frozen=True)
class Mark:
    """A mark as it comes from the page.

    Attributes:
        level: label of the level, or None for no mark.
        comment: for the student.
        answer: digest of the answer that was shown.
        seen: id of the change that was shown as the mark of before, or empty.
    """

    level: str | None
    comment: str
    answer: str
    seen: str


class ChangedMeanwhileError(Exception):
    """Somebody else has changed the mark that was shown."""


class Desk:
    """Where one person marks the answers of a cohort.

    Args:
        book: the gradebook.
        lab: the lab, with questions.
        marker: who marks.
        names: the submissions, in the order of the pages.
    """

    def __init__(self, book: Gradebook, lab: Lab, marker: str, names: Sequence[str]) -> None:
        self.book, self.lab, self.marker = book, lab, marker
        self.names = tuple(names)
        self.keys = {key_of(name): name for name in self.names}
        self.questions = {question.id: question for question in lab.questions}
        self._summaries: dict[str, tuple[_Stamp, Summary]] = {}
        self._marks: dict[str, tuple[_Stamp, Marks]] = {}
        self._figures: dict[tuple[str, str], tuple[_Stamp, tuple[Figure, ...]]] = {}
        self.board = Soon(self.write_board)

    def close(self) -> None:
        """Wait until the board is written."""
        self.board.close()

    def refresh(self) -> int:
        """Bring grades and reports up to the marks as they are; how many were not."""
        changed = 0
        for name in self.names:
            with locked(self.book):
                changed += self._refresh(name)
        if changed:
            self.board.want()
        return changed

    def summaries(self) -> Iterator[tuple[str, Summary]]:
        """Each submission and its grade as it is stored now, in brief."""
        for name in self.names:
            if (found := self._summary(name)) is not None:
                yield name, found

    def _summary(self, name: str) -> Summary | None:
        stamp = _stamp(self.book.of(name) / "grade.json")
        known = self._summaries.get(name)
        if known is None or known[0] != stamp:
            grade = self.book.read(name)
            if grade is None:
                return None  # a grader is replacing it, or somebody took it away
            known = self._summaries[name] = stamp, summary(grade)
        return known[1]

    def answers(self, name: str) -> Answers:
        """A submission's answers."""
        return self.book.answers(name)

    def marks(self, name: str) -> Marks:
        """A submission's marks."""
        stamp = _stamp(self.book.marks_file(name))
        known = self._marks.get(name)
        if known is None or known[0] != stamp:
            known = self._marks[name] = stamp, read_marks(self.book, name)
        return known[1]

    def figures(self, name: str, question: Question) -> tuple[Figure, ...]:
        """The figures that go beside a submission's answer, as they were drawn for its report."""
        stamp = _stamp(self.book.remembered_file(name))
        known = self._figures.get((name, question.id))
        if known is None or known[0] != stamp:
            drawn = Remembered.from_bytes(self.book.remembered(name)).figures or {}
            beside = dict.fromkeys(
                (technique_of(case).name, case.group) for case in cases_beside(self.lab, question)
            )
            found = tuple(figure for place in beside for figure in drawn.get(place, ()))
            known = self._figures[name, question.id] = stamp, found
        return known[1]

    def mark(self, name: str, question: Question, mark: Mark) -> None:
        """Give a mark, or take it off; what is marked already in this way stays as it is.

        Raises:
            ChangedMeanwhileError: the mark is not any more what the page showed.
            UsageError: the marks are damaged, or another program holds them.
            OSError: they cannot be written; those of before are whole.
        """
        level = question.level(mark.level)
        change = Change(
            question=question.id,
            level=level.label if level else None,
            points=level.points if level else None,
            comment=mark.comment,
            answer=mark.answer,
            by=self.marker,
        )
        with locked(self.book):
            marks = read_marks(self.book, name)
            if not _same(marks.current.get(question.id), change):
                if mark.seen != marks.seen(question.id):
                    raise ChangedMeanwhileError
                write_marks(self.book, name, marks.with_change(change))
            self._refresh(name)
        self.board.want()

    def undo(self) -> tuple[str, Change] | None:
        """Take back this marker's last change that stands; the submission and that change.

        Others' changes are theirs to take back.

        Raises:
            UsageError: marks are damaged, or another program holds them.
            OSError: they cannot be written; those of before are whole.
        """
        with locked(self.book):
            last = [(name, self.marks(name).last(self.marker)) for name in self.names]
            found = [(name, change) for name, change in last if change is not None]
            if not found:
                return None
            name, change = max(found, key=lambda one: one[1].at)
            taken = Change(change.question, None, None, "", "", self.marker, undoes=change.id)
            write_marks(self.book, name, self.marks(name).with_change(taken))
            self._refresh(name)
        self.board.want()
        return name, change

    def write_board(self) -> None:
        """Write the CSV and the cohort's page from the grades as they are stored.

        Of all the cohort, however few of it are marked here; and read when nobody else writes.
        """
        with locked(self.book, "board"):
            found = [self._summary(name) for name in last_cohort(self.book.folder)]
            grades = [grade for grade in found if grade is not None]
            self.book.write_csv(grades)
            write_index(self.book.index, self.lab, grades)

    def _refresh(self, name: str) -> bool:
        grade = self.book.read(name)
        if grade is None:
            return False
        return refreshed(self.book, self.lab, grade, grade.get("handed_in")) is not grade


class Soon:
    """Does something on a thread of its own, once for all the times that it was wanted meanwhile.

    Args:
        action: what to do; an `Exception` of it is kept in `problem` until it goes well.
    """

    def __init__(self, action: Callable[[], None]) -> None:
        self._action = action
        self._thread = ThreadPoolExecutor(1)
        self._lock = threading.Lock()
        self._waiting = False
        self.problem = ""

    def want(self) -> None:
        """Have it done once more."""
        with self._lock:
            if not self._waiting:
                self._waiting = True
                self._thread.submit(self._do)

    def close(self) -> None:
        """Wait until it is done."""
        self._thread.shutdown(wait=True)

    def _do(self) -> None:
        with self._lock:
            self._waiting = False
        try:
            self._action()
            self.problem = ""
        except Exception as error:  # told on the page; marks are safe whatever happens here
            self.problem = f"{type(error).__name__}: {error}"


def key_of(name: str) -> str:
    """What a submission is called in addresses: the same in every session, whatever its name."""
    return hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16]


def graded_names(book: Gradebook) -> list[str]:
    """The submissions of the last cohort whose grade can be read."""
    return [name for name in last_cohort(book.folder) if book.read(name) is not None]


def _same(current: Change | None, change: Change) -> bool:
    """Whether a change would change nothing."""
    if current is None:
        return change.level is None and not change.comment
    parts = ("level", "comment", "answer")
    return all(getattr(current, part) == getattr(change, part) for part in parts)


def _stamp(path: Path) -> _Stamp:
    """What tells a file that was replaced from the one of before."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
