"""Submissions that are more alike than chance has it: near-identical code, identical outputs.

Code is compared by winnowed fingerprints (Schleimer, Wilkerson and Aiken 2003) of its tokens, as
`copydetect` makes them: names, comments and layout do not count. Nothing here is an accusation;
what is found is worth a look.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.opened import Opened

# Of copydetect: tokens that an overlap must have to count, and to be found for certain.
_NOISE, _GUARANTEE = 25, 30
_MOST_CODE = 100_000  # characters; what is longer is compared by its beginning
_MOST_BLANK = 10  # lines
# Fingerprints that this share of a cohort has are the handout's, or what everybody writes. More
# than this many are never paired one by one, which keeps the work in proportion to the cohort.
_COMMON_SHARE, _COMMON = 0.25, 30
# Submissions up to which each is compared with every other by all fingerprints.
_EXACT = 1000
_FEWEST = 20  # fingerprints of one's own, below which nothing can be said
_ALIKE = 0.8  # of the shorter one's own fingerprints


@dataclass(frozen=True)
class Likeness:
    """What is compared of a submission.

    Attributes:
        code: fingerprints, sorted: (n,) uint32.
        outputs: digests of outputs that no two students have by chance, by case.
        golden: those of these cases whose output is a golden one that students have at home.
    """

    code: npt.NDArray[np.uint32]
    outputs: Mapping[str, str]
    golden: Sequence[str] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain data, as `grade.json` has it."""
        code = base64.b64encode(self.code.tobytes()).decode()
        return {"code": code, "outputs": self.outputs, "golden": list(self.golden)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Likeness:
        """Read what `to_json` made."""
        code = np.frombuffer(base64.b64decode(data["code"]), "uint32")
        return cls(code, data["outputs"], tuple(data.get("golden", ())))


@dataclass(frozen=True)
class Alike:
    """Submissions that are worth a look together.

    Attributes:
        names: of the submissions.
        code: share of code in common, 0 to 1; None where it is not what was noticed.
        outputs: how many outputs are identical to the last bit.
    """

    names: tuple[str, ...]
    code: float | None
    outputs: int


def fingerprints(opened: Opened) -> npt.NDArray[np.uint32]:
    """Fingerprints of a submission's code: sorted uint32, none where there is no code to read."""
    from copydetect.utils import filter_code, winnow

    code = _code_of(opened)
    tokens, _ = filter_code(_dense(code), "submission.py")
    grams = [zlib.crc32(tokens[i : i + _NOISE].encode()) for i in range(len(tokens) - _NOISE + 1)]
    if not grams:
        return np.zeros(0, "uint32")
    chosen, _ = winnow(np.array(grams, "int64"), _GUARANTEE - _NOISE + 1)
    return np.unique(chosen).astype("uint32")


def _dense(code: str) -> str:
    """Code without long runs of blank lines, over which Pygments takes the square of the time."""
    lines: list[str] = []
    blank = 0
    for line in code.splitlines():
        bare = line.rstrip()
        blank = 0 if bare else blank + 1
        if blank <= _MOST_BLANK:
            lines.append(bare)
    return "\n".join(lines)


def _code_of(opened: Opened) -> str:
    """All the code that would be run, as text; read as data and never run."""
    texts = []
    left = _MOST_CODE
    for file in opened.source.files:
        with (opened.folder / file).open(encoding="utf-8", errors="replace") as stream:
            texts.append(stream.read(max(0, left)))
        left -= len(texts[-1]) + 1
    return "\n".join(texts)[:_MOST_CODE]


def digest_of(value: Any) -> str:
    """A digest of an output's every bit; empty for what two students may well both return.

    Only arrays that are not constant have one.
    """
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu" or value.size < 2:
        return ""
    if (value == value.flat[0]).all():
        return ""
    whole = f"{value.dtype} {value.shape}".encode() + np.ascontiguousarray(value).tobytes()
    return hashlib.sha256(whole).hexdigest()[:16]


def is_among(value: Any, accepted: Iterable[Any]) -> bool:
    """Whether an output is one of others to the last bit, and none that two people may both make.

    Args:
        value: the output, as the output rules leave it.
        accepted: the others, likewise.
    """
    digest = digest_of(value)
    return bool(digest) and digest in map(digest_of, accepted)


def find_alike(cohort: Mapping[str, Likeness]) -> list[Alike]:
    """Submissions whose code is near-identical or whose outputs are identical, most alike first.

    The work grows with the cohort, not with its square.
    """
    outputs = _identical_outputs(cohort)
    found: dict[tuple[str, ...], Alike] = {}
    for names, share in _near_identical_code(cohort):
        found[names] = Alike(names, share, _shared_outputs(cohort, names))
    for names, count in outputs.items():
        inside = any(set(names) <= set(other) for other in found)
        if not inside:
            found[names] = Alike(names, None, count)
    return sorted(found.values(), key=lambda one: (-(one.code or 0.0), -one.outputs, one.names))


def _identical_outputs(cohort: Mapping[str, Likeness]) -> dict[tuple[str, ...], int]:
    """Groups of submissions by how many outputs they have in common, to the last bit."""
    owners: dict[tuple[str, str], list[str]] = {}
    for name, one in cohort.items():
        for case, digest in one.outputs.items():
            owners.setdefault((case, digest), []).append(name)
    return dict(Counter(tuple(names) for names in owners.values() if len(names) > 1))


def _shared_outputs(cohort: Mapping[str, Likeness], names: Sequence[str]) -> int:
    shared = set(cohort[names[0]].outputs.items())
    for name in names[1:]:
        shared &= set(cohort[name].outputs.items())
    return len(shared)


def _near_identical_code(
    cohort: Mapping[str, Likeness],
) -> Iterable[tuple[tuple[str, ...], float]]:
    """Groups of the same fingerprints first; then pairs that share most of their own."""
    same: dict[bytes, list[str]] = {}
    for name, one in cohort.items():
        if len(one.code) >= _FEWEST:
            same.setdefault(one.code.tobytes(), []).append(name)
    for names in same.values():
        if len(names) > 1:
            yield tuple(names), 1.0
    # One of each group stands for the others from here on.
    yield from _pairs({names[0]: cohort[names[0]].code for names in same.values()})


def _pairs(
    codes: Mapping[str, npt.NDArray[np.uint32]],
) -> Iterable[tuple[tuple[str, ...], float]]:
    """Pairs that share most of the fingerprints that few others have."""
    if len(codes) < 2:
        return
    names = list(codes)
    own = _own(list(codes.values()))
    # Of a large cohort, one fingerprint in so many is enough to know whom to compare.
    step = 1 + len(names) // _EXACT
    for one, other, count in _meetings([code[code % step == 0] for code in own]):
        shorter = min(len(own[one]), len(own[other]))
        if shorter >= _FEWEST and count * step >= _ALIKE / 2 * shorter:
            share = len(np.intersect1d(own[one], own[other], assume_unique=True)) / shorter
            if share >= _ALIKE:
                yield (names[one], names[other]), share


def _own(codes: Sequence[npt.NDArray[np.uint32]]) -> list[npt.NDArray[np.uint32]]:
    """Of each one's fingerprints those that few others have."""
    known, counts = np.unique(np.concatenate(codes), return_counts=True)
    rare = counts <= max(3, min(_COMMON, int(_COMMON_SHARE * len(codes))))
    return [code[rare[np.searchsorted(known, code)]] for code in codes]


def _meetings(
    chosen: Sequence[npt.NDArray[np.uint32]],
) -> Iterator[tuple[int, int, int]]:
    """Two owners, and how many fingerprints they have in common, for those that have any."""
    every = np.concatenate(chosen)
    owners = np.repeat(np.arange(len(chosen)), [len(code) for code in chosen])
    order = np.argsort(every, kind="stable")
    every, owners = every[order], owners[order]
    # Equal ones stand together now, by owner: each meets its next neighbour, the one after, ….
    pairs = [np.zeros(0, owners.dtype)]
    for distance in range(1, len(every)):
        together = every[distance:] == every[:-distance]
        if not together.any():
            break
        pairs.append(owners[:-distance][together] * len(chosen) + owners[distance:][together])
    for pair, count in zip(*np.unique(np.concatenate(pairs), return_counts=True), strict=True):
        yield *divmod(int(pair), len(chosen)), int(count)
