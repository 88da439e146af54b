"""`harness import`: an archive of a cohort becomes a folder of submissions.

The rule of the account: every file of the archive is counted once, under the first of these that
is true of it, so the numbers add up to the number of files.

- *lost*: it should be in its place and is not (this is looked up on the disk, and should be 0);
- *renamed*: it is the one file of a submission that will be run, under another name than expected;
- *nested*: it is the archive within a submission that the grader will unpack;
- *matched*: it is in the folder of the submission that it belongs to, or was, and a person has
  changed that folder since;
- *of earlier attempts*: it belongs to an attempt that does not count;
- *of the system*: the system's own, such as Gradescope's metadata;
- *left out*: what programs put everywhere (`.DS_Store`), links and devices;
- *unmatched*: whose it is is not known; it is in `_unmatched/`, which is not graded.

The history of a repository, `.git`, is not handed in and not counted; folders are no files.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone, tzinfo
from pathlib import Path
from types import ModuleType

from harness.archives import stem
from harness.errors import UsageError
from harness.exchange import canvas, folder, github, gradescope, moodle
from harness.exchange.entries import Entries, Entry, read_entries
from harness.exchange.found import Context, Reading, some
from harness.exchange.planning import Kind, Plan, Planned, plan
from harness.exchange.sheets import Sheet
from harness.exchange.writing import (
    PARTIAL,
    REPLACED,
    Table,
    Written,
    write_submissions,
    write_tables,
    write_unmatched,
)
from harness.finding import find_lab
from harness.handed_in import FILE
from harness.lab import read_lab

SYSTEMS: Mapping[str, ModuleType] = {
    "moodle": moodle,
    "canvas": canvas,
    "gradescope": gradescope,
    "github": github,
    "folder": folder,
}

_SPECIAL = {Kind.RENAMED: "renamed", Kind.NESTED: "nested"}
# Of these the archive itself tells who the students are.
_TELLING = ("gradescope", "folder")


@dataclass(frozen=True)
class Wanted:
    """What is to be imported.

    Attributes:
        archive: `.zip`, `.tar.gz`, or a folder.
        system: one of `SYSTEMS`.
        out: the folder of submissions; it need not be there.
        sheets: what the system exports besides.
        attempts: `last` or `all`; empty for what the lab says, else the last.
        lab: the lab file, where it is given.
        lab_files: further folders that its files may lie in.
        columns: headings of a sheet by meaning, where a person says them.
    """

    archive: Path
    system: str
    out: Path = Path("submissions")
    sheets: Sequence[Path] = ()
    attempts: str = ""
    lab: Path | None = None
    lab_files: Sequence[Path] = ()
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Account:
    """What became of every file.

    Attributes:
        counts: files by what became of them; they add up to `files`.
        files: how many the archive has.
        lines: what was noticed, a line each.
        doubtful: whether something needs a person's eye.
    """

    counts: Mapping[str, int]
    files: int
    lines: Sequence[str]
    doubtful: bool

    def summary(self) -> str:
        """All of it in a line: `25 files: 22 matched, 2 renamed, 1 nested zip, 0 lost`."""
        always = ("matched", "renamed", "nested", "lost")
        words = {"nested": "nested zip" if self.counts["nested"] == 1 else "nested zips"}
        order = ("matched", "renamed", "nested", "earlier", "own", "left out", "unmatched", "lost")
        words |= {"earlier": "of earlier attempts", "own": "of the system"}
        told = [
            f"{self.counts[name]} {words.get(name, name)}"
            for name in order
            if self.counts[name] or name in always
        ]
        return f"{self.files} file{'s' * (self.files != 1)}: {', '.join(told)}"


def bring_in(wanted: Wanted) -> Account:
    """Import an archive.

    Raises:
        UsageError: the archive, a sheet or an earlier table cannot be used; nothing is changed.
        LabError: the lab file is wrong.
    """
    _check(wanted)
    every_attempt, zone, zone_from = _of_lab(wanted)
    sheets = [Sheet.read(path) for path in wanted.sheets]
    table = Table.read(wanted.out)
    title = wanted.archive.resolve().name
    context = Context(
        title if wanted.archive.is_dir() else stem(title), sheets, wanted.columns, zone, zone_from
    )
    partial, is_new = wanted.out / PARTIAL, not wanted.out.exists()
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "archive").mkdir(parents=True)
    try:
        entries, reading = _read(wanted, context, partial / "archive")
        planned = plan(reading.found, table.known(), every_attempt=every_attempt)
        written = write_submissions(wanted.out, planned.submissions, table.digests)
        nobodys = [*reading.unmatched, *((e, e.problem) for e in entries.refused if e.path)]
        aside = write_unmatched(wanted.out, [entry for entry, _ in nobodys])
        rows = [one.row for one in planned.submissions]
        told = bool(sheets) or wanted.system in _TELLING
        old = {*written.same, *written.corrected}
        merged = [table.merged(row, fresh=row.submission not in old, told=told) for row in rows]
        write_tables(wanted.out, table, rows, merged, written.digests)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if is_new and not any(wanted.out.iterdir()):
            wanted.out.rmdir()
    reasons = _reasons(nobodys, aside)
    counts = _counts(entries, reading, planned, written, len(nobodys))
    lines = [*reading.remarks, *reasons, *_lines(entries, planned, written, table)]
    doubtful = bool(nobodys or counts["lost"] or any(_open(planned, written, table)))
    return Account(counts, len(entries), lines, doubtful)


def _reasons(
    nobodys: Sequence[tuple[Entry, str]], aside: Sequence[tuple[Entry, str]]
) -> Iterator[str]:
    for (entry, why), (_, where) in zip(nobodys, aside, strict=True):
        yield f"{visible_name(entry)}: {why}; it is in {where}"


def visible_name(entry: Entry) -> str:
    """An entry's name in quotation marks, as a message shows it."""
    return repr(entry.name)


def _check(wanted: Wanted) -> None:
    archive, out = wanted.archive.resolve(), wanted.out.resolve()
    if wanted.out.exists() and not wanted.out.is_dir():
        raise UsageError(f"{wanted.out}: expected a folder to write to, found a file")
    if archive.is_dir() and (archive == out or archive in out.parents or out in archive.parents):
        raise UsageError(
            f"{wanted.out}: submissions cannot be written into the folder that they come from; "
            "give another --out"
        )


def _of_lab(wanted: Wanted) -> tuple[bool, tzinfo, str]:
    """Whether every attempt is graded, and the zone of times that have none."""
    try:
        path = find_lab(wanted.lab, wanted.out)
    except UsageError:
        if wanted.lab is not None:
            raise
        return wanted.attempts == "all", timezone.utc, "no lab gives a time zone"
    lab = read_lab(path, wanted.lab_files)
    every = (wanted.attempts or lab.policy.attempts) in ("all", "best")
    if lab.policy.late is None:
        return every, timezone.utc, f"{path} gives no time zone"
    return every, lab.policy.late.zone, f"from {path}"


def _read(wanted: Wanted, context: Context, staging: Path) -> tuple[Entries, Reading]:
    """What the archive holds, looked at from the folder where names are of the system's form."""
    system = SYSTEMS[wanted.system]
    top = read_entries(wanted.archive, staging)
    if not top.files:
        raise UsageError(f"{wanted.archive}: no file in it could be somebody's work")
    entries: Entries | None = top
    while entries is not None and not system.recognises(entries):
        entries = entries.within_only_folder()
    if entries is None:
        found = ", ".join(visible_name(entry) for entry in top.files[:3])
        raise UsageError(
            f"{wanted.archive}: no name in it is as {wanted.system.capitalize()} writes names; "
            f"found {found}; is --from {wanted.system} right? others: {', '.join(SYSTEMS)}"
        )
    reading: Reading = system.read(entries, context)
    if entries.inside:
        reading.remarks.insert(0, f"everything lies in the folder {'/'.join(entries.inside)!r}")
    return entries, reading


def _counts(
    entries: Entries, reading: Reading, planned: Plan, written: Written, unmatched: int
) -> Mapping[str, int]:
    """Files by what became of them; see the rule above."""
    placed = {id(entry) for entry in written.placed}
    special: dict[int, str] = {}
    meant: dict[int, Entry] = {}
    for one in planned.submissions:
        for entry, parts in one.files:
            meant[id(entry)] = entry
            if parts in one.shape.files and one.shape.kind in _SPECIAL:
                special[id(entry)] = _SPECIAL[one.shape.kind]
    counts = Counter(special.get(key, "matched") if key in placed else "lost" for key in meant)
    counts["earlier"] = len(planned.earlier)
    counts["own"] = len(reading.own)
    counts["left out"] = len(entries.litter) + sum(not entry.path for entry in entries.refused)
    counts["unmatched"] = unmatched
    counts["lost"] += len(entries) - sum(counts.values())
    return counts


def _lines(entries: Entries, planned: Plan, written: Written, table: Table) -> Iterator[str]:
    for entry in entries.refused:
        if entry.path is None:
            yield f"{visible_name(entry)}: left out; {entry.problem}"
    for one, texts in zip(planned.submissions, _open(planned, written, table), strict=True):
        said = () if one.row.submission in written.corrected else one.said
        yield from (f"{one.row.submission}: {text}" for text in (*texts, *said))
    if any(_whose(one, table) for one in planned.submissions):
        yield (
            f"where it is not clear whose it is, write it into {FILE}, a row for each student of a "
            "submission; what you change there is kept when you import again"
        )
    if any(_what(one, written) for one in planned.submissions):
        yield (
            "where it is not clear what to run, put it right in that folder, or ask for it again; "
            "what you change there is kept when you import again"
        )
    names = {one.row.submission for one in planned.submissions}
    same = len(written.same)
    outdated = {
        row.submission: table.outdated(row, fresh=row.submission in written.changed)
        for row in (one.row for one in planned.submissions)
    }
    told = {
        "of earlier attempts": [visible_name(entry) for entry in planned.earlier],
        f"handed in again, older version in {REPLACED}{os.sep}": written.changed,
        "there already and left as they are": [str(same)] * bool(same),
        "files corrected by hand, and kept": written.corrected,
        f"corrected by hand in {FILE}, and kept": [
            name for name in table.rows if name in names and table.corrected(name) - outdated[name]
        ],
        "corrected by hand for what was handed in before, and now as the archive tells it": [
            f"{name} ({', '.join(sorted(columns))})"
            for name, columns in outdated.items()
            if columns
        ],
        "not in this archive, and kept": [name for name in table.rows if name not in names],
        f"removed from {FILE} by hand, and in this archive again": [
            name for name in table.imported if name in names and name not in table.rows
        ],
    }
    yield from (f"{what}: {some(which)}" for what, which in told.items() if which)


def _open(planned: Plan, written: Written, table: Table) -> Iterator[tuple[str, ...]]:
    """What needs a person's eye of each submission, and has not been put right by one."""
    for one in planned.submissions:
        yield (*_whose(one, table), *_what(one, written))


def _whose(one: Planned, table: Table) -> tuple[str, ...]:
    return () if "students" in table.corrected(one.row.submission) else one.doubts


def _what(one: Planned, written: Written) -> tuple[str, ...]:
    return () if one.row.submission in written.corrected else one.unclear
