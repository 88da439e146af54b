"""Archives that students hand in, unpacked under limits: `.zip`, `.tar.gz` and `.tgz`.

Nothing is believed that an archive says of itself: bytes are counted as they come, every name is
brought to one form and must stay inside, and what is not a plain file is left out.
"""

from __future__ import annotations

import errno
import gzip
import io
import shutil
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from harness.language import gettext as _

ENDINGS = (".zip", ".tar.gz", ".tgz")
# Archives that only other programs open.
_CLOSED = (".rar", ".7z", ".tar", ".gz", ".bz2", ".xz", ".zst")
MAX_NAME = 240
_MOST_PARTS = 32
_END, _LOCATOR_64 = b"PK\x05\x06", b"PK\x06\x07"
_CHUNK = 2**16
_HEADERS = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)
_MAX_HEADER, _HEADERS_PER_FILE = 2**13, 2**11  # bytes of one of these, and of all by files
# What other programs add on their own, and what Python makes again.
_LITTER = {"__macosx", ".ds_store", "thumbs.db", "desktop.ini", "icon\r", "__pycache__"}
_DAMAGE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, struct.error),
    *(RuntimeError, NotImplementedError, ValueError, OverflowError, LookupError),
)
# A disk that is full or broken, too many open files, or a file that may not be read.
_OF_MACHINE = {
    *(errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE),
    *(errno.EACCES, errno.EPERM),
}

_Entries = Generator[tuple[str, "IO[bytes] | None"], None, None]


class ArchiveError(Exception):
    """An archive that is not unpacked; the text tells a student why."""


class DamagedError(ArchiveError):
    """An archive of which some byte is wrong; the text is what the library says."""


class TooMuchError(ArchiveError):
    """An archive of more files or bytes than are allowed."""


@dataclass
class _Budget:
    """How many files and bytes may still come."""

    files: int
    bytes: int

    def take_file(self) -> None:
        self.files -= 1
        if self.files < 0:
            raise TooMuchError(_("it has too many files; hand in your own code only"))

    def take_bytes(self, count: int) -> None:
        self.bytes -= count
        if self.bytes < 0:
            raise TooMuchError(_("it is too large when unpacked; hand in your own code only"))


def is_archive(path: Path) -> bool:
    """Whether a file's name says that it is an archive that can be unpacked."""
    return path.name.lower().endswith(ENDINGS)


def is_closed_archive(name: str) -> bool:
    """Whether a file's name says that it is an archive that cannot be unpacked here."""
    return name.lower().endswith(_CLOSED) and not name.lower().endswith(ENDINGS)


def stem(name: str) -> str:
    """The name without the ending of an archive."""
    ending = next((e for e in ENDINGS if name.lower().endswith(e)), "")
    return name[: len(name) - len(ending)]


def unpack(path: Path, folder: Path, *, max_files: int, max_bytes: int) -> list[str]:
    """Unpack an archive into a folder; nothing is ever written outside it.

    Args:
        path: the archive.
        folder: an existing folder.
        max_files: entries that it may have, folders among them.
        max_bytes: bytes that may come out of it.

    Returns:
        what was noticed, for the report.

    Raises:
        ArchiveError: it is damaged, locked, too large, or has names that lead elsewhere or are
            the same for some system.
        OSError: the machine cannot do it, as where its disk is full.
    """
    try:
        if path.stat().st_size > most_packed(max_bytes):
            raise TooMuchError(_("it is too large; hand in your own code only"))
        return list(_unpacked(path, folder, _Budget(max_files, max_bytes)))
    except DamagedError as error:
        text = _("{name} cannot be unpacked ({reason}); pack it again and hand in again")
        raise ArchiveError(text.format(name=path.name, reason=error)) from None
    except ArchiveError as error:
        text = _("{name} cannot be unpacked: {error}")
        raise type(error)(text.format(name=path.name, error=error)) from None


def most_packed(max_bytes: int) -> int:
    """How large an archive may be of which so many bytes may come: packing makes nothing larger."""
    return 2 * max_bytes


def _unpacked(path: Path, folder: Path, budget: _Budget) -> Iterator[str]:
    """Unpack an archive; yields what is noticed."""
    seen: dict[str, str] = {}
    with _telling(), closing(_entries(path, budget)) as entries:
        for name, stream in entries:
            parts = parts_of(name)
            if not parts or is_litter(parts):
                continue
            if stream is None:
                text = _("{name!r} in {archive} was left out: it is not a plain file")
                yield text.format(name=name, archive=path.name)
                continue
            _claim(parts, name, seen)
            _write(stream, folder.joinpath(*parts), budget)


def spill(
    path: Path, folder: Path, *, max_files: int, max_bytes: int
) -> list[tuple[str, Path | None]]:
    """Write each file of a large archive of other people's files under a number of its own.

    No name of the archive is used on the disk, so one that leads elsewhere, or is there twice,
    spoils no other; `parts_of` tells what a name is worth. An archive may be larger than 4 GB.

    Returns:
        name, as the archive has it, and file of each entry but folders; None for the file of a
        link or device.

    Raises:
        TooMuchError: there are more entries or bytes than that.
        ArchiveError: it is damaged or locked.
    """
    budget = _Budget(max_files, max_bytes)
    found: list[tuple[str, Path | None]] = []
    with _telling(), closing(_entries(path, budget, large=True)) as entries:
        for name, stream in entries:
            target = None if stream is None else folder / f"{len(found):06}"
            if stream is not None and target is not None:
                _write(stream, target, budget)
            found.append((name, target))
    return found


@contextmanager
def _telling() -> Iterator[None]:
    """Have whatever is wrong with an archive told as one kind of error."""
    try:
        yield
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno in _OF_MACHINE:
            raise  # nothing that is the archive's fault
        raise DamagedError(f"{type(error).__name__}: {str(error)[:200]}") from None


def _entries(path: Path, budget: _Budget, *, large: bool = False) -> _Entries:
    """Name and content of each entry but folders; None for the content of a link or device."""
    with path.open("rb") as file:
        if path.name.lower().endswith(".zip"):
            yield from _zip_entries(file, budget, large)
        else:
            yield from _tar_entries(file, budget)


def _zip_entries(file: IO[bytes], budget: _Budget, large: bool) -> _Entries:
    _check_directory(file, budget, large)
    with zipfile.ZipFile(file) as archive:
        for info in archive.infolist():
            budget.take_file()
            if info.flag_bits & 1:
                raise ArchiveError(_("it is locked with a password; pack it without one"))
            # The others may come out of a few bytes as gigabytes at once, before they are counted.
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ArchiveError(_("it is packed by an unusual method; pack it as a plain zip"))
            kind = info.external_attr >> 28  # of a Unix mode; 0 where another system packed it
            if info.filename.endswith("/"):  # of an empty name, is_dir fails
                continue
            if kind not in (0, 8):
                yield _name(info), None
            else:
                with archive.open(info) as stream:
                    yield _name(info), stream


def _name(info: zipfile.ZipInfo) -> str:
    """The name of an entry; macOS writes UTF-8 without the flag that says so."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _check_directory(file: IO[bytes], budget: _Budget, large: bool) -> None:
    """See that the list of contents, which is read as a whole, is not itself too large.

    Source: PKWARE's APPNOTE 6.3.10, 4.3.16.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 2**16 - 42))
    tail = file.read()
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 22:
        raise ArchiveError(_("it is not a zip file, or the end of it is missing"))
    (length,) = struct.unpack_from("<I", tail, place + 12)
    is_64 = tail[max(0, place - 20) :].startswith(_LOCATOR_64)
    if is_64 and large:
        (start,) = struct.unpack_from("<Q", tail, place - 12)
        file.seek(min(start, size))
        (length,) = struct.unpack_from("<Q", file.read(56), 40)
    if (is_64 and not large) or length > 2**10 * budget.files:
        raise TooMuchError(_("it has too many files; hand in your own code only"))


def _tar_entries(file: IO[bytes], budget: _Budget) -> _Entries:
    with (
        gzip.GzipFile(fileobj=file) as unzipped,
        # Read through once, so that not even what a header announces comes out uncounted.
        tarfile.open(
            fileobj=_Counted(unzipped, budget),
            mode="r|",
            tarinfo=_member(_Budget(0, _HEADERS_PER_FILE * budget.files)),
        ) as archive,
    ):
        for member in archive:
            budget.take_file()
            if member.isdir():
                continue
            yield member.name, archive.extractfile(member) if member.isreg() else None


def _member(budget: _Budget) -> type[tarfile.TarInfo]:
    """Entries whose headers of any length, such as long names, are not too long.

    They are read as a whole, and some Pythons take minutes over one (CVE-2024-6232).
    """

    class Member(tarfile.TarInfo):
        def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
            if self.type in _HEADERS:
                if self.size > _MAX_HEADER:
                    raise TooMuchError(_("it has a header that is too long"))
                budget.take_bytes(max(0, self.size))
            made: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
            return made

    return Member


class _Counted(io.RawIOBase):
    """A stream of which no more can be read than a budget has.

    Padding and headers count like everything else, and the files themselves once more.
    """

    def __init__(self, stream: io.BufferedIOBase, budget: _Budget) -> None:
        self._stream = stream
        self._budget = _Budget(0, 2 * budget.bytes + 2**20)

    def read(self, size: int = -1) -> bytes:
        wanted = self._budget.bytes + 1 if size < 0 else min(size, self._budget.bytes + 1)
        data = self._stream.read(wanted)
        self._budget.take_bytes(len(data))
        return data


def is_litter(parts: Sequence[str]) -> bool:
    """Whether an entry is there only because some program puts it everywhere."""
    return any(part.lower() in _LITTER for part in parts) or parts[-1].startswith("._")


def parts_of(name: str) -> list[str]:
    """The folders and the name of an entry, brought to one form.

    Raises:
        ArchiveError: it leads out of the archive, or no system could have such a name.
    """
    # Marks above letters are put in order one by one, in the square of the time for a long run.
    if len(name) > _MOST_PARTS * MAX_NAME or any(
        len(part) > MAX_NAME for part in name.replace("\\", "/").split("/")
    ):
        raise ArchiveError(_too_long(name))
    normal = unicodedata.normalize("NFC", name).replace("\\", "/")
    parts = [part for part in normal.split("/") if part not in ("", ".")]
    leads_out = normal.startswith("/") or ".." in parts or (len(normal) > 1 and normal[1] == ":")
    if leads_out:
        raise ArchiveError(_("{name!r} leads out of it; pack your own folder").format(name=name))
    own = "/".join(part for part in parts if part.lower() not in _LITTER)  # one ends in \r
    if any(ord(c) < 32 or ord(c) == 127 or 0xD800 <= ord(c) < 0xE000 for c in own):
        raise ArchiveError(_("{name!r} is no name of a file; rename it").format(name=name))
    if len(parts) > _MOST_PARTS or any(len(part.encode()) > MAX_NAME for part in parts):
        raise ArchiveError(_too_long(name))
    return [part.rstrip(". ") or "_" for part in parts]


def _too_long(name: str) -> str:
    return _("{name!r}… is too long, or too deep in folders").format(name=name[:60])


def _claim(parts: list[str], name: str, seen: dict[str, str]) -> None:
    """See that no other entry has this name, on any system.

    Raises:
        ArchiveError: one has.
    """
    key = unicodedata.normalize("NFKC", "/".join(parts)).casefold()
    if key in seen:
        text = _("{one!r} and {other!r} are the same name; rename one")
        raise ArchiveError(text.format(one=seen[key], other=name))
    seen[key] = name


def _write(stream: IO[bytes], target: Path, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as written:
        while data := stream.read(_CHUNK):
            budget.take_bytes(len(data))
            written.write(data)


def descend(folder: Path) -> str:
    """Move what lies in a folder's only folder up into it.

    Returns:
        the name of that folder, or empty where there is more than one entry.
    """
    only = only_folder(folder)
    if only is None:
        return ""
    aside = only.rename(folder.with_name(folder.name + "-nested"))
    for entry in aside.iterdir():
        entry.rename(folder / entry.name)
    shutil.rmtree(aside)
    return only.name


def only_folder(folder: Path) -> Path | None:
    """The one folder that a folder holds, if there is nothing else that a person has put there."""
    entries = [
        entry
        for entry in folder.iterdir()
        if entry.name.lower() not in _LITTER and not (entry.name.startswith(".") and entry.is_dir())
    ]
    return entries[0] if len(entries) == 1 and entries[0].is_dir() else None
