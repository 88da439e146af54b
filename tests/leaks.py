"""Looks for numbers, bytes, pictures and words on a page, in every form that it can give them."""

from __future__ import annotations

import base64
import io
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import unquote

import numpy as np
from PIL import Image

_ADDRESS = r"data:[\w/+.-]*;base64,([\w+/=]+)"
_SIDE = 16  # pixels of what pictures are compared by


class Content:
    """What a page holds.

    Attributes:
        html: all of it.
        files: what its data URIs hold.
        pictures: (h, w, 4) uint8, red, green, blue and opacity.
        looks: (pictures, 5, pixels), of red, green, blue, opacity and grey: what stays the same
            whatever the size, the brightness and the format.
        numbers: as they are printed, without sign, of texts and attributes.
        words: of two letters and more, of texts and attributes.
        drawn: paths and points of its drawings.
    """

    def __init__(self, html: str) -> None:
        self.html = html
        self.files = [base64.b64decode(data) for data in re.findall(_ADDRESS, html)]
        self.pictures = [_pixels(data) for data in self.files]
        looks = [_looks(picture) for picture in self.pictures]
        self.looks = np.array(looks).reshape(len(looks), 5, _SIDE * _SIDE)
        bare = re.sub(f'{_ADDRESS}|(?s:<(style|script)>.*?</\\2>)| style="[^"]*"', "", html)
        self.drawn = set(re.findall(r' (?:d|points)="([^"]{12,})"', bare))
        texts = unescape(re.sub(r"</?[a-z][\w-]*|[\w:-]+=(?=\")", " ", bare))
        self.numbers = set(re.findall(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?", texts))
        self.words = set(re.findall(r"[^\W\d_]{2,}", texts))


def _pixels(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGBA"))


def arrays_in(value: Any) -> Iterator[np.ndarray]:
    """All arrays of numbers within what a case returns."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from arrays_in(item)
    else:  # top predictions
        yield np.array([chance for _, chance in value])


def forms_of(array: np.ndarray) -> set[str]:
    """Some values of an array, and what sums it up, as a page may print them."""
    flat = np.asarray(array, "float64").ravel()
    sums = (flat.min(), flat.max(), flat.mean(), flat.std(), np.median(flat))
    return {form for value in (*sums, *flat[:40], *flat[-40:]) for form in _forms(abs(value))}


def _forms(size: float) -> Iterator[str]:
    for form in (".3g", ".4g", ".6g", ".1f", ".2f", ".3f", ".4f"):
        for printed in (f"{size:{form}}", f"{100 * size:{form}}"):
            if len(re.sub(r"e.*|\D", "", printed).strip("0")) >= 3:
                yield printed


def holds_bytes(content: Content, array: np.ndarray) -> bool:
    """Whether a page has bytes of an array: as text, in a file, or in the pixels of a picture."""
    stored = (*content.files, *(picture[..., :3].tobytes() for picture in content.pictures))
    return any(
        any(text in content.html for text in _encoded(run)) or any(run in data for data in stored)
        for run in _runs(array)
    )


def _runs(array: np.ndarray) -> Iterator[bytes]:
    """Runs of 24 bytes of an array as it could be stored, from several places."""
    for kind in dict.fromkeys((array.dtype.str, "<f8", "<f4", "<f2", "|u1")):
        with np.errstate(all="ignore"):
            data = array.astype(kind).tobytes()
        for start in range(0, max(1, len(data) - 24), max(1, len(data) // 5)):
            run = data[start : start + 24]
            if len(set(run)) >= 8:  # zeros are everywhere
                yield run


def _encoded(run: bytes) -> Iterator[str]:
    """Bytes as text: hexadecimal, and base64 at whichever of three places they begin."""
    yield run.hex()
    for skipped in range(3):
        whole = run[skipped : skipped + (len(run) - skipped) // 3 * 3]
        yield base64.b64encode(whole).decode()
        yield base64.urlsafe_b64encode(whole).decode()


def resembles(content: Content, array: np.ndarray, least: float = 0.9) -> bool:
    """Whether a picture looks like a map or an image within an array, or like its negative."""
    resized = (Image.Resampling.BOX, Image.Resampling.BILINEAR)
    wanted = [_look(plane, how) for plane in _planes(array) for how in resized]
    shown = content.looks.reshape(-1, _SIDE * _SIDE)
    return bool(wanted) and bool((np.abs(shown @ np.array(wanted).T) >= least).any())


def _planes(array: np.ndarray) -> Sequence[np.ndarray]:
    """Maps (h, w): of images and activations by channel, of statistics by class."""
    if array.ndim < 3:
        return [array] if array.ndim == 2 else []
    if array.ndim == 4:
        return [plane for one in array for plane in _planes(one)]
    by_class = array.shape[0] < array.shape[1]  # (classes, h, w), else (h, w, c)
    return list(array if by_class else np.moveaxis(array, -1, 0))


def _looks(picture: np.ndarray) -> list[np.ndarray]:
    planes = [picture[..., channel] for channel in range(4)]
    return [_look(plane) for plane in (*planes, picture[..., :3].mean(axis=-1))]


def _look(plane: np.ndarray, how: Image.Resampling = Image.Resampling.BOX) -> np.ndarray:
    """A plane (h, w) at one size, of mean 0 and norm 1: the same whatever its scale."""
    picture = Image.fromarray(np.asarray(plane, "float32"))
    small = np.asarray(picture.resize((_SIDE, _SIDE), how), "float64").ravel()
    small = small - small.mean()
    return small / max(float(np.linalg.norm(small)), 1e-9)


def revealed(shown: Content, without: Content) -> np.ndarray:
    """The looks (n, 5, pixels) of pictures of a page that another one does not have."""
    return shown.looks[~_alike(shown.looks, without.looks).any(axis=1)]


def has_picture(content: Content, looks: np.ndarray) -> bool:
    """Whether a page has one of these pictures, at whatever size and in whatever format."""
    return bool(_alike(looks, content.looks).any())


def _alike(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which (n, 5, pixels) show the same as which (m, 5, pixels): (n, m) bool."""
    far = np.linalg.norm(some[:, None] - others[None], axis=-1)
    return (far < 0.2).all(axis=-1)


_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{24,}")
_HEX = re.compile(rb"(?:[0-9a-fA-F]{2}[\s:,]?){16,}")
_DECIMALS = re.compile(rb"\d{1,3}(?:[^\w<>&\"'.-]{1,3}\d{1,3}){15,}")
_DEEPEST = 5


def unpacked(data: bytes) -> set[bytes]:
    """All that some bytes hold: what is packed, compressed, encoded, escaped, reversed or drawn.

    Encodings may lie within one another, up to five of them. Of a picture, its pixels are given,
    and its channels one by one.
    """
    found: set[bytes] = set()
    layer = {data}
    for _ in range(_DEEPEST):
        found |= layer
        layer = {inner for outer in layer for inner in _within(outer)} - found
    return found | layer


@lru_cache(maxsize=4096)
def _within(data: bytes) -> frozenset[bytes]:
    return frozenset(_pieces(data))


def _pieces(data: bytes) -> Iterator[bytes]:
    yield from _files_within(data)
    for run in _BASE64.findall(data):
        plain = run.translate(bytes.maketrans(b"-_", b"+/"))
        for start in range(4):  # whatever stands before it may be of the same letters
            part = plain[start:]
            yield base64.b64decode(part[: len(part) // 4 * 4] + _padded(part[len(part) // 4 * 4 :]))
    for run in _HEX.findall(data):
        digits = re.sub(rb"[\s:,]", b"", run)
        for start in range(2):
            part = digits[start:]
            yield bytes.fromhex(part[: len(part) // 2 * 2].decode())
    for run in _DECIMALS.findall(data):
        yield bytes(int(number) % 256 for number in re.findall(rb"\d+", run))
    text = data.decode("utf-8", "ignore")
    yield from (one.encode("utf-8", "ignore") for one in _unescaped(text) if one != text)


def _padded(rest: bytes) -> bytes:
    return b"" if len(rest) < 2 else rest + b"=" * (4 - len(rest))


def _unescaped(text: str) -> Iterator[str]:
    yield unescape(text)
    if "%" in text:
        yield unquote(text)
    if "\\" in text:
        yield re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        yield re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)


def _files_within(data: bytes) -> Iterator[bytes]:
    """Members of an archive, what a compressed stream holds, pixels of a picture."""
    with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
        yield from map(archive.read, archive.namelist())
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):  # zlib or gzip; neither's header
        with suppress(zlib.error):
            yield zlib.decompressobj(window).decompress(data, 2**26)
    with suppress(OSError, SyntaxError, ValueError), Image.open(io.BytesIO(data)) as picture:
        pixels = np.asarray(picture.convert("RGBA"))[..., :3]
        yield pixels.tobytes()
        yield from (pixels[..., channel].tobytes() for channel in range(3))


def tokens_of(array: np.ndarray) -> set[bytes]:
    """Runs of bytes by which an array is known: forwards, backwards, negative, by channel, grey."""
    turned = [array, array[::-1], np.swapaxes(array, 0, 1)] if array.ndim > 1 else [array]
    if array.dtype == np.uint8:
        turned += [255 - array, array.astype("float64") / 255]
        if array.ndim == 3:
            turned += [*np.moveaxis(array, -1, 0), array.mean(axis=-1).astype("uint8")]
    found = {run for one in turned for run in _runs(one)}
    return found | {run[::-1] for run in found}


def texts_of(word: str) -> set[bytes]:
    """A word in bytes: as it is, in capitals or without, backwards, and with two bytes a letter."""
    forms = {word, word.upper(), word.lower(), word[::-1]}
    return {form.encode(code) for form in forms for code in ("utf-8", "utf-16-le", "utf-16-be")}


def holding(data: bytes, sought: Mapping[str, Iterable[bytes]]) -> list[str]:
    """The names of what is in some bytes, in whatever encoding.

    Args:
        data: of an outlet.
        sought: by name, runs of bytes of which any one gives it away.
    """
    layers = b"\0".join(unpacked(data)) + bytes(16)
    shifted = [np.frombuffer(layers, "<u8", (len(layers) - at) // 8, at) for at in range(8)]
    there = np.unique(np.concatenate(shifted))

    def holds(runs: Iterable[bytes]) -> bool:
        runs = list(runs)
        heads = np.array([int.from_bytes(run[:8], "little") for run in runs], "<u8")
        likely = there[np.searchsorted(there, heads).clip(max=len(there) - 1)] == heads
        return any(
            run in layers for run, first in zip(runs, likely, strict=True) if first or len(run) < 8
        )

    return [name for name, runs in sought.items() if holds(runs)]
