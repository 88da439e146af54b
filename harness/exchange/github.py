"""Clones of students' repositories, as `gh classroom clone student-repos` makes them.

There is a folder per repository, `<assignment>-<login>`, or `<assignment>-<team>` for a group, in
a folder `<assignment>-submissions`; any other folder of clones is fine. Whose a repository is, and
when it was pushed, is in Classroom's sheet of grades; names are in its roster (`--sheet`, once for
each). Without them a repository's time is that of its last commit, which a committer's own clock
tells, and which a committer can set at will.

`Student.id` is the login at GitHub. The history, `.git`, is not counted among the files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone

from harness.exchange import folder
from harness.exchange.columns import Columns, github_columns
from harness.exchange.entries import Entries
from harness.exchange.found import Attempt, Context, File, Found, Reading, by_folder
from harness.exchange.git import GitError, commit_time
from harness.handed_in import Student

_UTC = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2}:\d{2})(?:\.\d+)? ?(?:UTC|Z|\+00:?00)")


def recognises(entries: Entries) -> bool:
    """Whether there are clones at the top, or folders that may be some."""
    tops = {entry.parts[0] for entry in entries.files}
    if entries.root and any((entries.root / top / ".git").exists() for top in tops):
        return True
    return folder.recognises(entries)


def read(entries: Entries, context: Context) -> Reading:
    """One submission per clone.

    Raises:
        UsageError: a sheet is neither a roster nor a sheet of grades.
    """
    folders, beside = by_folder(entries)
    reading = Reading()
    reading.unmatched = [(entry, "it lies beside the repositories") for entry in beside]
    sheets = _Sheets([github_columns(sheet) for sheet in context.sheets])
    for repository, files in sorted(folders.items()):
        reading.found.append(_found(repository, files, entries, context, sheets))
    clones = entries.root.iterdir() if entries.root else ()
    for clone in sorted(clones):
        if (clone / ".git").exists() and unicodedata.normalize("NFC", clone.name) not in folders:
            reading.remarks.append(f"the repository {clone.name!r} has no files")
    if not context.sheets:
        reading.remarks.append(
            "no --sheet: times are those of the last commits, which committers set themselves; "
            "Classroom's sheet of grades has the times of the pushes"
        )
    if entries.root is None:
        reading.remarks.append("the clones are packed: no time is taken from git")
    return reading


class _Sheets:
    """Classroom's roster and sheets of grades, by login and by repository."""

    def __init__(self, sheets: list[Columns]) -> None:
        self.names: dict[str, str] = {}
        self.logins: dict[str, str] = {}
        self.members: dict[str, list[str]] = {}
        self.times: dict[str, datetime] = {}
        for sheet in sheets:
            for row in range(len(sheet.sheet.rows)):
                self._add(sheet, row)

    def _add(self, sheet: Columns, row: int) -> None:
        login = sheet.of(row, "login")
        if not login:
            return
        self.logins[login.casefold()] = login
        if name := sheet.of(row, "identifier") or sheet.of(row, "name"):
            self.names.setdefault(login.casefold(), name)
        repository = sheet.of(row, "repository").rpartition("/")[2].casefold()
        if repository:
            members = self.members.setdefault(repository, [])
            members += [login] * (login not in members)
            if time := _time(sheet.of(row, "submitted")):
                self.times[repository] = time

    def student(self, login: str) -> Student:
        name = self.names.get(login.casefold(), "")
        return Student(login, name, name if "@" in name else "")


def _found(
    repository: str, files: list[File], entries: Entries, context: Context, sheets: _Sheets
) -> Found:
    notes, doubts = [], []
    title = entries.inside[-1] if entries.inside else context.title
    logins = sheets.members.get(repository.casefold(), [])
    if not logins:
        logins = [_login(repository, title, sheets.logins)]
        if context.sheets and logins[0].casefold() not in sheets.logins:
            doubts.append(f"the sheet has neither the repository {repository!r} nor its login")
    at = sheets.times.get(repository.casefold())
    if at is None and entries.root is not None:
        try:
            at = commit_time(entries.root / repository)
            notes.append("time of the last commit, by the committer's clock")
        except GitError as error:
            notes.append(f"no time: {error}")
    students = tuple(sheets.student(login) for login in logins)
    # A team has its repository's name; a student the login, whatever the roster calls them.
    label = repository if len(students) > 1 else students[0].id
    return Found(label, "", students, (Attempt(tuple(files), at=at),), tuple(notes), tuple(doubts))


def _login(repository: str, title: str, known: Mapping[str, str]) -> str:
    """The login in a repository's name, as far as that is certain; else the whole name."""
    ends = [login for login in known if repository.casefold().endswith(f"-{login}")]
    if ends:
        return known[max(ends, key=len)]
    assignment = title.removesuffix("-submissions")
    if assignment != title and repository.startswith(f"{assignment}-"):
        return repository[len(assignment) + 1 :]
    return repository


def _time(text: str) -> datetime | None:
    """A time as Classroom writes it, "2025-01-07 23:12:11 UTC"; None for anything else."""
    found = _UTC.fullmatch(text)
    if not found:
        return None
    try:
        return datetime.fromisoformat(f"{found[1]}T{found[2]}").replace(tzinfo=timezone.utc)
    except ValueError:
        return None
