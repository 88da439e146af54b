"""A folder with one folder or file per student, such as another grader's, or an earlier import's.

What lies at the top is a submission each, called as it is there; `name.attempt2` is the second
attempt of `name`. One folder around all of them is no submission. Names that begin with `_` or
`.` are nobody's. A `students.csv` at the top (`harness.handed_in`) says who is who.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

from harness.archives import ENDINGS, stem
from harness.errors import UsageError
from harness.exchange.entries import Entries, Entry
from harness.exchange.found import Attempt, Context, File, Found, Reading, by_folder
from harness.handed_in import FILE, HandedIn, Student, read_table
from harness.submission import NOTEBOOK, SCRIPT

_ATTEMPT = re.compile(r"(?P<name>.+)\.attempt(?P<number>[1-9]\d{0,3})")
_CODE = (".py", ".ipynb")


def recognises(entries: Entries) -> bool:
    """Whether there is more at the top than one folder that the whole cohort could lie in.

    A single folder is somebody's work if all that is in it is one thing, or if a submission by
    name is the first thing that is beside another.
    """
    names = {entry.parts for entry in entries.files}
    depth = 0
    while len({parts[: depth + 1] for parts in names}) == 1:
        if any(len(parts) == depth + 1 for parts in names):
            return True
        depth += 1
    return depth == 0 or bool({parts[depth] for parts in names} & {SCRIPT, NOTEBOOK})


def read(entries: Entries, context: Context) -> Reading:
    """One submission per folder or file at the top.

    Raises:
        UsageError: a sheet is given, or `students.csv` cannot be read.
    """
    if context.sheets:
        raise UsageError(f"--sheet: a folder has none; put {FILE} into the folder itself")
    folders, beside = by_folder(entries)
    reading = Reading()
    table: dict[str, HandedIn] = {}
    whose: dict[str, list[File]] = {}
    for name, files in folders.items():
        if name.startswith(("_", ".")):
            reading.own += [file.entry for file in files]
        else:
            whose[name] = files
    for entry in beside:
        name = entry.parts[0]
        if name == FILE:
            table = _table(entry)
        if name == FILE or name.startswith(("_", ".")):
            reading.own.append(entry)
        elif not name.lower().endswith((*_CODE, *ENDINGS)):
            reading.unmatched.append((entry, "neither a folder nor code nor an archive"))
        else:
            whose.setdefault(_stem(name, beside, folders), []).append(File(entry, entry.parts))
    attempts: dict[str, list[tuple[int, str]]] = {}
    for name in whose:
        match = _ATTEMPT.fullmatch(name)
        base, number = (match["name"], int(match["number"])) if match else (name, 1)
        attempts.setdefault(base, []).append((number, name))
    for base, versions in sorted(attempts.items()):
        reading.found.append(_found(base, versions, whose, table))
    return reading


def _stem(name: str, beside: list[Entry], folders: dict[str, list[File]]) -> str:
    """A file's name without its ending, unless something else is called so, too."""
    short = stem(name) if name.lower().endswith(ENDINGS) else Path(name).stem
    others = [entry.parts[0] for entry in beside if entry.parts[0] != name]
    taken = {Path(stem(other)).stem.casefold() for other in others} | {
        f.casefold() for f in folders
    }
    return name if short.casefold() in taken else short


def _found(
    base: str,
    versions: list[tuple[int, str]],
    whose: dict[str, list[File]],
    table: dict[str, HandedIn],
) -> Found:
    rows = [table[name] for _, name in versions if name in table]
    students = rows[-1].students if rows else ()
    attempts = tuple(
        Attempt(
            tuple(whose[name]),
            (float(number),),
            table[name].at if name in table else None,
            name in table and table[name].late,
        )
        for number, name in versions
    )
    notes = tuple(row.note for row in rows if row.note)
    return Found(base, "", students or (Student(name=base),), attempts, notes)


def _table(entry: Entry) -> dict[str, HandedIn]:
    assert entry.path is not None  # links were refused
    with tempfile.TemporaryDirectory(prefix="table-") as folder:
        shutil.copyfile(entry.path, Path(folder) / FILE)
        return read_table(Path(folder))
