"""Golden outputs that do not fit are a clear error that names the file, never a lost point."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from harness import golden
from harness.errors import GoldenError
from harness.execution.runner import Runner
from harness.grading import open_lab
from harness.lab import Lab
from harness.techniques import CONTRACT
from harness.techniques.base import largest_difference

ROOT = Path(__file__).parents[1]

LAB = """
format_version: 1
title: Small
reference: reference
golden: golden
models:
  digits: {file: models/digits.keras, classes: models/digits.classes.json, preprocessing: unit}
images:
  digit3: {file: images/digit3.png}
cases:
  top_predictions:
    - {id: digit3, model: digits, image: digit3, k: 3}
  class_activation_map:
    - {id: digit3, model: digits, image: digit3, class: "3", layer_name: l3}
checks:
  - {id: top, metric: top_predictions.agreement, points: 1}
"""


@pytest.fixture
def folder(tmp_path):
    """A small lab on the real digits network, with a copy of the reference."""
    shutil.copytree(ROOT / "fixtures" / "models", tmp_path / "models")
    shutil.copytree(ROOT / "fixtures" / "images", tmp_path / "images")
    ignored = shutil.ignore_patterns("models", "__pycache__")
    shutil.copytree(ROOT / "reference", tmp_path / "reference", ignore=ignored)
    (tmp_path / "lab.yaml").write_text(LAB, "utf-8")
    return tmp_path


@pytest.fixture
def real(tmp_path):
    """A copy of the repository's fixtures, to be damaged."""
    shutil.copytree(ROOT / "fixtures", tmp_path / "fixtures")
    return tmp_path / "fixtures"


def opened(folder: Path) -> Lab:
    return open_lab(folder / "lab.yaml")


def test_the_stored_golden_outputs_load_and_cover_every_case():
    lab = opened(ROOT / "fixtures")
    stored = golden.load(lab)
    assert len(stored.accepted) == len(stored.facts) == len(lab.cases)
    name, probability = stored.accepted["top_predictions/soccer01"][0][0]
    assert name == "soccer_ball"
    assert 0.5 < probability <= 1


def test_the_golden_outputs_are_built_from_the_reference_as_it_is():
    assert golden.changed_sources(opened(ROOT / "fixtures")) == []


@pytest.mark.parametrize("name", ["reference/arrays.safetensors", "facts/outputs.json"])
def test_a_damaged_file_is_named(real, name):
    path = real / "golden" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(GoldenError, match=rf"{name} is damaged: .* restore it, or run: harness"):
        golden.load(opened(real))


def test_a_missing_file_is_named(real):
    (real / "golden" / "reference" / "outputs.json").unlink()
    with pytest.raises(GoldenError, match=r"reference/outputs.json is missing; restore it, or run"):
        golden.load(opened(real))


def test_a_missing_folder_says_what_to_run(real):
    shutil.rmtree(real / "golden")
    with pytest.raises(GoldenError, match=r"manifest.json is missing; run: harness golden build"):
        golden.load(opened(real))


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"files": 3, "cases": {}}'])
def test_a_damaged_manifest_is_named(real, text):
    (real / "golden" / "manifest.json").write_text(text)
    with pytest.raises(GoldenError, match=r"manifest.json is damaged"):
        golden.load(opened(real))


def test_golden_outputs_of_another_format_ask_for_a_build(real):
    (real / "golden" / "manifest.json").write_text('{"format_version": 1}')
    said = r"has format 1, this version of the harness reads 2; run: harness golden build"
    with pytest.raises(GoldenError, match=said):
        golden.load(opened(real))


def test_files_that_the_manifest_vouches_for_but_cannot_be_read_are_an_error(real):
    path = real / "golden" / "reference" / "outputs.json"
    path.write_text("{}")
    manifest = json.loads((real / "golden" / "manifest.json").read_text())
    manifest["files"]["reference/outputs.json"] = golden._sha256(path)
    (real / "golden" / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(GoldenError, match="cannot be read"):
        golden.load(opened(real))


def test_a_changed_argument_makes_its_case_stale_and_names_it(real):
    path = real / "lab.yaml"
    path.write_text(path.read_text("utf-8").replace("k: 3}", "k: 4}"), "utf-8")
    with pytest.raises(GoldenError, match=r"golf_orange01-top3 are stale: .* harness golden build"):
        golden.load(opened(real))


def test_a_changed_image_makes_its_cases_stale(real):
    shutil.copy(real / "images" / "soccer02.png", real / "images" / "soccer01.png")
    with pytest.raises(GoldenError, match="soccer01 are stale"):
        golden.load(opened(real))


def test_a_new_case_asks_for_a_build(real):
    path = real / "lab.yaml"
    extra = "  top_predictions:\n    - {id: extra, model: objects, image: soccer02}"
    path.write_text(path.read_text("utf-8").replace("  top_predictions:", extra, 1), "utf-8")
    with pytest.raises(GoldenError, match=r"no case top_predictions/extra; run: harness golden"):
        golden.load(opened(real))


def test_a_changed_threshold_makes_nothing_stale(real):
    path = real / "lab.yaml"
    text = path.read_text("utf-8") + "    threshold: {correlation: 0.9}\n"
    assert text != path.read_text("utf-8")
    path.write_text(text, "utf-8")
    assert golden.load(opened(real)).accepted


def test_a_lab_without_a_golden_folder_says_what_to_add(folder):
    (folder / "lab.yaml").write_text(LAB.replace("golden: golden\n", ""), "utf-8")
    with pytest.raises(GoldenError, match="no 'golden' folder is named; add 'golden: golden'"):
        golden.load(opened(folder))


@pytest.mark.tensorflow
def test_a_golden_variant_that_fails_stops_the_build(folder):
    path = folder / "reference" / "variants" / "cam_keras_vis.py"
    path.write_text(path.read_text("utf-8") + "\ndel class_activation_map\n", "utf-8")
    lab = opened(folder)
    with (
        Runner(lab, CONTRACT) as runner,
        pytest.raises(GoldenError, match=r"variant cam_keras_vis fails class_activation_maps/digi"),
    ):
        golden.build(lab, runner)


def test_a_lab_without_a_reference_cannot_build(folder):
    shutil.rmtree(folder / "reference")
    lab = opened(folder)
    with (
        Runner(lab, CONTRACT) as runner,
        pytest.raises(GoldenError, match="no reference implementation"),
    ):
        golden.build(lab, runner)


@pytest.mark.tensorflow
def test_what_is_built_loads_and_verifies_until_the_reference_changes(folder):
    lab = opened(folder)
    with Runner(lab, CONTRACT) as runner:
        golden.build(lab, runner, jobs=2)
        stored = golden.load(lab)
        assert stored.accepted["class_activation_maps/digit3"][0].shape == (7, 7)
        assert len(stored.accepted["top_predictions/digit3"][0]) == 3
        # The reference's map, and on the same grid those of the seven variants that are golden.
        maps = stored.accepted["class_activation_maps/digit3"]
        assert [found.shape for found in maps] == [(7, 7)] * 8
        assert len(stored.accepted["top_predictions/digit3"]) == 1
        assert stored.facts["top_predictions/digit3"]["probabilities"].shape == (10,)
        assert all(drift.within for drift in golden.verify(lab, runner))
        source = folder / "reference" / "class_activation_maps.py"
        text = source.read_text("utf-8")
        # Without the ReLU of equation 2 the map drifts, and the changed file is named.
        source.write_text(text.replace('tf.nn.relu(tf.einsum("', '(tf.einsum("'), "utf-8")
        drifts = {drift.key: drift.within for drift in golden.verify(lab, runner)}
    assert drifts == {"top_predictions/digit3": True, "class_activation_maps/digit3": False}
    assert golden.changed_sources(lab) == ["class_activation_maps.py"]


@pytest.mark.tensorflow
def test_a_reference_that_fails_or_breaks_the_contract_is_named(folder):
    source = folder / "reference" / "submission.py"
    lab = opened(folder)
    with Runner(lab, CONTRACT) as runner:
        text = "def top_predictions(m, i, k): 1 / 0\ndef class_activation_map(*a): return [[1.0]]\n"
        source.write_text(text, "utf-8")
        with pytest.raises(GoldenError, match=r"fails top_predictions/digit3: ZeroDivisionError"):
            golden.build(lab, runner)
        source.write_text(text.replace("1 / 0", "return 5"), "utf-8")
        with pytest.raises(GoldenError, match=r"top_predictions/digit3 breaks the contract"):
            golden.build(lab, runner)
    assert not (folder / "golden").exists()


def test_distance_is_relative_and_one_for_another_text_length_or_shape():
    assert largest_difference([("a", 0.5)], [("a", 0.4)]) == pytest.approx(0.2)  # 0.1 / 0.5
    assert largest_difference("a", "b") == 1
    assert largest_difference([1.0], [1.0, 2.0]) == 1
    assert largest_difference([[1.0, 2.0]], [[1.0], [2.0]]) == 1
    assert largest_difference({"l1": np.ones(2)}, {"l1": np.ones(3)}) == 1
