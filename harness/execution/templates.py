"""Warm templates as the harness sees them: asked to fork, they give a child in milliseconds.

Each forks one submission at a time, so that what one takes (threads, for one) is never missing to
another; as many templates are started as submissions run at once.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from harness.errors import MachineError
from harness.execution.forking import Template, ThreadsError
from harness.execution.processes import KILL_SECONDS, ColdStarter, Process
from harness.execution.sandbox import Sandbox


class Templates:
    """A `Starter` with as many templates as there are children at once.

    Where a template comes up with more than one thread, forking it is not safe, and children start
    cold. Several threads may ask.

    Args:
        environment: of the templates and so of every child.
        folder: for the templates' own folders and logs.
        sandbox: which walls stand around a child.
        readable: folders of the lab that some child may read.
        homes: the folder that the children's homes are made in.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        folder: Path,
        sandbox: Sandbox,
        readable: Sequence[Path],
        homes: Path,
    ) -> None:
        self._environment = environment
        self._folder = folder
        self._sandbox = sandbox
        self._readable = readable
        self._homes = homes
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._users = itertools.count()
        self._templates: list[Template] = []
        self._cold: ColdStarter | None = None
        self._closed = False
        self._warming: threading.Thread | None = None
        folder.mkdir()

    def warm(self) -> None:
        """Start a template now, and do not wait for it; what goes wrong is met again by `start`."""

        def take() -> None:
            with suppress(MachineError, OSError):
                self._take(trusted=True)

        self._warming = threading.Thread(target=take, daemon=True)
        self._warming.start()

    def start(self, home: Path, *, reads: Sequence[Path] = (), trusted: bool = False) -> Process:
        """See `Starter`; a template found dead is replaced, as nobody's code has run yet."""
        while self._cold is None:
            try:
                template = self._take(trusted)
            except ThreadsError:
                self._cold = ColdStarter(self._environment, confined=self._sandbox.inner)
                break
            try:
                return template.fork(home, reads, trusted=trusted)
            except MachineError:
                template.close()
                if template.forks == 0:  # a new one is no better
                    raise
        return self._cold.start(home, reads=reads, trusted=trusted)

    def close(self) -> None:
        """End all templates."""
        with self._lock:
            self._closed = True
            templates, self._templates = self._templates, []
        for template in templates:
            template.close()
        if self._warming is not None:
            self._warming.join(timeout=KILL_SECONDS)

    def _take(self, trusted: bool) -> Template:
        """A template that is free, or a new one; those that have died or served long go."""
        with self._lock:
            if self._closed:
                raise MachineError("the templates are closed")
            gone = [t for t in self._templates if t.ended.is_set() or t.retired]
            self._templates = [t for t in self._templates if t not in gone]
            found = next((t for t in self._templates if t.reserve(trusted)), None)
            if found is None:
                sandbox = self._sandbox.for_template(next(self._users))
                found = Template(self._environment, sandbox, self._readable, self._homes)
                found.reserve(trusted)
                self._templates.append(found)
        for template in gone:
            template.close()
        try:
            found.boot(self._folder / f"template-{next(self._numbers)}")
        except MachineError:
            with self._lock:
                self._templates = [t for t in self._templates if t is not found]
            raise
        return found
