"""Names of submissions and of their files that every system can have."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

from harness.handed_in import is_kept

MAX_CHARACTERS = 80
MAX_BYTES = 200
_RESERVED = re.compile(
    r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)$", re.IGNORECASE
)
# Letters of Latin alphabets that are not a letter with a mark.
_LATIN = str.maketrans(
    {"ß": "ss", "ẞ": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d"}
    | {"þ": "th", "ı": "i", "ħ": "h", "ŧ": "t", "ŋ": "n"}
)
_FORBIDDEN = re.compile(r'[<>:"|?*\\/]')


def submission_name(label: str, key: str = "") -> str:
    """A short name for a submission: `jane-doe-1234`.

    Latin letters lose their marks, others stay as they are, in NFC; what is neither letter nor
    digit becomes a hyphen. The result never begins with a mark, is at most `MAX_CHARACTERS` long
    and is no name that Windows, or the harness, keeps for itself.
    """
    end = _shortened(_plain(key), 40)
    room = MAX_CHARACTERS - len(end) - 1
    start = _shortened(_plain(label), room, MAX_BYTES - len(end.encode()) - 1)
    name = "-".join(filter(None, (start, end))) or "student"
    return f"student-{name}" if _RESERVED.match(name) or is_kept(name) else name


def _plain(text: str) -> str:
    lowered = unicodedata.normalize("NFKC", text).lower().translate(_LATIN)
    letters: list[str] = []
    for character in unicodedata.normalize("NFD", lowered):
        kind = unicodedata.category(character)
        if kind[0] == "M" and letters and letters[-1].isascii():
            continue  # a mark upon a Latin letter
        if kind != "Cf":  # not seen: marks that turn the direction of text, and joiners
            letters.append(character if kind[0] in "LMN" else "-")
    joined = unicodedata.normalize("NFC", "".join(letters))
    return re.sub(r"-+", "-", joined).strip("-")


def _shortened(text: str, characters: int, size: int = MAX_BYTES) -> str:
    text = text[:characters]
    while len(text.encode()) > size:
        text = text[:-1]
    return text.strip("-")


def file_parts(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Folders and name of a file in a form that every system can have; mostly the same."""
    return tuple(_part(part) for part in parts)


def _part(part: str) -> str:
    seen = "".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", seen)).rstrip(". ").lstrip(" ") or "_"
    head, dot, rest = name.partition(".")
    if _RESERVED.match(head.rstrip()):
        name = f"{head.rstrip()}_{dot}{rest}"
    path = PurePosixPath(name)
    ending = path.suffix if len(path.suffix.encode()) <= 20 else ""
    stem = name[: len(name) - len(ending)]
    while len((stem + ending).encode()) > MAX_BYTES:
        stem = stem[:-1]
    return stem + ending


def distinct(parts: tuple[str, ...], taken: set[str]) -> tuple[str, ...]:
    """The name, or the next like it that no file or folder has on any system; it is then taken."""
    for depth in range(1, len(parts) + 1):
        is_file = depth == len(parts)
        path, number, wanted = PurePosixPath(parts[depth - 1]), 1, parts[depth - 1]
        while _clashes(key := _key((*parts[: depth - 1], wanted)), is_file, taken):
            number += 1
            wanted = f"{path.stem}-{number}{path.suffix}"
        parts = (*parts[: depth - 1], wanted, *parts[depth:])
        taken.add(key if is_file else key + "/")
    return parts


def _clashes(key: str, is_file: bool, taken: set[str]) -> bool:
    return key in taken or (is_file and key + "/" in taken)


def _key(parts: tuple[str, ...]) -> str:
    return unicodedata.normalize("NFKC", "/".join(parts)).casefold()
