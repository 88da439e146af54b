"""Grading on a Dask cluster: the same tasks and answers, through `Client.get_executor()`.

Workers need nothing but the installed package. The lab, its models and golden outputs travel once
to each worker, packed, when it joins; a submission's files and stored outputs travel with its task.
The walls hold there, too: a worker that cannot put up the inner one refuses.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import tarfile
import tempfile
from concurrent.futures import Executor, Future
from itertools import islice
from pathlib import Path
from typing import Any

from distributed import Client, KilledWorker, WorkerPlugin

from harness.archives import is_archive, most_packed
from harness.engine import (
    Answer,
    Task,
    Work,
    close_graders,
    faults_told,
    graded_task,
    grader_of,
    handed_in_of,
)
from harness.errors import UsageError
from harness.execution.folders import Folder
from harness.gradebook import Gradebook
from harness.lab import Lab
from harness.marks import stored_marks
from harness.submission import MAX_BYTES, MAX_FILES, Submission, files_of

CONNECT_SECONDS = 30


class ClusterEngine:
    """A Dask cluster as a place to grade; see `harness.engine.Engine`.

    Args:
        address: of the scheduler, `tcp://host:8786` or, with certificates as Dask's configuration
            names them, `tls://host:8786`.
        lab: what is graded.
        unsandboxed: run student code without walls.

    Raises:
        UsageError: nobody answers there, or the lab cannot travel.
    """

    def __init__(self, address: str, lab: Lab, *, unsandboxed: bool) -> None:
        self._packed = pack_lab(lab)
        self._digest = hashlib.sha256(self._packed).hexdigest()
        self._unsandboxed = unsandboxed
        try:
            self._client = Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise UsageError(f"no Dask scheduler answers at {address}: {error}") from None
        self._client.register_plugin(LabPlugin(self._digest, self._packed))
        self.jobs = max(1, sum(self._client.nthreads().values()))

    def executor(self) -> Executor:
        """See `Engine`."""
        made: Executor = self._client.get_executor(pure=False)
        return made

    def task(self, submission: Submission, book: Gradebook) -> Task:
        """See `Engine`."""
        stored = book.outputs_file(submission.name)
        return Task(
            submission.name,
            packed=pack_submission(submission),
            outputs=stored.read_bytes() if stored.is_file() else b"",
            remembered=book.remembered(submission.name),
            marks=stored_marks(book, submission.name),
            handed_in=handed_in_of(submission),
        )

    def run(self, executor: Executor, task: Task) -> Future[Answer]:
        """See `Engine`."""
        return executor.submit(do_packed, self._digest, self._unsandboxed, task)

    def lost(self, error: Exception) -> bool:
        """See `Engine`: Dask has tried several workers by itself."""
        return isinstance(error, KilledWorker)

    def stop(self, executor: Executor) -> None:
        """See `Engine`."""
        executor.shutdown(wait=False)

    def close(self) -> None:
        """Leave the cluster; the workers forget the lab."""
        self._client.unregister_worker_plugin(LabPlugin.name_of(self._digest))
        self._client.close()


class LabPlugin(WorkerPlugin):  # type: ignore[misc]
    """Brings the lab to a worker: Dask sends it once to each, also to those that join later.

    Args:
        digest: SHA-256 of the packed lab.
        packed: of `pack_lab`.
    """

    idempotent = True

    def __init__(self, digest: str, packed: bytes) -> None:
        self.name = self.name_of(digest)
        self._digest = digest
        self._packed = packed

    @staticmethod
    def name_of(digest: str) -> str:
        """The plugin's name on the workers."""
        return f"xai-grading-harness-{digest[:16]}"

    def setup(self, worker: Any) -> None:
        """Unpack the lab on the worker's disk, for nobody else's eyes."""
        if self._digest not in _folders:
            folder = Folder(Path(tempfile.gettempdir()))
            unpack_lab(self._packed, folder.path / "lab")
            _folders[self._digest] = folder

    def teardown(self, worker: Any) -> None:
        """Remove it, when the worker or the run ends."""
        close_graders()
        if folder := _folders.pop(self._digest, None):
            folder.close()


# Where this worker process keeps labs, by their digest.
_folders: dict[str, Folder] = {}


def do_packed(digest: str, unsandboxed: bool, task: Task) -> Answer:
    """On a worker: grade a submission that came with its task."""
    own = _folders[digest].path
    grader = grader_of(Work(str(own / "lab" / "lab.yaml"), unsandboxed))
    folder = Path(tempfile.mkdtemp(prefix="handed-in-", dir=own))
    try:
        with faults_told():
            _unpack(task.packed, folder)
            return graded_task(grader, next(folder.iterdir(), folder / "s"), task)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pack_lab(lab: Lab) -> bytes:
    """The lab file and all beside it that it names, as a tar file.

    Raises:
        UsageError: it names something outside its folder.
    """
    folder = lab.folder.resolve()
    named = [file for spec in lab.models.values() if (file := spec.source())]
    named += [image.file for image in lab.images.values()] + list(lab.datasets.values())
    named += [path for path in (lab.golden, lab.calibration) if path is not None]
    outside = [path for path in named if not path.resolve().is_relative_to(folder)]
    if outside or lab.public_lab is not None:
        what = outside[0] if outside else "its public_lab"
        raise UsageError(f"{lab.source.path}: a lab that travels keeps all beside it; not {what}")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            # Without owner and time: the same lab is the same bytes.
            name = path.relative_to(folder).as_posix()
            name = "lab.yaml" if path == lab.source.path.resolve() else name
            _add(packed, name, path.read_bytes())
    return stream.getvalue()


def unpack_lab(packed: bytes, folder: Path) -> None:
    """What `pack_lab` packed."""
    folder.mkdir(parents=True, exist_ok=True)
    _unpack(packed, folder)


def pack_submission(submission: Submission) -> bytes:
    """A submission's files below one name, as a tar file.

    Of one that is too large to be run, no more than shows that.
    """
    stream = io.BytesIO()
    single = submission.path.is_file()
    left = MAX_BYTES
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, path in islice(files_of(submission.path), MAX_FILES + 1):
            with path.open("rb") as file:
                whole = is_archive(path) and single
                content = file.read(most_packed(MAX_BYTES) + 1 if whole else left + 1)
            _add(packed, name if single else f"s/{name}", content)
            left -= len(content)
            if left < 0:
                break
    return stream.getvalue()


def _add(packed: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    packed.addfile(info, io.BytesIO(data))


def _unpack(packed: bytes, folder: Path) -> None:
    """Our own tar file: plain files with relative names."""
    with tarfile.open(fileobj=io.BytesIO(packed)) as stream:
        for member in stream:
            content = stream.extractfile(member)
            target = folder / member.name
            target.parent.mkdir(parents=True, exist_ok=True)
            assert content is not None
            target.write_bytes(content.read())
