"""Measurements and figures that are remembered, and which stored outputs still hold."""

from __future__ import annotations

import dataclasses
import io
import json

import numpy as np
import pytest
from rich.console import Console

from harness.calls import Call
from harness.cohort import Change, Done
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
from harness.keeping import Digests, merged, usable
from harness.lab import Limits, read_lab
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.progress import MAX_CHANGES, Progress
from harness.remembered import Remembered, digest
from harness.results import RunStatus, RunSummary

VIEW = View("photo", "alt", "caption", b"\x89PNG\x00", (Line("student", "M0 0L1 1Z"),))
PLOT = Plot((Series("a", (0.5, 1.0), (1.0, 2.0)),), "t", "x", "y", region=Region("iou"))
FIGURES = {
    ("maps", "a"): (
        Figure(
            "title",
            (
                Row((Picture(b"\x89PNG\x00", 2, 3, "alt", "caption"),), "row"),
                Gallery("tv", ("1", "2"), (("Yours", (Picture(b"\xff", 1, 1, ""), None)),)),
                Views((View("photo", "alt", ""),), (VIEW, VIEW), (Picture(b"1", 2, 3, ""),)),
                PLOT,
                Nearest(("iou", "rank"), ((0.5, 1.0),), (PLOT,)),
                Legend(("0", "1"), "filters"),
                Table(("a", "b"), (("1", "2"), ("3", "4")), "table", (1,)),
                Note("words"),
            ),
            Table(("a",), (("1",),)),
        ),
    )
}


def test_what_is_remembered_makes_the_round_trip():
    told = Remembered("x", {"maps/a: iou": [0.5, {"b": 1}]}, FIGURES)
    again = Remembered.from_bytes(told.to_bytes(), "x")
    assert again == told
    assert Remembered.from_bytes(Remembered("x").to_bytes(), "x").figures is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"[]",
        b"{}",
        b'{"of": "x", "values": 1, "figures": null}',
        b'{"of": "x", "values": {}, "figures": [["m", "a", [{"Film": []}]]]}',
        b'{"of": "x", "values": {}, "figures": [["m"]]}',
    ],
)
def test_what_is_damaged_or_of_something_else_is_made_again(data):
    assert Remembered.from_bytes(data, "x") == Remembered("x")
    told = Remembered("x", {"a": 1}, FIGURES)
    assert Remembered.from_bytes(told.to_bytes(), "y") == Remembered("y")


def test_the_digest_follows_outputs_and_golden_outputs():
    one = digest({"a": "1"}, "g", "en")
    assert one == digest({"a": "1"}, "g", "en")
    others = {digest({"a": "2"}, "g", "en"), digest({"a": "1"}, "h", "en")}
    assert len({one, *others, digest({"a": "1"}, "g", "fr")}) == 4


def outputs(run=RunStatus.COMPLETED, **statuses):
    cases = {key: CaseOutput(CaseStatus(status)) for key, status in statuses.items()}
    notes = tuple(f"note {key}" for key in statuses)
    return Outputs("s", RunSummary(run, 1.0, notes=notes), cases, {k: f"{k}-l" for k in statuses})


def test_what_returned_holds_under_other_limits_and_what_failed_does_not():
    kept = outputs(a="returned", b="timed_out", c="not_run", d="returned")
    same = {"a": "a-l", "b": "b-l", "c": "c-l", "d": "d-l"}
    assert list(usable(kept, same).cases) == ["a", "b", "d"]
    assert list(usable(kept, {k: f"{k}-other" for k in same}).cases) == ["a", "d"]
    assert list(usable(kept, {**same, "a": "new-l"}).cases) == ["b", "d"]
    assert usable(kept, {}) is None
    assert usable(None, same) is None


def test_kept_and_fresh_outputs_are_one_in_the_order_of_the_calls():
    both = merged(outputs(b="returned"), outputs(a="raised"), ["a", "b"])
    assert list(both.cases) == ["a", "b"]
    assert (both.run.notes, both.run.seconds) == (("note b", "note a"), 2.0)
    ended = merged(outputs(RunStatus.TIMED_OUT, b="timed_out"), outputs(a="returned"), ["a", "b"])
    assert ended.run.status is RunStatus.TIMED_OUT
    crashed = merged(outputs(b="returned"), outputs(RunStatus.CRASHED, a="crashed"), ["a", "b"])
    assert crashed.run.status is RunStatus.CRASHED


def test_digests_of_calls_follow_what_they_depend_on(lab_file):
    lab = read_lab(lab_file)
    model = next(iter(lab.models))
    call = Call("t/a", "f", model, {"image": np.zeros((2, 2), "uint8"), "k": 5})
    environment = {"python": "3.11", "xai-grading-harness": "1"}

    def made(lab=lab, call=call, environment=environment, submission="s"):
        return Digests(lab, {"f": ("model",)}, [call], environment).of(submission)["t/a"]

    base = made()
    assert made(environment={**environment, "xai-grading-harness": "2"}) == base
    changes = [
        made(submission="other"),
        made(environment={**environment, "python": "3.12"}),
        made(call=dataclasses.replace(call, seed=1)),
        made(call=dataclasses.replace(call, arguments={**call.arguments, "k": 6})),
        made(
            call=dataclasses.replace(
                call, arguments={**call.arguments, "image": np.ones((2, 2), "uint8")}
            )
        ),
        made(lab=dataclasses.replace(lab, limits=Limits(case_seconds=1))),
    ]
    assert len({base, *changes}) == 7
    assert changes[-1].split("-")[0] == base.split("-")[0]


def done(name, *, change=None, outcome="judged", **more):
    return Done({"submission": name, "outcome": outcome}, change=change, **more)


def test_progress_says_what_was_kept_what_changed_and_what_was_not_judged():
    stream = io.StringIO()
    changes = [Change(f"s{n}", 4.0, 3.5, ("top-5", "maps")) for n in range(MAX_CHANGES + 2)]
    with Progress(Console(file=stream, width=100), len(changes) + 2) as progress:
        progress.show(done("kept", kept=True), "kept")
        progress.show(done("ran", ran=True, outcome="not_judged"), "ran")
        for change in changes:
            progress.show(done(change.submission, change=change), change.submission)
    progress.tell_changes()
    lines = stream.getvalue().splitlines()
    assert lines[:3] == ["[1/54] kept (unchanged)", "[2/54] ran", "[3/54] s0 (judged again)"]
    assert "1 of 54 unchanged; student code was run for 1" in lines
    assert "52 of 54 changed:" in lines
    assert "  s0: 4 → 3.5 (top-5, maps)" in lines
    assert lines[-1] == "  … and 2 more"


def stopped(console):
    with Progress(console, 2) as progress:
        progress.show_public(1, 2)
        progress.show_public(2, 2)
        progress.show(done("a", ran=True), "a")
        raise KeyboardInterrupt


def test_progress_on_a_terminal_has_a_bar_and_says_how_far_it_was_stopped():
    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        stopped(Console(file=stream, force_terminal=True, width=120, highlight=False))
    assert "public cases 1/2" in stream.getvalue()
    assert "grading" in stream.getvalue()
    assert "1 of 2 are graded" in stream.getvalue()


def test_what_is_stored_is_plain_json():
    json.loads(Remembered("x", {}, FIGURES).to_bytes())
