"""What was worked out from a submission's outputs before: measurements and drawn figures.

Neither depends on thresholds or points, so that a changed rubric is applied to a whole cohort in
seconds. Everything is filed under a digest of what it was worked out from, and made again when that
changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from markupsafe import Markup

import harness
from harness.figures import Figure, Note, Part, Picture, Plot, Row, Table

# Raised when the same outputs would be measured or drawn otherwise.
VERSION = 1
# By technique and by group of cases.
Figures: TypeAlias = Mapping[tuple[str, str], Sequence[Figure]]


@dataclass
class Remembered:
    """Measurements and figures of one submission.

    Attributes:
        of: digest of what they were worked out from.
        values: measurements by name, plain data; added to while judging.
        figures: drawn figures, or None where they have not been drawn yet.
    """

    of: str
    values: dict[str, Any] = field(default_factory=dict)
    figures: Figures | None = None

    def to_bytes(self) -> bytes:
        """All of it as JSON."""
        figures = None
        if self.figures is not None:
            figures = [
                [*place, [[figure.title, list(map(_to_json, figure.parts))] for figure in drawn]]
                for place, drawn in self.figures.items()
            ]
        data = {"of": self.of, "values": self.values, "figures": figures}
        return json.dumps(data).encode()

    @classmethod
    def from_bytes(cls, data: bytes, of: str | None = None) -> Remembered:
        """Read what `to_bytes` made; nothing is remembered where it is of something else.

        Without `of`, whatever is there is taken as it is.
        """
        with suppress(ValueError, KeyError, TypeError, IndexError, AttributeError):
            stored = json.loads(data)
            if of in (None, stored["of"]):
                return cls(stored["of"], dict(stored["values"]), _figures(stored["figures"]))
        return cls(of or "")


def digest(outputs: Mapping[str, str], golden: str, language: str) -> str:
    """Of what measurements and figures are made from: outputs, golden outputs, language, and us."""
    version = [VERSION, harness.__version__]
    text = json.dumps([version, dict(outputs), golden, language], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _figures(stored: Any) -> Figures | None:
    if stored is None:
        return None
    return {
        (technique, group): [
            Figure(title, tuple(_from_json(*part) for part in parts)) for title, parts in figures
        ]
        for technique, group, figures in stored
    }


def _to_json(part: Part) -> list[Any]:
    match part:
        case Row():
            pictures = [
                [base64.b64encode(p.data).decode(), p.width, p.height, p.alt, p.caption]
                for p in part.pictures
            ]
            return ["row", pictures, part.title]
        case Plot():
            return ["plot", str(part.svg), part.caption]
        case Table():
            return ["table", part.head, part.rows, part.caption, sorted(part.marked)]
        case Note():
            return ["note", part.text]


def _from_json(kind: str, *fields: Any) -> Part:
    match kind:
        case "row":
            pictures = (Picture(base64.b64decode(data), *rest) for data, *rest in fields[0])
            return Row(tuple(pictures), fields[1])
        case "plot":
            return Plot(Markup(fields[0]), fields[1])
        case "table":
            head, rows, caption, marked = fields
            return Table(tuple(head), tuple(map(tuple, rows)), caption, frozenset(marked))
        case "note":
            return Note(fields[0])
    raise ValueError(f"no part {kind!r}")
