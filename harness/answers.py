"""Written answers: found in `answers.md` or a notebook's Markdown cells, read as text under limits.

One heading per question, which names it by id or title. What follows, up to the next heading of the
same or a higher level, is the answer; what belongs to no question is kept beside them.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

from markdown_it import MarkdownIt

from harness.claims import Claim
from harness.language import gettext as _
from harness.opened import Opened
from harness.questions import Question, plain
from harness.reading import NotebookError, read_cells

ANSWERS = "answers.md"
MOST_BYTES = 200_000
MOST_LINES = 5000  # in which headings are looked for; each may open ten lists, or twenty quotes
_LONGEST_HEADING = 400
# "2.", "Question 2:", "Q2", "Réponse à la question 2" before what is asked.
_BEFORE = re.compile(
    r"(?:(?:answer|reponse|to|a|the|la|question|exercise|exercice|q|n|no)\s+)*(?:q?\d+[a-z]?\s+)*"
)


@dataclass(frozen=True)
class Answers:
    """What a student answered.

    Attributes:
        texts: answers by question; a question without an answer is not in it.
        other: text that belongs to no question.
        notes: what was noticed on the way.
        claims: the rows of claimed tables, by question.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    other: str = ""
    notes: tuple[str, ...] = ()
    claims: Mapping[str, tuple[Claim, ...]] = field(default_factory=dict)

    def digest(self, question: str) -> str:
        """SHA-256 of the answer to a question, empty or not."""
        text = self.texts.get(question, "")
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def to_bytes(self) -> bytes:
        """All of it as JSON."""
        claims = {key: [claim.to_json() for claim in rows] for key, rows in self.claims.items()}
        data = {"texts": dict(self.texts), "other": self.other, "notes": self.notes}
        return json.dumps({**data, "claims": claims}, indent=1).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Answers | None:
        """Read what `to_bytes` made; None where it is damaged."""
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            stored = json.loads(data)
            claims = {k: tuple(map(Claim.from_json, v)) for k, v in stored["claims"].items()}
            notes = tuple(stored["notes"])
            return cls(dict(stored["texts"]), str(stored["other"]), notes, claims)
        return None


@dataclass(frozen=True)
class _Section:
    """A heading and what stands below it, by itself and as a whole; level 0 before any heading."""

    level: int
    heading: str
    text: str
    whole: str


def read_answers(opened: Opened, questions: Sequence[Question]) -> Answers:
    """Find and read the answers of a submission; nothing of it is run or loaded.

    Args:
        opened: what was handed in.
        questions: of the lab; without any, nothing is looked for.
    """
    if not questions:
        return Answers()
    notes: list[str] = []
    texts = list(_texts(opened.own_files(), notes))
    return _assigned(texts, questions, notes)


def _texts(files: Sequence[tuple[str, Path]], notes: list[str]) -> Iterator[str]:
    """The Markdown handed in, one text per file or cell, together no more than one file may have.

    Line ends are brought to one form, so that the same answer has the same digest everywhere.
    """
    left = MOST_BYTES
    for _name, path in files:
        for text in _of_file(path, notes):
            plain_ends = re.sub(r"\r\n?", "\n", text)
            if len(plain_ends) > left:
                _say_cut(path, notes)
            yield plain_ends[:left]
            left = max(0, left - len(plain_ends))


def _of_file(path: Path, notes: list[str]) -> list[str]:
    try:
        if path.name.casefold() == ANSWERS:
            with path.open("rb") as stream:
                data = stream.read(MOST_BYTES + 1)
            cut = len(data) > MOST_BYTES
            if cut:
                _say_cut(path, notes)
            return [_decoded(data[:MOST_BYTES], cut=cut)]
        if path.suffix.casefold() != ".ipynb":
            return []
        return read_cells(path, "markdown")
    except (OSError, NotebookError) as error:
        told = _("answers could not be read in {name} ({error})")
        notes.append(told.format(name=path.name, error=error))
        return []


def _say_cut(path: Path, notes: list[str]) -> None:
    told = _("{name} was cut: answers may have {n} characters in all")
    note = told.format(name=path.name, n=MOST_BYTES)
    if note not in notes:
        notes.append(note)


def _decoded(data: bytes, *, cut: bool) -> str:
    """Text as editors store it: UTF-8, UTF-16 with its mark, or the old Windows code page."""
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        if data.startswith(mark):
            return data.decode("utf-16", errors="replace")
    for encoding in ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            # A cut may split the last character, and does not make it another encoding.
            return codecs.getincrementaldecoder(encoding)().decode(data, final=not cut)
    return data.decode("utf-8", errors="replace")


def _assigned(texts: Sequence[str], questions: Sequence[Question], notes: list[str]) -> Answers:
    """Give each section to the question that it answers."""
    names = {plain(name): q.id for q in questions for name in (q.id, q.title)}
    found: dict[str, list[list[str]]] = {question.id: [] for question in questions}
    other: list[list[str]] = []
    lines = MOST_LINES
    for text in texts:
        current, level = other, 0
        other.append([])
        for section in _sections(text, lines):
            if matched := _match(section.heading, names):
                current, level = found[matched], section.level
                current.append([section.text])
            elif section.level <= level:
                current, level = other, 0
                current.append([section.whole])
            else:
                current[-1].append(section.whole)
        lines -= text.count("\n") + 1
    if lines < 0:
        told = _("answers have more than {n} lines; headings below those were not looked for")
        notes.append(told.format(n=MOST_LINES))
    joined = {key: _joined(parts) for key, parts in found.items()}
    return Answers(
        texts={key: text for key, text in joined.items() if text},
        other=_joined(other),
        notes=tuple(notes),
    )


def _joined(parts: Sequence[Sequence[str]]) -> str:
    """Parts without blank lines around them; a first line keeps its indentation."""
    whole = map("\n".join, parts)
    trimmed = (re.sub(r"\A(?:[^\S\n]*\n)+", "", part).rstrip() for part in whole)
    return "\n\n".join(filter(None, trimmed))


def _match(heading: str, names: Mapping[str, str]) -> str:
    """The question that a heading names, or empty."""
    words = plain(heading) if len(heading) <= _LONGEST_HEADING else ""
    begun = _BEFORE.match(words)
    for candidate in filter(None, (words, words[begun.end() :] if begun else "")):
        for name, question in names.items():
            # A title may be followed by more: "Are there zones …? (soccer01)".
            longer = name.count(" ") >= 3 and candidate.startswith(name + " ")
            if candidate == name or longer:
                return question
    return ""


def _sections(text: str, most_lines: int) -> list[_Section]:
    """The text cut before each heading that stands by itself, not in a list, quote or code.

    Args:
        text: Markdown.
        most_lines: how many of its lines are looked at; what is below belongs to the last section.
    """
    lines = text.split("\n")
    tokens = _parser().parse("\n".join(lines[: max(0, most_lines)]))
    starts: list[tuple[int, int, int, str]] = [(0, 0, 0, "")]
    for token, inline in pairwise(tokens):
        if token.type == "heading_open" and token.level == 0 and token.map:
            begin, end = token.map
            starts.append((begin, end, int(token.tag[1:]), " ".join(inline.content.split())))
    nexts = [*(begin for begin, *_rest in starts[1:]), len(lines)]
    return [
        _Section(level, heading, "\n".join(lines[end:until]), "\n".join(lines[begin:until]))
        for (begin, end, level, heading), until in zip(starts, nexts, strict=True)
    ]


@cache
def _parser() -> MarkdownIt:
    """CommonMark's blocks alone: nothing inside a paragraph matters here."""
    parser = MarkdownIt("commonmark")
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser
