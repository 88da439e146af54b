"""Every file of the catalogue says what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.catalogue import golden_variants, read_catalogue
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
        ("variants", '"""T.\n\nTechnique: top_predictions\nGolden: no\n"""', "found 'Golden: no'"),
        (
            "mistakes",
            '"""T.\n\nTechnique: top_predictions\nGolden: yes\nHint: x\n"""',
            "for variants",
        ),
        (
            "mistakes",
            '"""T.\n\nTechnique: top_predictions\nKind: odd\nHint: x\n"""',
            "one of method, input, presentation; found 'odd'",
        ),
        (
            "mistakes",
            '"""T.\n\nTechnique: top_predictions\nHint: x\n"""\ndef dominant_filters(): ...',
            "defines dominant_filters, which is of layer_activations",
        ),
    ],
)
def test_an_entry_that_does_not_say_what_it_is_is_named(tmp_path, kind, text, said):
    (tmp_path / kind).mkdir()
    (tmp_path / kind / "one.py").write_text(text, "utf-8")
    (tmp_path / kind / "_helper.py").write_text("", "utf-8")
    with pytest.raises(LabError, match=rf"one.py: .*{said}"):
        read_catalogue(tmp_path)


def test_without_a_reference_there_is_no_catalogue():
    assert read_catalogue(None) == []


def test_the_entries_that_are_golden_are_variants():
    chosen = golden_variants(read_catalogue(ROOT / "reference"))
    assert {entry.name for entry in chosen} == {
        "cam_aligned_corners",
        "cam_antialiased_relu_last",
        "cam_bilinear_relu_last",
        "cam_keras_vis",
        "cam_natural_spline",
        "cam_spline_relu_last",
        "cam_tf_function",
    }
    assert not any(entry.is_mistake for entry in chosen)
