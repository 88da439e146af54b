"""What the red team runs: each attack says what it tries and what must come of it.

An attack is a Python file whose docstring is a header, or a folder with one in `attack.yaml`.
The lines of a header:

- `attack`: what it tries.
- `verdict`: `full` (it does honest work as well and keeps all points), `none` (it gets none), or
  `judged` (whatever it gets, it is not held back as a fault of the machine).
- `says`: what the grade must say, as a regular expression.
- `report`: `true` to render its report, too, and search it for what was injected.
- `targets`: what of ours it looks for by name, with commas between: `harness.outputs`,
  `harness.execution.child:Child.call`, `harness.execution.wire:MAGIC=XGH1` (bytes that it sends),
  `fixtures/lab.yaml`. One that is no longer there makes the attack an error, as it would prove
  nothing.
- `hidden`: `true` to grade it on a lab that has a hidden case as well.
- `told_mb`: the most memory that its report may tell, in MB.
- `submissions`: folders in it, each the hand-in of one student; all are graded, in this order.
- `hand_in`: the file in it that is handed in, an archive for one.
- `made_by`: a script of ours in it that makes what is handed in; it is given the folder to fill.
- `seconds`: the most processor time that grading it may take of ours, in s.
- `peak_mb`: the most memory that grading it may take of ours, in MB.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import LabError

HONEST = "honest.py"
HEADER = "attack.yaml"
VERDICTS = ("full", "none", "judged")
_KEYS = {
    *("attack", "verdict", "says", "report", "targets", "hidden", "told_mb", "submissions"),
    *("hand_in", "made_by", "seconds", "peak_mb"),
}


@dataclass(frozen=True)
class Attack:
    """A hostile hand-in, or several that work together; see the lines of a header.

    Attributes:
        name: of its file or folder.
        path: the file or folder.
        about: what it tries, in a line.
        verdict: what it must get.
        says: what the grade must say, as a regular expression; empty for nothing in particular.
        report: whether its report is rendered and searched for what was injected.
        targets: what of ours it looks for by name.
        hidden: whether the lab has a hidden case as well.
        told_mb: the most memory that its report may tell; None for any.
        submissions: folders in it, each a hand-in of its own; none where it is one itself.
        hand_in: the file in it that is handed in; empty where all of it is.
        made_by: the script in it that makes what is handed in; empty where that is there.
        seconds: processor time that grading may take of ours; None for any.
        peak_mb: memory that grading may take of ours; None for any.
    """

    name: str
    path: Path
    about: str
    verdict: str
    says: str = ""
    report: bool = False
    targets: tuple[str, ...] = ()
    hidden: bool = False
    told_mb: float | None = None
    submissions: tuple[str, ...] = ()
    hand_in: str = ""
    made_by: str = ""
    seconds: float | None = None
    peak_mb: float | None = None

    @property
    def full(self) -> bool:
        """Whether it must keep all points."""
        return self.verdict == "full"

    @property
    def drawn(self) -> bool:
        """Whether a report is made of it: to be searched, or since that may cost too much."""
        return self.report or self.seconds is not None or self.peak_mb is not None

    @property
    def endless(self) -> bool:
        """Whether it would go on for ever if it were let."""
        return bool(re.search("timed out|did not end", self.says))


def read_attacks(folder: Path) -> list[Attack]:
    """All attacks of a folder, by name; it is two levels down in the checkout that they name.

    Raises:
        LabError: there is none, the header of one is not as it should be, or what it is aimed at is
            not there.
    """
    paths = [path for path in sorted(folder.glob("*.py")) if path.name != HONEST]
    paths += sorted(path.parent for path in folder.glob(f"*/{HEADER}"))
    if not paths or not (folder / HONEST).is_file():
        raise LabError(f"{folder}: expected attacks, each a .py file, and {HONEST}; found none")
    attacks = [_read(path) for path in sorted(paths, key=lambda path: path.stem)]
    checkout = folder.resolve().parents[1]
    for attack in attacks:
        if gone := [name for name in attack.targets if not _is_there(name, checkout)]:
            raise LabError(
                f"{attack.path}: it looks for {', '.join(gone)}, which is not there (any more): it "
                "would be held whatever the walls do; aim it at what took its place"
            )
    return attacks


def _read(path: Path) -> Attack:
    text = (path / HEADER if path.is_dir() else path).read_text("utf-8")
    if path.is_file():
        text = text.split('"""')[1] if text.startswith('"""') and text.count('"""') > 1 else ""
    lines = (line.partition(": ") for line in text.strip().splitlines())
    header = {key: value.strip() for key, _, value in lines}
    try:
        if not header.keys() <= _KEYS or header["verdict"] not in VERDICTS:
            raise KeyError
        return Attack(
            name=path.stem,
            path=path,
            about=header["attack"],
            verdict=header["verdict"],
            says=header.get("says", ""),
            report=header.get("report") == "true",
            targets=_names(header.get("targets", "")),
            hidden=header.get("hidden") == "true",
            told_mb=_number(header.get("told_mb", "")),
            submissions=_names(header.get("submissions", "")),
            hand_in=header.get("hand_in", ""),
            made_by=header.get("made_by", ""),
            seconds=_number(header.get("seconds", "")),
            peak_mb=_number(header.get("peak_mb", "")),
        )
    except (KeyError, ValueError):
        found = ", ".join(f"{key}: {value}" for key, value in header.items()) or "none"
        raise LabError(
            f"{path}: expected a header with attack and verdict ({', '.join(VERDICTS)}), and "
            f"perhaps {', '.join(sorted(_KEYS - {'attack', 'verdict'}))}; found {found}"
        ) from None


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _number(text: str) -> float | None:
    return float(text) if text else None


def _is_there(target: str, checkout: Path) -> bool:
    """Whether a file of the checkout, a module, or something in a module is there, and is that."""
    if "/" in target:
        return (checkout / target).exists()
    name, _, value = target.partition("=")
    module, _, inside = name.partition(":")
    try:
        found: object = importlib.import_module(module)
        for part in filter(None, inside.split(".")):
            found = getattr(found, part)
    except (ImportError, AttributeError):
        return False
    return not value or found == value.encode()
