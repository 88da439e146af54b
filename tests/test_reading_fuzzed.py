"""Whatever is handed in is read within the budget, and no exception of ours comes of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import archives as made
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent / "fuzz"))

import reading
import seeds

FIXED = settings(
    deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck)
)
BITS = [
    "# Use\n",
    "Map-class\n===\n",
    "> ",
    "- ",
    "1. ",
    "```\n",
    "<!--\n",
    "[a]: ",
    "|",
    "\n",
    "\n\n",
]
BITS += [
    "    ",
    "\t",
    "ball: 0.9\n",
    "93 %",
    "*",
    "`",
    "a ",
    "\\",
    "é",
    "\u0300\u0316",
    "\x00",
    "\r",
]
LINES = [
    "%pip a\n",
    "!ls \\\n",
    "x?\n",
    "x = 1\n",
    "def f(model):\n",
    "    pass\n",
    "'''",
    '"',
    "f'{",
]
LINES += ["(", "}", "#", "\\\n", "import b\n", "\u0300\u0316", "\ud83d", "\0", "\r", "x" * 50, "a."]


def repeated(pieces: list[str]) -> st.SearchStrategy[str]:
    """Texts of a few pieces, some of them many times."""
    run = st.tuples(st.sampled_from(pieces), st.sampled_from([1, 1, 2, 30, 2000]))
    return st.lists(run, max_size=12).map(lambda runs: "".join(piece * n for piece, n in runs))


SOURCES = repeated(LINES) | st.lists(st.sampled_from(LINES), max_size=9)
VALUES = st.none() | st.integers() | st.lists(st.integers(), max_size=2) | st.text(max_size=4)
CELLS = st.fixed_dictionaries(
    {"cell_type": st.sampled_from(["code", "markdown", "heading", "raw"]), "source": SOURCES},
    optional={"outputs": VALUES, "metadata": VALUES, "input": SOURCES | VALUES, "id": VALUES},
)
DOCUMENTS = st.fixed_dictionaries(
    {"cells": st.lists(CELLS, max_size=4), "nbformat": st.sampled_from([4, 3, 1])},
    optional={
        "nbformat_minor": st.sampled_from([0, 4, 5]),
        "metadata": VALUES,
        "worksheets": st.lists(st.fixed_dictionaries({"cells": st.lists(CELLS, max_size=3)})),
    },
)


@FIXED
@given(DOCUMENTS)
def test_any_notebook_is_prepared_and_searched(document):
    reading.held("notebook", json.dumps(document).encode())


@FIXED
@given(repeated(LINES))
def test_any_script_is_looked_at(text):
    reading.held("script", text.encode(errors="surrogatepass"))


@FIXED
@given(repeated(BITS))
@example(">" * 2000 + "a\n" + "b\n" * 98_000)
def test_any_answers_are_cut_and_shown(text):
    reading.held("answers", text.encode())


@FIXED
@given(repeated(BITS))
@example("- " * 140 + "0.9 x\n" + "- " * 149)
def test_any_claims_are_compared(text):
    reading.held("claims", text.encode())


@FIXED
@given(st.binary(min_size=4, max_size=300))
def test_any_returned_values_are_judged_and_drawn(data):
    reading.held("returned", data)


@FIXED
@given(
    st.dictionaries(
        repeated(["a", "/", "..", "\\", ".py", "é", "\u0300\u0316"]), st.binary(), max_size=5
    )
)
def test_any_archive_is_unpacked(files):
    whole = {name[:60_000] or "a.py": data for name, data in files.items()}
    reading.held("archive", made.zipped(whole))


@FIXED
@given(
    st.sampled_from([(kind, seed) for kind, all_ in seeds.of_hand_ins().items() for seed in all_]),
    st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=3)), max_size=6),
)
def test_whole_hand_ins_with_bytes_changed_are_read(hand_in, changes):
    kind, data = hand_in
    for place, new in changes:
        at = place % len(data)
        data = data[:at] + new + data[at + len(new) :]
    reading.held(kind, data)


def test_what_costs_too_much_is_noticed(monkeypatch):
    monkeypatch.setattr(reading, "SECONDS", 0.0)
    with pytest.raises(AssertionError, match=r"claims: 0\.0 s"):
        reading.held("claims", b"ball: 0.9\n" * 100)
