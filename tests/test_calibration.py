"""The catalogue says what it is, and running it tells right from wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import cli
from harness.calibration import Entry, Finding, read_catalogue
from harness.errors import LabError

ROOT = Path(__file__).parents[1]


def test_every_entry_of_the_catalogue_says_what_it_is():
    entries = read_catalogue(ROOT / "reference")
    assert sum(entry.is_mistake for entry in entries) >= 60
    assert sum(not entry.is_mistake for entry in entries) >= 30
    for entry in entries:
        assert entry.title.endswith("."), entry.path
        assert bool(entry.hint) == entry.is_mistake, entry.path
        assert len(entry.title) < 200, entry.path


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("variants", "x = 1", "expected a line 'Technique: …' in its docstring, found nothing"),
        ("mistakes", '"""T.\n\nTechnique: top_prediction\n"""', "did you mean 'top_predictions'"),
        ("mistakes", '"""T.\n\nTechnique: top_predictions\n"""', "ends with 'Hint: …'"),
    ],
)
def test_an_entry_that_does_not_say_what_it_is_is_named(tmp_path, kind, text, said):
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "one.py").write_text(text, "utf-8")
    (tmp_path / kind / "_helper.py").write_text("", "utf-8")
    with pytest.raises(LabError, match=rf"one.py: .*{said}"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    ("is_mistake", "failed", "not_judged", "right"),
    [
        (False, (), (), True),
        (False, ("a/1",), (), False),
        (False, (), ("a/1",), False),
        (True, ("a/1", "a/2"), (), True),
        (True, ("a/1",), (), False),
        (True, (), (), False),
    ],
)
def test_a_variant_keeps_all_and_a_mistake_fails_two_cases(is_mistake, failed, not_judged, right):
    entry = Entry(Path("x.py"), is_mistake, "top_predictions", "T.", "")
    assert Finding(entry, failed, not_judged).as_it_should_be == right


@pytest.mark.tensorflow
def test_calibrate_prints_two_counts_and_exits_by_them(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    names = ["top_ascending", "cam_transposed", "cam_nearest", "top_dict", "layers_list"]
    assert cli.main(["calibrate", *names, "--jobs", "2"]) == cli.EXIT_OK
    printed = capsys.readouterr().out
    assert "3 of 3 variants keep every point" in printed
    assert "2 of 2 mistakes are caught" in printed
    assert "ok    mistake cam_transposed: " in printed


def test_calibrate_of_nothing_is_a_usage_error(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert cli.main(["calibrate", "no_such_entry"]) == cli.EXIT_ERROR
    assert "no variant or mistake of that name" in capsys.readouterr().err
