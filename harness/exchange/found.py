"""What reading an archive finds: submissions, whose they are, and what is nobody's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone, tzinfo

from harness.exchange.entries import Entries, Entry
from harness.exchange.sheets import Sheet
from harness.handed_in import Student


@dataclass(frozen=True)
class File:
    """A file of a submission: where it is in the archive, and its name within the submission."""

    entry: Entry
    inside: tuple[str, ...]


@dataclass(frozen=True)
class Attempt:
    """One version of somebody's work.

    Attributes:
        order: by what the system tells of the order of attempts; a later one is larger.
        files: its files.
        at: when it was handed in; None where that is not known.
        late: whether the system marked it as late.
    """

    files: tuple[File, ...]
    order: tuple[float, ...] = ()
    at: datetime | None = None
    late: bool = False


@dataclass(frozen=True)
class Found:
    """The work of one student, or of one group.

    Attributes:
        label: what a submission's name is made of: the name of student or group.
        key: what the system calls them, added to the name; it tells two of one name apart.
        students: whose it is.
        attempts: the versions, in no order.
        notes: what a person should know.
        doubts: the same, where it needs a person's eye.
    """

    label: str
    key: str
    students: tuple[Student, ...]
    attempts: tuple[Attempt, ...]
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def with_attempts(self) -> Found:
        """The same with the attempts in order, the earliest first."""
        return replace(self, attempts=tuple(sorted(self.attempts, key=lambda a: a.order)))


@dataclass
class Reading:
    """All that was found in an archive.

    Attributes:
        found: submissions.
        unmatched: files that are nobody's, each with the reason.
        own: files of the system itself, such as Gradescope's metadata.
        remarks: what concerns all, such as the time zone that times were read in.
    """

    found: list[Found] = field(default_factory=list)
    unmatched: list[tuple[Entry, str]] = field(default_factory=list)
    own: list[Entry] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Context:
    """What is known besides the archive.

    Attributes:
        title: the archive's name, without its ending.
        sheets: those given.
        said: headings of columns by meaning, where a person says them.
        zone: the zone of times that are written without one.
        zone_from: where that is known from, for a remark.
    """

    title: str = ""
    sheets: Sequence[Sheet] = ()
    said: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = timezone.utc
    zone_from: str = "no lab gives a time zone"


def by_folder(entries: Entries) -> tuple[dict[str, list[File]], list[Entry]]:
    """The files of each folder at the top, as they are called within it; and those beside them."""
    folders: dict[str, list[File]] = {}
    beside = []
    for entry in entries.files:
        if len(entry.parts) < 2:
            beside.append(entry)
        else:
            folders.setdefault(entry.parts[0], []).append(File(entry, entry.parts[1:]))
    return folders, beside


def some(names: Iterable[str], limit: int = 20) -> str:
    """The first of these names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - limit} more" if len(listed) > limit else ""
    return ", ".join(listed[:limit]) + more
