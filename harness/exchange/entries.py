"""The files of a cohort's archive: `.zip`, `.tar.gz`, or an unpacked folder of the same layout.

An archive's names are texts here and never paths: a file is kept under a number of its own until
it is known whose it is, so a name that leads elsewhere harms nobody.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.archives import (
    ENDINGS,
    ArchiveError,
    TooMuchError,
    is_archive,
    is_litter,
    parts_of,
    spill,
)
from harness.errors import UsageError

# For a thousand students, with what a student may hand in at most as the exception.
MAX_FILES = 100_000
MAX_BYTES = 32 * 2**30
_HISTORY = ".git"


@dataclass(frozen=True)
class Entry:
    """A file of an archive.

    Attributes:
        name: its name, as the archive has it, for messages.
        parts: folders and name in one form (NFC, no `..`); empty where the name is refused.
        path: where its bytes are; None for a link or device.
        problem: why it is refused, else empty.
    """

    name: str
    parts: tuple[str, ...] = ()
    path: Path | None = None
    problem: str = ""

    def within(self, depth: int) -> Entry:
        """The same entry seen from a folder further in."""
        return replace(self, parts=self.parts[depth:])


@dataclass(frozen=True)
class Entries:
    """What an archive holds, sorted into what may be somebody's work and what is not.

    Attributes:
        files: files that may be handed in.
        litter: what programs put everywhere, such as `.DS_Store`.
        refused: links, devices, and names that are no names of files.
        root: the folder, where it is one.
        inside: the folders that everything lies in, and that are no part of names here.
    """

    files: tuple[Entry, ...]
    litter: tuple[Entry, ...]
    refused: tuple[Entry, ...]
    root: Path | None = None
    inside: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.files) + len(self.litter) + len(self.refused)

    def within_only_folder(self) -> Entries | None:
        """The same seen from the only folder at the top; None where there is more than that."""
        tops = {entry.parts[0] for entry in self.files}
        if len(tops) != 1 or any(len(entry.parts) < 2 for entry in self.files):
            return None
        top = next(iter(tops))
        return replace(
            self,
            files=tuple(entry.within(1) for entry in self.files),
            root=self.root / top if self.root else None,
            inside=(*self.inside, top),
        )


def read_entries(path: Path, folder: Path) -> Entries:
    """The files of an archive, put into an empty folder, or of a folder, left where they are.

    Raises:
        UsageError: it is neither, or damaged, or holds more than a cohort's archive may.
    """
    if path.is_dir():
        return _sorted(list(_of_folder(path)), path)
    if not path.is_file():
        raise UsageError(f"{path}: expected an archive or a folder, found nothing")
    if not is_archive(path):
        raise UsageError(f"{path}: expected {', '.join(ENDINGS)} or a folder, found another file")
    try:
        return _sorted(spill(path, folder, max_files=MAX_FILES, max_bytes=MAX_BYTES))
    except TooMuchError:
        raise UsageError(
            f"{path}: more than {MAX_FILES} files or {MAX_BYTES / 2**30:g} GB come out of it; if "
            "that is right, unpack it and give the folder"
        ) from None
    except ArchiveError as error:
        raise UsageError(f"{path}: it cannot be unpacked ({error}); download it again") from None


def _of_folder(path: Path) -> Iterator[tuple[str, Path | None]]:
    """Name and file of everything in a folder; no link is followed, no history of git looked at."""
    for folder, folders, files in os.walk(path):
        here = Path(folder)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in (*links, _HISTORY))
        for name in sorted((*files, *links)):
            if name != _HISTORY:
                file = here / name
                plain = file.is_file() and not file.is_symlink()
                yield file.relative_to(path).as_posix(), file if plain else None


def _sorted(found: Sequence[tuple[str, Path | None]], root: Path | None = None) -> Entries:
    files, litter, refused = [], [], []
    for name, path in found:
        try:
            parts = tuple(parts_of(name))
        except ArchiveError as error:
            refused.append(Entry(name, (), path, str(error)))
            continue
        if not parts:
            refused.append(Entry(name, (), path, "it has no name"))
        elif is_litter(parts):
            litter.append(Entry(name, parts, path))
        elif path is None:
            refused.append(Entry(name, parts, None, "it is a link or a device, not a file"))
        elif _HISTORY not in parts:
            files.append(Entry(unicodedata.normalize("NFC", name), parts, path))
    return Entries(tuple(files), tuple(litter), tuple(refused), root)
