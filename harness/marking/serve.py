"""What is marked, the server, and its end."""

from __future__ import annotations

import getpass
import secrets
import socket
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path

import uvicorn

from harness import golden
from harness.assessing import Assessor
from harness.errors import UsageError
from harness.examining import overload
from harness.examining.examiner import Examiner
from harness.execution.folders import remove
from harness.gradebook import Gradebook, write_whole
from harness.lab import Lab
from harness.marking.app import make_app
from harness.marking.desk import Desk, graded_names
from harness.marks import locked
from harness.submission import Submission

HOST = "127.0.0.1"


def mark(
    lab: Lab,
    book: Gradebook,
    say: Callable[[str], None],
    *,
    port: int = 0,
    marker: str = "",
    submissions: Sequence[Submission] = (),
) -> None:
    """Serve the marking pages until Ctrl-C.

    Args:
        lab: the lab.
        book: what was graded.
        say: prints a line.
        port: of the server; 0 for any that is free.
        marker: who marks; the login name if empty.
        submissions: read the answers again from here, and mark these only.

    Raises:
        UsageError: there is nothing to mark, or no way to serve it.
    """
    with (
        closing(
            open_desk(lab, book, say, marker=marker or login(), submissions=submissions)
        ) as desk,
        closing(listen(port)) as listening,
    ):
        port, token = listening.getsockname()[1], secrets.token_urlsafe(24)
        config = uvicorn.Config(
            make_app(desk, token=token, port=port),
            log_level="warning",
            access_log=False,  # it would show the token
            lifespan="off",
            ws="none",
            server_header=False,
            timeout_graceful_shutdown=5,
        )
        say(f"marking {len(desk.names)} submissions as {desk.marker}; Ctrl-C ends it")
        say(f"open http://{HOST}:{port}/?token={token}")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])
    if desk.board.problem:
        say(f"the board and the CSV could not be written: {desk.board.problem}")
    say(f"marks are in {book.folder}; reports, CSV and board have them")


def open_desk(
    lab: Lab,
    book: Gradebook,
    say: Callable[[str], None],
    *,
    marker: str,
    submissions: Sequence[Submission] = (),
) -> Desk:
    """A desk with all that was graded, its reports up to the marks.

    Raises:
        UsageError: the lab has no questions, or nothing was graded here.
    """
    if not lab.questions:
        raise UsageError(f"{lab.source.path} has no questions to mark; add 'questions:' to it")
    names = graded_names(book)
    if submissions:
        graded = [one for one in submissions if book.read(one.name) is not None]
        _read_again(lab, book, graded)
        if missing := len(submissions) - len(graded):
            say(f"{missing} of {len(submissions)} submissions are not graded yet, and left out")
        names = [one.name for one in graded]
    if not names:
        raise UsageError(
            f"no graded submission in {book.folder}; run first: harness grade SUBMISSIONS "
            f"--out {book.folder}"
        )
    desk = Desk(book, lab, marker, names)
    desk.refresh()
    return desk


def _read_again(lab: Lab, book: Gradebook, submissions: Sequence[Submission]) -> None:
    assessor = Assessor(lab, lab.cases, golden.load(lab))
    with tempfile.TemporaryDirectory(prefix="answers-") as temporary:
        folder = Path(temporary)
        with closing(Examiner(assessor, None, folder)) as examiner:
            for number, submission in enumerate(submissions):
                with suppress(OSError):  # what was read before stays
                    _store(book, submission, examiner, folder / str(number))


def _store(book: Gradebook, submission: Submission, examiner: Examiner, folder: Path) -> None:
    try:
        data = overload.answers(examiner, submission, folder)
    finally:
        remove(folder)
    path: Path = book.answers_file(submission.name)
    with locked(book):
        if not path.is_file() or path.read_bytes() != data:
            write_whole(path, data)


def login() -> str:
    """The name of who is logged in.

    Raises:
        UsageError: nobody knows.
    """
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise UsageError("this system does not say who you are; give --marker NAME") from None


def listen(port: int) -> socket.socket:
    """A socket of this machine alone.

    Raises:
        UsageError: the port is taken.
    """
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise UsageError(f"port {port} of {HOST} cannot be used ({error}); give another") from None
    return listening
