"""What was worked out from a submission's outputs before: measurements and drawn figures.

Neither depends on thresholds or points, so that a changed rubric is applied to a whole cohort in
seconds. Everything is filed under a digest of what it was worked out from, and made again when that
changes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeAlias

from harness.environment import code_digest
from harness.figures import (
    Figure,
    Gallery,
    Legend,
    Line,
    Nearest,
    Note,
    Picture,
    Plot,
    Region,
    Row,
    Series,
    Table,
    View,
    Views,
)

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
            figures = [[*place, _plain(drawn)] for place, drawn in self.figures.items()]
        return json.dumps({"of": self.of, "values": self.values, "figures": figures}).encode()

    @classmethod
    def from_bytes(cls, data: bytes, of: str | None = None) -> Remembered:
        """Read what `to_bytes` made; nothing is remembered where it is of something else.

        Without `of`, whatever is there is taken as it is.
        """
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            stored = json.loads(data)
            if of in (None, stored["of"]):
                figures = stored["figures"]
                if figures is not None:
                    figures = {(name, group): _made(drawn) for name, group, drawn in figures}
                return cls(stored["of"], dict(stored["values"]), figures)
        return cls(of or "")


def digest(outputs: Mapping[str, str], golden: str, language: str) -> str:
    """Of what measurements and figures are made from: outputs, golden outputs, language, and us."""
    version = [code_digest()]
    text = json.dumps([version, dict(outputs), golden, language], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


_KINDS: Mapping[str, Callable[..., Any]] = {
    kind.__name__: kind
    for kind in (
        *(Figure, Row, Gallery, Views, Plot, Nearest, Legend, Table, Note),
        *(Picture, View, Line, Series, Region),
    )
}


def _plain(value: Any) -> Any:
    """What figures are made of, as JSON can hold it: [kind, its fields] for each part."""
    if is_dataclass(value) and not isinstance(value, type):
        return {type(value).__name__: [_plain(getattr(value, f.name)) for f in fields(value)]}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return {"bytes": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


_LEAVES = frozenset((str, int, float, bool, type(None)))


def _made(value: Any) -> Any:
    """The reverse of `_plain`."""
    if isinstance(value, list):
        return tuple([item if type(item) in _LEAVES else _made(item) for item in value])
    if not isinstance(value, dict):
        return value
    [(kind, content)] = value.items()
    return base64.b64decode(content) if kind == "bytes" else _KINDS[kind](*_made(content))
