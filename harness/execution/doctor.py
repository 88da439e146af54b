"""Does the sandbox hold on this host? Probes are run in a child, and what they got is told."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from harness.calls import Call, Contract
from harness.errors import MachineError, UsageError, WireError
from harness.execution import sandbox
from harness.execution.asking import ask
from harness.execution.sandbox import Sandbox
from harness.execution.session import DiedError, LimitError, Session, TimedOutError
from harness.outputs import CaseStatus

CONTRACT: Contract = {"probe": ("secret",), "computes": ()}
SECONDS = 60.0


@dataclass(frozen=True)
class Finding:
    """One line of `harness doctor`.

    Attributes:
        name: what was looked at.
        holds: whether it is as it should be.
        found: what was found.
        fix: what to do about it; empty where nothing needs to be done.
        needed: whether grading is refused without it.
    """

    name: str
    holds: bool
    found: str
    fix: str = ""
    needed: bool = True


def probe(
    start: Callable[[Path], AbstractContextManager[Session]], folder: Path
) -> Mapping[str, str]:
    """What the probes got, empty where they were held.

    Args:
        start: starts a confined child for the probes in a new folder of its own.
        folder: a folder of the harness that no child may look into.

    Raises:
        MachineError: the child failed, or computes wrongly in there.
    """
    text = secrets.token_hex(16)
    secret = folder / "secret.txt"
    secret.write_text(text)
    try:
        with start(Path(__file__).with_name("probes.py")) as session:
            session.ask({"ask": "load"}, [], SECONDS)
            computed = ask(session, Call("computes", "computes", "", {}), SECONDS)
            call = Call("probe", "probe", "", {"secret": str(secret)})
            found = ask(session, call, SECONDS)
        untouched = [path.name for path in folder.iterdir()] == [secret.name]
        unchanged = untouched and secret.read_text() == text
    except (DiedError, TimedOutError, LimitError, WireError, OSError) as error:
        raise MachineError(f"the probes failed: {type(error).__name__} {error}") from error
    finally:
        shutil.rmtree(folder)
    if computed.value != 6.0:
        said = computed.message or repr(computed.value)
        raise MachineError(f"TensorFlow does not compute within the sandbox: {said}")
    if found.status is not CaseStatus.RETURNED or not isinstance(found.value, dict):
        raise MachineError(f"the probes failed: {found.message}")
    got = {str(name): str(value) for name, value in found.value.items()}
    return got if unchanged else {**got, "leave no trace": "a file of the harness has changed"}


def check(got: Mapping[str, str]) -> None:
    """See that every probe was held.

    Raises:
        UsageError: one was not; nobody's work may be graded here.
    """
    if open_doors := [f"{name} ({what})" for name, what in got.items() if what]:
        raise UsageError(
            f"the sandbox does not hold: student code could {'; '.join(open_doors)}; run `harness "
            "doctor`, or, if you trust every submission, give --unsandboxed"
        )


def findings(walls: Sandbox, got: Mapping[str, str]) -> list[Finding]:
    """What there is to say of a host whose inner wall stands.

    Args:
        walls: as they were chosen.
        got: of `probe`.
    """
    return [
        Finding("inner wall", True, str(Sandbox(inner=True))),
        _bubblewrap(walls),
        _user(walls),
        *(Finding(f"cannot {name}", not what, what or "held") for name, what in got.items()),
    ]


def no_inner_wall(problem: str) -> list[Finding]:
    """What there is to say of a host without an inner wall."""
    fix = "grade on Linux 5.13 or later with Landlock enabled, or give --unsandboxed"
    return [Finding("inner wall", False, problem, fix)]


def _bubblewrap(walls: Sandbox) -> Finding:
    if walls.bubblewrap:
        return Finding("outer wall", True, f"bubblewrap ({walls.bubblewrap})", needed=False)
    if shutil.which("bwrap") is None:
        found, fix = "bubblewrap is not installed", "apt install bubblewrap (or your system's way)"
    else:
        found = "bubblewrap is installed, and may not be used here"
        fix = (
            "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1; on Ubuntu 24.04 "
            "sysctl kernel.apparmor_restrict_unprivileged_userns=0; in Docker --security-opt "
            "seccomp=unconfined"
        )
    return Finding("outer wall", False, found, fix, needed=False)


def _user(walls: Sandbox) -> Finding:
    if walls.user is not None:
        return Finding("user", True, f"student code runs as user {walls.user}, who owns nothing")
    if not sandbox.is_root():
        return Finding("user", True, "student code runs as you, confined")
    return Finding(
        "user",
        False,
        "student code runs as root, without any of root's powers; threads are not limited",
        "install Python where other users can read it, or grade as an ordinary user",
        needed=False,
    )
