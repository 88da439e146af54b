"""Writing submissions and their table, so that a crash, a second import or a person loses nothing.

A submission is written into a partial folder and then renamed; one whose files are the same is
left as it is, one that is different is moved to `_replaced/`. `_imported.json` keeps the table as
it was imported, and a digest of the files; where `students.csv` or a folder says something else, a
person has corrected it, and that stays until something else is handed in.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.archives import is_litter
from harness.errors import UsageError
from harness.exchange.entries import Entry
from harness.exchange.names import distinct, file_parts
from harness.exchange.planning import Planned
from harness.gradebook import write_whole
from harness.handed_in import FILE, HandedIn, read_table, write_table

MEMORY, PARTIAL, REPLACED, UNMATCHED = "_imported.json", "_partial", "_replaced", "_unmatched"
_CHUNK = 2**20
_FILES = "files"


@dataclass
class Written:
    """What writing did.

    Attributes:
        placed: files that are where they belong now.
        same: submissions that were there already.
        corrected: submissions whose files a person has changed since, and that are left alone.
        changed: submissions that replaced an older version.
        digests: of the files that the archive has, by submission.
    """

    placed: list[Entry] = field(default_factory=list)
    same: list[str] = field(default_factory=list)
    corrected: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)


def write_submissions(out: Path, planned: Iterable[Planned], known: Mapping[str, str]) -> Written:
    """Write every submission that is not there yet as it is now.

    Args:
        out: the folder of submissions.
        planned: what is to be there.
        known: digests of what an earlier import has written.

    Raises:
        OSError: there is no room, for one; what was there before still is.
    """
    written = Written()
    for one in planned:
        name = one.row.submission
        target = out / name
        digest = written.digests[name] = _digest(one)
        if _is_same(target, one):
            written.same.append(name)
        elif target.is_dir() and known.get(name) == digest:
            written.corrected.append(name)
            written.placed += [entry for entry, _ in one.files]
            continue
        else:
            partial = out / PARTIAL / "submission"
            _copy(one, partial)
            if target.exists() or target.is_symlink():
                (out / REPLACED).mkdir(exist_ok=True)
                target.rename(_unused(out / REPLACED / target.name))
                written.changed.append(name)
            partial.rename(target)
        written.placed += [
            entry
            for entry, parts in one.files
            if entry.path and _holds(target.joinpath(*parts), entry.path)
        ]
    return written


def _copy(one: Planned, folder: Path) -> None:
    folder.mkdir(parents=True)
    for entry, parts in one.files:
        assert entry.path is not None  # links are no files
        target = folder.joinpath(*parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(entry.path, target)


def _digest(one: Planned) -> str:
    """SHA-256 of the files of a submission, as the archive has them."""
    digest = hashlib.sha256()
    for entry, parts in sorted(one.files, key=lambda file: file[1]):
        assert entry.path is not None  # links are no files
        with entry.path.open("rb") as stream:
            own = hashlib.sha256()
            while data := stream.read(_CHUNK):
                own.update(data)
        digest.update(f"{'/'.join(parts)}\0{own.hexdigest()}\0".encode())
    return digest.hexdigest()


def _is_same(target: Path, one: Planned) -> bool:
    if not target.is_dir() or target.is_symlink():
        return False
    found = {path.relative_to(target).parts for path in target.rglob("*") if not path.is_dir()}
    there = {parts for parts in found if not is_litter(parts)}
    return there == {parts for _, parts in one.files} and all(
        entry.path is not None and _holds(target.joinpath(*parts), entry.path)
        for entry, parts in one.files
    )


def _holds(target: Path, source: Path) -> bool:
    return (
        target.is_file() and not target.is_symlink() and filecmp.cmp(target, source, shallow=False)
    )


def _unused(path: Path) -> Path:
    number, found = 1, path
    while found.exists() or found.is_symlink():
        number += 1
        found = path.with_name(f"{path.name}-{number}")
    return found


def write_unmatched(out: Path, entries: Sequence[Entry]) -> list[tuple[Entry, str]]:
    """Put files that are nobody's aside, under names that are safe; the name of each there."""
    folder = out / UNMATCHED
    taken: set[str] = set()
    placed = []
    for entry in entries:
        assert entry.path is not None  # links are no files
        wanted = file_parts(entry.parts or ("unnamed",))
        parts = distinct(wanted, taken)
        while (folder.joinpath(*parts)).exists() and not _holds(
            folder.joinpath(*parts), entry.path
        ):
            parts = distinct(wanted, taken)
        target = folder.joinpath(*parts)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = out / PARTIAL / "file"
            shutil.copyfile(entry.path, partial)
            partial.rename(target)
        placed.append((entry, f"{UNMATCHED}/{'/'.join(parts)}"))
    return placed


@dataclass(frozen=True)
class Table:
    """The table beside the submissions, and what the last import wrote into it and beside it."""

    rows: Mapping[str, HandedIn]
    imported: Mapping[str, Sequence[HandedIn]]
    digests: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, out: Path) -> Table:
        """Read both; empty where nothing was imported yet.

        Raises:
            UsageError: one cannot be read.
        """
        path = out / MEMORY
        imported: dict[str, list[HandedIn]] = {}
        digests: dict[str, str] = {}
        try:
            if path.is_file():
                data = json.loads(path.read_text("utf-8"))
                imported = {name: [_row(name, row) for row in rows] for name, rows in data.items()}
                digests = {name: str(rows[0].get(_FILES, "")) for name, rows in data.items()}
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UsageError(
                f"{path}: cannot be read ({error}); remove it, and all of {FILE} counts as "
                "corrected by hand"
            ) from None
        return cls(read_table(out), imported, digests)

    def known(self) -> Iterator[HandedIn]:
        """Rows as they are and, where a person has changed whose it is, as they were imported."""
        for name, row in self.rows.items():
            was = self.imported.get(name)
            yield was[0] if was else row

    def corrected(self, name: str) -> frozenset[str]:
        """The columns of a row that a person has changed since it was imported."""
        row, known = self.rows.get(name), self.imported.get(name, ())
        if row is None:
            return frozenset()
        return frozenset(
            column
            for column in ("students", "at", "late", "attempt", "note")
            if all(getattr(row, column) != getattr(one, column) for one in known)
        )

    def outdated(self, new: HandedIn, *, fresh: bool) -> frozenset[str]:
        """Columns that a person has corrected for other files than those that are there now."""
        if not (fresh and new.at and self.digests.get(new.submission)):
            return frozenset()
        return self.corrected(new.submission) & {"at", "late", "attempt"}

    def merged(self, new: HandedIn, *, fresh: bool, told: bool) -> HandedIn:
        """A new row with what a person has corrected, and with what only an earlier import knew.

        Args:
            new: the row as the archive tells it.
            fresh: whether the files have changed, so that an earlier time is no longer right.
            told: whether a sheet tells who the students are.
        """
        old = self.rows.get(new.submission)
        if old is None:
            return new
        columns = self.corrected(new.submission) - self.outdated(new, fresh=fresh)
        kept: dict[str, Any] = {column: getattr(old, column) for column in columns}
        if new.at is None and not fresh:
            kept.setdefault("at", old.at)
        if not told and {s.id for s in old.students} == {s.id for s in new.students}:
            kept.setdefault("students", old.students)
        return replace(new, **kept)


def write_tables(
    out: Path,
    table: Table,
    new: Sequence[HandedIn],
    merged: Sequence[HandedIn],
    digests: Mapping[str, str],
) -> None:
    """Write `students.csv` last; before it, what import says itself, beside what it said before.

    Rows that are not of this import stay.
    """
    names = {row.submission for row in new}
    gone = [row for name, row in table.rows.items() if name not in names]
    own = []
    for one, other in zip(new, merged, strict=True):
        # A column that was not corrected is import's own, whichever import it comes from.
        corrected = {c: getattr(one, c) for c in table.corrected(one.submission)}
        own.append(replace(other, **corrected))
    said = {name: list(rows[:1]) for name, rows in table.imported.items()}
    for name, row in _as_read(out, own).items():
        said[name] = [row, *(before for before in said.get(name, []) if before != row)]
    data = {name: [_json(row) for row in rows] for name, rows in said.items()}
    for name, rows in data.items():
        rows[0][_FILES] = digests.get(name, table.digests.get(name, ""))
    text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
    write_whole(out / MEMORY, text.encode(errors="backslashreplace"))
    partial = out / PARTIAL / FILE
    write_table(partial, sorted((*merged, *gone), key=lambda row: row.submission))
    partial.replace(out / FILE)


def _as_read(out: Path, rows: Sequence[HandedIn]) -> dict[str, HandedIn]:
    """Rows as they are when read again: a cell keeps no spaces around it, for one."""
    write_table(out / PARTIAL / FILE, rows)
    return read_table(out / PARTIAL)


def _json(row: HandedIn) -> dict[str, Any]:
    return {**row.to_json(), "note": row.note}


def _row(name: str, data: Mapping[str, Any]) -> HandedIn:
    return replace(HandedIn.from_json(name, data), note=str(data["note"]))
