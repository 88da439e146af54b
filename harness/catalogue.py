"""The catalogue: accepted variants and known mistakes, two folders beside the reference.

`variants/` has other correct ways, `mistakes/` known wrong ones. Each file is a submission, run
through the very same code, whose docstring says what it is::

    One sentence that people read.

    Technique: class_activation_maps
    Golden: yes                                    (variants whose outputs are golden ones too)
    Kind: input                                    (mistakes: input, presentation or method)
    Hint: what a student can do about it.          (mistakes only)

Adding one is adding a file.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import techniques
from harness.errors import LabError, suggest
from harness.lab import Lab
from harness.submission import Submission

VARIANTS, MISTAKES = "variants", "mistakes"
KINDS = ("method", "input", "presentation")


@dataclass(frozen=True)
class Entry:
    """One file of the catalogue.

    Attributes:
        path: the file.
        is_mistake: a mistake, else a variant.
        technique: the technique that it does in another way, or wrong.
        title: what it does, for people.
        hint: what a student can do about it; empty for a variant.
        golden: whether its outputs are kept among the golden outputs.
        kind: of a mistake, what is wrong: the `method`; only its `input`; or only the
            `presentation` of what is else right.
    """

    path: Path
    is_mistake: bool
    technique: str
    title: str
    hint: str = ""
    golden: bool = False
    kind: str = "method"

    @property
    def name(self) -> str:
        """The file's name without its end."""
        return self.path.stem

    def submission(self, lab: Lab) -> Submission:
        """The entry as a submission; it may import the lab's reference."""
        return Submission(self.name, self.path, (lab.reference,) if lab.reference else ())


def read_catalogue(reference: Path | None) -> list[Entry]:
    """All variants and mistakes, in the order of their names; none without a reference.

    Raises:
        LabError: a file does not say what it is.
    """
    if reference is None:
        return []
    return [
        _read(path, is_mistake=kind == MISTAKES)
        for kind in (VARIANTS, MISTAKES)
        for path in sorted((reference / kind).glob("[!_]*.py"))
    ]


def golden_variants(entries: Sequence[Entry]) -> list[Entry]:
    """The variants whose outputs are kept among the golden outputs."""
    return [entry for entry in entries if entry.golden]


def _read(path: Path, *, is_mistake: bool) -> Entry:
    tree = ast.parse(path.read_text("utf-8"))
    text = ast.get_docstring(tree) or ""
    technique = re.search(r"^Technique: (\w+)$", text, re.MULTILINE)
    hint = re.search(r"^Hint: (.+)", text, re.MULTILINE | re.DOTALL)
    golden = re.search(r"^Golden: (.*)$", text, re.MULTILINE)
    if technique is None or technique[1] not in techniques.TECHNIQUES:
        found = technique[1] if technique else "nothing"
        raise LabError(
            f"{path}: expected a line 'Technique: …' in its docstring, found {found}; "
            + suggest(found, techniques.TECHNIQUES)
        )
    if is_mistake and hint is None:
        raise LabError(f"{path}: a mistake's docstring ends with 'Hint: …', for the student")
    if golden and (is_mistake or golden[1] != "yes"):
        raise LabError(f"{path}: 'Golden: yes' is for variants, found 'Golden: {golden[1]}'")
    for node in tree.body:
        name = node.name if isinstance(node, ast.FunctionDef) else ""
        if name in techniques.CONTRACT and techniques.name_of(name) != technique[1]:
            raise LabError(
                f"{path}: defines {name}, which is of {techniques.name_of(name)}; an entry is "
                f"about one technique, this one about {technique[1]}"
            )
    kind = re.search(r"^Kind: (.*)$", text, re.MULTILINE)
    if kind and not (is_mistake and kind[1] in KINDS):
        raise LabError(
            f"{path}: 'Kind' is for mistakes, one of {', '.join(KINDS)}; found {kind[1]!r}"
        )
    title = " ".join(text.split("\n\n")[0].split())
    told = " ".join(hint[1].split()) if hint else ""
    about = kind[1] if kind else "method"
    return Entry(path, is_mistake, technique[1], title, told, golden is not None, about)
