"""Archives as learning-management systems make them, with every oddity, and what is true of them.

Built from the rules of `harness.exchange` (each module there names its source), for a cohort that
`cohort` makes up. Each function returns `Made`: the archive, the sheets that belong to it, and the
truth about each submission.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
import unicodedata
import zipfile
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

CODE = b"def top_predictions(model, image, k=5):\n    return []\n"
NOTEBOOK = json.dumps(
    {
        "cells": [
            {
                "cell_type": "code",
                "execution_count": None,
                "id": "a",
                "metadata": {},
                "outputs": [],
                "source": CODE.decode(),
            }
        ],
        "metadata": {},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
).encode()
START = datetime(2026, 12, 1, 8, 0, tzinfo=timezone.utc)


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of files, in memory, with the same bytes each time."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
    return stream.getvalue()


@dataclass(frozen=True)
class Person:
    """A student as every system knows them."""

    number: int
    given: str
    family: str

    @property
    def full(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def sortable(self) -> str:
        return f"{self.family}, {self.given}"

    @property
    def email(self) -> str:
        return f"s{self.number}@example.org"

    @property
    def sid(self) -> str:
        return f"9{self.number:05}"

    @property
    def login(self) -> str:
        return f"Student-{self.number}"


@dataclass(frozen=True)
class Work:
    """What a student, or a group, handed in: files as they called them, and how code is found."""

    people: tuple[Person, ...]
    files: dict[str, bytes]
    kind: str = "named"
    late: bool = False
    earlier: dict[str, bytes] = field(default_factory=dict)
    group: str = ""

    @property
    def number(self) -> int:
        return self.people[0].number

    @property
    def at(self) -> datetime:
        return START + timedelta(minutes=7 * self.number)


@dataclass(frozen=True)
class Truth:
    """What must come of a submission: whose it is, its files, when, how code is found."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    files: dict[str, bytes]
    at: datetime | None
    late: bool
    kind: str


@dataclass(frozen=True)
class Made:
    """An archive, its sheets, and the truth.

    `files` counts every file of it; `litter`, `own` and `earlier` those that are nobody's.
    """

    archive: Path
    sheets: tuple[Path, ...]
    truths: tuple[Truth, ...]
    files: int
    litter: int = 0
    own: int = 0
    earlier: int = 0


_NAMES = [
    ("Jane", "Doe"),
    ("Jane", "Doe"),  # another one of the same name
    ("明", "李"),
    ("Zoë", "Müller-Lüdenscheidt"),
    ("Seán", "O'Brien"),
    ("Con", "Nul"),
    ("نور", "الحسن"),
    ("Иван", "Петров"),
    ("अनिता", "शर्मा"),
    ("José_Luis", "García Márquez"),
    ("X", "Æ A-12"),
    ("Maximiliane" * 9, "von und zu " + "Hohenzollern" * 5),
    ("Łukasz", "Żółć"),
    ("Anna", "."),
    ("가영", "김"),
    ("Müge", "Işık"),
]


def cohort(count: int = 60) -> list[Work]:
    """Works with every oddity that a system lets through, over and over."""
    works = []
    for index in range(count):
        given, family = _NAMES[index % len(_NAMES)]
        if index >= len(_NAMES):
            turn = index // len(_NAMES)
            given = f"{given} {chr(65 + turn % 26)}{turn // 26 or ''}"
        works.append(
            _ODDITIES[index % len(_ODDITIES)]((Person(100 + index, given, family),), index)
        )
    return works


def _code(index: int) -> bytes:
    return CODE + f"# {index}\n".encode()


_ODDITIES = [
    lambda who, n: Work(who, {"submission.py": _code(n)}),
    lambda who, n: Work(who, {"submission.ipynb": NOTEBOOK, "answers.md": b"# zones\nyes\n"}),
    lambda who, n: Work(who, {"lab5_final (2).py": _code(n)}, "renamed"),
    lambda who, n: Work(who, {"Mon carnet é.ipynb": NOTEBOOK}, "renamed"),
    lambda who, n: Work(who, {"abgabe.zip": zipped({"submission.py": _code(n)})}, "nested"),
    lambda who, n: Work(who, {"LAB5.PY": _code(n)}, "renamed"),
    lambda who, n: Work(who, {"submission.py": _code(n), "a.txt": b"", "_x_1_2_y.txt": b"x"}),
    lambda who, n: Work(who, {"one.py": _code(n), "two.py": _code(n)}, "unclear"),
    lambda who, n: Work(who, {"submission.py": _code(n)}, late=True),
    lambda who, n: Work(who, {"作业.py": _code(n), "notes.pdf": b"%PDF"}, "renamed"),
    lambda who, n: Work(who, {"submission.py": _code(n)}, earlier={"submission.py": b"# old\n"}),
    lambda who, n: Work(who, {"con.py": _code(n)}, "renamed"),
    lambda who, n: Work(
        (
            *who,
            replace(who[0], number=who[0].number + 1000),
            replace(who[0], number=who[0].number + 2000),
        ),
        {"submission.py": _code(n)},
        group=f"Team_{n}",
    ),
]


def landed(files: dict[str, bytes]) -> dict[str, bytes]:
    """Names of files as every system can have them."""
    return {_landed(name): data for name, data in files.items()}


def _landed(name: str) -> str:
    name = unicodedata.normalize("NFC", name)
    return {"LAB5.PY": "LAB5.py", "con.py": "con_.py"}.get(name, name)


def pack(path: Path, files: dict[str, bytes]) -> Path:
    """Write files as `.zip`, `.tar.gz` or a folder, by the ending of a path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        path.write_bytes(zipped(files))
    elif path.name.endswith(".tar.gz"):
        with tarfile.open(path, "w:gz") as archive:
            for name, data in files.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))
    else:
        for name, data in files.items():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
    return path


_LITTER = {"__MACOSX/._submission.py": b"\0", ".DS_Store": b"\0", "Thumbs.db": b"\0"}


def moodle_name(text: str) -> str:
    """A name as Moodle puts it into names of files: `clean_filename` of it, without `_`."""
    return re.sub(r"[&<>\"`|':\\/]", "", text.replace("_", " ")).replace("..", "")


_WORDS = {
    "en": (
        *("Identifier", "Full name", "Email address", "Status", "Group", "Grade"),
        *("Maximum Grade", "Grade can be changed", "Last modified (submission)"),
        *("Last modified (grade)", "Feedback comments", "Participant "),
    ),
    "de": (
        *("Identifikator", "Vollständiger Name", "E-Mail-Adresse", "Status", "Gruppe", "Bewertung"),
        *("Bestwertung", "Bewertung kann geändert werden", "Zuletzt geändert (Abgabe)"),
        *("Zuletzt geändert (Bewertung)", "Feedback als Kommentar", "Teilnehmer/in"),
    ),
}


def moodle(
    folder: Path,
    works: list[Work],
    *,
    folders: bool = True,
    trailing: bool = False,
    blind: bool = False,
    language: str = "en",
    ending: str = ".zip",
) -> Made:
    """Moodle's archive and worksheet; `trailing` is the `_` before 4.1. Only last attempts."""
    files: dict[str, bytes] = {}
    truths = []
    for work in works:
        nameless = _WORDS[language][-1].strip() if blind else work.people[0].full
        who = work.group or nameless
        number = 5000 + work.number if work.group else work.number
        prefix = f"{moodle_name(who)}_{number}_assignsubmission_file"
        for name, data in work.files.items():
            beside = "/" if folders else "_"
            files[f"{prefix}{'_' * (trailing and folders)}{beside}{name}"] = data
        names = tuple(person.full for person in work.people)
        ids = tuple(str(person.number) for person in work.people)
        truths.append(Truth(ids, names, landed(work.files), work.at, False, work.kind))
    sheet = folder / "worksheet.csv"
    folder.mkdir(parents=True, exist_ok=True)
    sheet.write_bytes(_worksheet(works, language).encode("utf-8-sig"))
    archive = pack(folder / f"CS-Lab 5-77{ending}", {**files, **_LITTER})
    return Made(archive, (sheet,), tuple(truths), len(files) + 3, litter=3)


def _worksheet(works: list[Work], language: str) -> str:
    *headings, participant = _WORDS[language]
    lines = [",".join(f'"{heading}"' for heading in headings)]
    for work in works:
        for person in work.people:
            cells = [f"{participant}{person.number}", person.full, person.email]
            cells += ["Submitted for grading", work.group or "-", "", "20.00", "Yes"]
            cells += [moodle_time(work.at, language), "-", ""]
            lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in cells))
    return "\n".join(lines) + "\n"


def moodle_time(at: datetime, language: str) -> str:
    """A time in UTC as Moodle writes it in English or German, by hand."""
    if language == "de":
        days = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
        return f"{days[at.weekday()]}, {at.day}. Dezember {at.year}, {at:%H:%M}"
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    half = "AM" if at.hour < 12 else "PM"
    return f"{days[at.weekday()]}, {at.day} December {at.year}, {at.hour % 12 or 12}:{at:%M} {half}"


def canvas_name(text: str) -> str:
    """A name as Canvas puts it into names of files."""
    return "".join(
        c for c in text.lower() if c == "_" or unicodedata.category(c)[0] in "LM" or c.isdigit()
    )


def canvas(
    folder: Path, works: list[Work], *, anonymous: bool = False, ending: str = ".zip"
) -> Made:
    """Canvas's archive and gradebook; a group goes by its first member; no times."""
    files: dict[str, bytes] = {}
    truths = []
    attachment = 70_000
    earlier = 0
    for work in works:
        person = work.people[0]
        user = f"4{person.number:05}"
        late = "_LATE" * work.late
        who = (
            f"{'LATE_' * work.late}anon_{user}"
            if anonymous
            else f"{canvas_name(person.sortable)}{late}_{user}"
        )
        for again, version in ((False, work.earlier), (True, work.files)):
            for name, data in version.items():
                attachment += 1
                stem, dot, rest = name.rpartition(".")
                counted = f"{stem}-1{dot}{rest}" if again and name in work.earlier else name
                files[f"{who}_{attachment}_{counted}"] = data
        earlier += len(work.earlier)
        truths.append(
            Truth(
                (user,),
                ("" if anonymous else person.sortable,),
                landed(work.files),
                None,
                work.late,
                work.kind,
            )
        )
    sheet = folder / "gradebook.csv"
    folder.mkdir(parents=True, exist_ok=True)
    sheet.write_text(_gradebook(works), "utf-8")
    archive = pack(folder / f"submissions{ending}", {**files, **_LITTER})
    return Made(archive, (sheet,), tuple(truths), len(files) + 3, litter=3, earlier=earlier)


def _gradebook(works: list[Work]) -> str:
    lines = ["Student,ID,SIS User ID,SIS Login ID,Section,Quiz (11),Lab 5 (77),Final Score"]
    lines.append("    Points Possible,,,,,10.00,20.00,(read only)")
    for work in works:
        for p in work.people:
            lines.append(f'"{p.sortable}",4{p.number:05},{p.sid},{p.email},A,9.00,,45')
    lines.append('"Student, Test",49999999,,hash,A,,,')
    return "\n".join(lines) + "\n"


def gradescope(folder: Path, works: list[Work], *, ending: str = ".zip") -> Made:
    """Gradescope's export: a folder per submission, and metadata with Ruby's symbols for keys."""
    top = "assignment_9100_export/"
    files: dict[str, bytes] = {}
    metadata = ["---"]
    truths = []
    for work in works:
        number = 300_000 + work.number
        metadata += [f"submission_{number}:", "  :submitters:"]
        for p in work.people:
            name = json.dumps(p.full, ensure_ascii=False)
            metadata += [f"  - :name: {name}", f"    :sid: '{p.sid}'", f"    :email: {p.email}"]
        metadata += [f"  :created_at: {work.at:%Y-%m-%d %H:%M:%S}.000000000 Z", "  :score: 1.0"]
        for name, data in work.files.items():
            files[f"{top}submission_{number}/{name}"] = data
        ids, names = tuple(p.sid for p in work.people), tuple(p.full for p in work.people)
        truths.append(Truth(ids, names, landed(work.files), work.at, False, work.kind))
    own = {f"{top}submission_metadata.yml": ("\n".join(metadata) + "\n").encode()}
    archive = pack(folder / f"assignment_9100_export{ending}", {**files, **own, **_LITTER})
    return Made(archive, (), tuple(truths), len(files) + 4, litter=3, own=1)


def run_git(clone: Path, *arguments: str, **variables: str) -> None:
    """Run git as a student would, with a committer of ours."""
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "HOME": str(clone)}
    for role in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{role}_NAME": "a", f"GIT_{role}_EMAIL": "a@example.org"}
    subprocess.run(
        ["git", "-C", str(clone), *arguments],
        check=True,
        capture_output=True,
        env={**environment, **variables},
    )


def github(folder: Path, works: list[Work], *, sheets: bool = True) -> Made:
    """Clones as `gh classroom clone student-repos` makes them, with Classroom's two sheets."""
    root = folder / "lab-5-submissions"
    truths, count = [], 0
    roster = ['"identifier","github_username","github_id","name"']
    heading = (
        '"assignment_name","assignment_url","starter_code_url","github_username",'
        '"roster_identifier","student_repository_name","student_repository_url",'
        '"submission_timestamp","points_awarded","points_available"'
    )
    grades = [heading]
    for work in works:
        repository = f"lab-5-{work.group or work.people[0].login}".replace("_", "-").lower()
        clone = root / repository
        clone.mkdir(parents=True)
        pack(clone, work.files)
        count += len(work.files)
        run_git(clone, "init", "-q", "-b", "main")
        run_git(clone, "add", "-A")
        when = work.at.astimezone(timezone(timedelta(hours=2))).isoformat()
        run_git(clone, "commit", "-q", "-m", "x", GIT_COMMITTER_DATE=when, GIT_AUTHOR_DATE=when)
        for p in work.people:
            roster.append(f'"{p.full}","{p.login}","{p.number}",""')
            pushed = f"{work.at:%Y-%m-%d %H:%M:%S} UTC"
            grades.append(
                f'"Lab 5","u","s","{p.login}","{p.full}","{repository}","r","{pushed}","0","20"'
            )
        ids = tuple(p.login for p in work.people)
        if not sheets:
            ids = (repository.removeprefix("lab-5-"),)
        names = tuple(p.full for p in work.people) if sheets else ("",)
        truths.append(Truth(ids, names, landed(work.files), work.at, False, work.kind))
    paths = (folder / "roster.csv", folder / "grades.csv")
    for path, lines in zip(paths, (roster, grades), strict=True):
        path.write_text("\n".join(lines) + "\n", "utf-8")
    return Made(root, paths if sheets else (), tuple(truths), count)


def plain_folder(folder: Path, works: list[Work], *, ending: str = "") -> Made:
    """A folder per student, called by their number; a single file lies there by itself."""
    files: dict[str, bytes] = {}
    truths = []
    for work in works:
        for name, data in work.files.items():
            files[f"s{work.number}/{name}"] = data
        truths.append(
            Truth(("",), (f"s{work.number}",), landed(work.files), None, False, work.kind)
        )
    archive = pack(folder / f"cohort{ending}", {**files, **_LITTER})
    return Made(archive, (), tuple(truths), len(files) + 3, litter=3)


def decomposed(made_files: dict[str, bytes]) -> dict[str, bytes]:
    """The same files with names in NFD, as macOS writes them."""
    return {unicodedata.normalize("NFD", name): data for name, data in made_files.items()}
