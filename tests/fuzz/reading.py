"""What reads each kind of data that students hand in, held to its budget of time and memory.

Nothing but what is documented is raised, whatever bytes come.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from returned import returned

from harness import archives
from harness.answers import Answers, read_answers
from harness.claims import compare
from harness.courseci.places import definitions
from harness.opened import opened, prepare
from harness.preflight import look
from harness.questions import Question
from harness.reading import NotebookError, read_cells
from harness.report import of_questions
from harness.similarity import fingerprints
from harness.submission import Submission

SECONDS, MEGABYTES = 2.0, 512.0
QUESTIONS = (
    Question("use", "What is it good for?", 2, ()),
    Question("map-class", "Why is one map unlike another?", 2, ()),
)
CONTRACT = {"f": ("model", "image"), "g": ("model",)}
EXPECTED = [("ball", 0.9), ("dog", 0.05)]


def notebook(data: bytes) -> None:
    """Prepared, looked at, compared, and searched for answers and for lines of functions."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "submission.ipynb"
        path.write_bytes(data)
        with suppress(NotebookError):
            assert all(isinstance(cell, str) for cell in read_cells(path, "code"))
        with opened(Submission("a", path)) as ready:
            assert bool(ready.source.files) != bool(ready.source.problem)
            look(ready, CONTRACT)
            fingerprints(ready)
            read_answers(ready, QUESTIONS)
        definitions(path)


def script(data: bytes) -> None:
    """Looked at and compared."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder) / "submission.py"
        path.write_bytes(data)
        with opened(Submission("a", path)) as ready:
            look(ready, CONTRACT)
            fingerprints(ready)
        definitions(path)


def answers(data: bytes) -> None:
    """Cut into sections, stored, and made ready for a page."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        (Path(folder) / "answers.md").write_bytes(data)
        (Path(folder) / "submission.py").write_bytes(b"x = 1\n")
        with opened(Submission("a", Path(folder))) as ready:
            found = read_answers(ready, QUESTIONS)
        assert Answers.from_bytes(found.to_bytes()) == found
        for text in found.texts.values():
            assert text.strip()
        stored = {"points": None, "max_points": 2, "level": None, "comment": "", "stale": False}
        for question in QUESTIONS:
            entry = {**stored, "id": question.id, "title": question.title}
            part = of_questions._part(entry, None, found)
            assert len(part.answer) <= of_questions.LONGEST


def claims(data: bytes) -> None:
    """Rows found in an answer."""
    text = data.decode("utf-8", "replace")
    for claim in compare(text, EXPECTED, ["ball", "dog"]):
        assert claim.said
        of_questions.claim_lines([claim])


def archive(data: bytes) -> None:
    """Unpacked, and prepared as a submission; nothing is written outside."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        for ending in (".zip", ".tar.gz"):
            path = Path(folder) / f"a{ending}"
            path.write_bytes(data)
            target = Path(folder) / f"out{ending}"
            target.mkdir()
            with suppress(archives.ArchiveError):
                archives.unpack(path, target, max_files=50, max_bytes=2**22)
            source = prepare(Submission("a", path), Path(folder) / f"run{ending}")
            assert bool(source.files) != bool(source.problem)


READERS: dict[str, Callable[[bytes], None]] = {
    "returned": returned,
    "notebook": notebook,
    "script": script,
    "answers": answers,
    "claims": claims,
    "archive": archive,
}


def held(kind: str, data: bytes) -> tuple[float, float]:
    """Read data within the budget; processor seconds, and megabytes by which the process grew."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    READERS[kind](data)
    seconds = time.process_time() - start
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**10
    assert seconds < SECONDS, f"{kind}: {seconds:.1f} s"
    assert megabytes < MEGABYTES, f"{kind}: {megabytes:.0f} MB"
    return seconds, megabytes
