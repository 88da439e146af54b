"""A mistake in a lab file is named with its line, what was found and what is allowed."""

# ruff: noqa: E501  (a table of mistakes reads best with one per line)

from __future__ import annotations

import json

import numpy as np
import pytest

from harness import techniques
from harness.errors import LabError, UsageError
from harness.grading import open_lab
from harness.lab import find_lab, read_image, read_lab


def test_a_valid_lab_is_read_with_sweeps_and_repetitions_expanded(lab_file):
    lab = open_lab(lab_file)
    assert [techniques.key(case) for case in lab.cases] == [
        "top_predictions/photo",
        "layer_activations/photo",
        "layer_activations/mean",
        "activation_maximization/cat-tv1",
        "activation_maximization/cat-tv4",
        "activation_maximization/dog",
        "activation_maximization/dog-again",
        "class_activation_maps/photo",
    ]
    assert [case.group for case in lab.cases[3:7]] == ["cat", "cat", "dog", "dog"]
    assert lab.pass_mark == 0.5
    assert lab.models["net"].layer_names() == ("image", "conv", "dense")


def test_a_case_is_resolved_to_the_values_of_its_call(lab_file):
    lab = open_lab(lab_file)
    call = techniques.call_of(lab, lab.cases[-1])
    assert call.function == "class_activation_map"
    assert call.arguments["class_index"] == 1  # cat is the second of ball, cat, dog
    assert call.arguments["modifier"] == "guided"
    assert call.arguments["image"].shape == (8, 12, 3)
    top = techniques.call_of(lab, lab.cases[0])
    assert top.arguments["k"] == 5
    mean = techniques.call_of(lab, lab.cases[2])
    assert mean.arguments["labels"].tolist() == [0, 1, 2, 0]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("title: Small", "titel: Small", "lab.yaml:2, titel: unknown key 'titel'; did you mean 'title'?"),
        ("title: Small\n", "", "missing 'title'; required here:"),
        ("preprocessing: tf", "preprocessing: tv", "lab.yaml:4, models.net.preprocessing: found 'tv'; allowed: unit, tf, caffe"),
        ("points: 2", "points: 0", "found 0: 0 is less than or equal to the minimum of 0"),
        ("title: Small", "title: Small\ntitle: Big", "lab.yaml:3: 'title' is given twice, first on line 2"),
        ("title: Small", "title: [", "not valid YAML"),
        ("title: Small", "title: !!python/object:os.system {}", "not valid YAML"),
        ("file: photo.png", "file: foto.png", "lab.yaml:6, images.photo.file: no file 'foto.png' in"),
        ("file: net.keras, ", "", "expected either 'file' (a .keras file) or 'application'"),
        ("classes: net.json, ", "", "'classes' is missing: a JSON file of [id, name] per output"),
        ("file: net.keras,", "application: VGG16,", "'weights' is missing: 'imagenet', or a weights file"),
        ("file: net.keras", "file: photo.png", "lab.yaml:4, models.net: {base}/photo.png is not a Keras model"),
        ("classes: net.json", "classes: lab.yaml", "lab.yaml: expected a JSON list of [id, name]"),
        ("id: photo, model: net, image: photo}", "id: photo, model: nett, image: photo}", "no model 'nett'; did you mean 'net'?"),
        ("  top_predictions:\n", "  top_prediction:\n", "lab.yaml:11, cases.top_prediction: no function 'top_prediction' in the contract; did you mean 'top_predictions'?"),
        ("model: net, image: photo}", "model: net, image: foto}", "lab.yaml:12, cases.top_predictions.0.image: no image 'foto'; did you mean 'photo'?"),
        ("model: net, image: photo}", "model: net, picture: photo}", "unknown argument 'picture' of top_predictions"),
        ("model: net, image: photo}", "model: net}", "missing 'image'; top_predictions takes image, k"),
        ("image: photo}", "image: photo, k: many}", "expected a whole number from 1 to 1000, found 'many'"),
        ("image: photo}", "image: photo, k: 2.5}", "expected a whole number from 1 to 1000, found 2.5"),
        ("layers: [conv, dense]", "layers: [konv]", "model 'net' has no layer 'konv'; did you mean 'conv'? allowed: image, conv, dense"),
        ("layers: [conv, dense]", "layers: conv", "expected a list of layer names, found 'conv'"),
        ("dataset: set", "dataset: sat", "no data set 'sat'; did you mean 'set'?"),
        ("filter_indices: [1]", "filter_indices: 1", "expected a list of indices such as [1, 7], found 1"),
        ("filter_indices: [1]", "filter_indices: [-1]", "expected a list of indices such as [1, 7]"),
        ("class: cat", "class: cot", "model 'net' has no class 'cot'; did you mean 'cat'?"),
        ("class: cat", "class: 3", "classes go from 0 to 2, found 3"),
        ("modifier: guided", "modifier: guide", "found 'guide'; did you mean 'guided'?"),
        ("{id: dog,", "{id: cat-tv1,", "case id 'cat-tv1' is used twice"),
        ("{id: mean,", "{id: photo,", "layer_activations/photo is there twice; rename one"),
        ("{id: fall,", "{id: top,", "check id 'top' is used twice; rename one"),
        ("top_predictions.agreement", "top_predictions.agreed", "no metric 'top_predictions.agreed'; did you mean 'top_predictions.agreement'?"),
        ("{tie: 0.01}", "{ties: 0.01}", "unknown threshold 'ties' of top_predictions.agreement; did you mean 'tie'?"),
        ("cases: [cat]", "cases: [cut]", "no group of cases (a sweep or a repetition) 'cut'"),
        ("points: 1, cases: [cat]}", "points: 1}\n  - {id: x, metric: layer_activations.dominant_agreement, points: 1}", "no case for layer_activations.dominant_agreement; it judges dominant_filters"),
        ("tv_weight: 1, repeat: true", "tv_weight: 1", None),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(lab_file, before, after, said):
    text = lab_file.read_text("utf-8")
    assert before in text
    if said is None:  # a repetition without its second case can no longer be compared
        after = "tv_weight: 1"
        text = text.replace("tv_weight: 1, repeat: true", after)
        text = text.replace("cases: [cat]", "cases: [dog]")
        said = "compares cases; 'dog' is a single one"
    else:
        text = text.replace(before, after, 1)
    lab_file.write_text(text, "utf-8")
    with pytest.raises(LabError) as caught:
        open_lab(lab_file)
    assert said.replace("{base}", str(lab_file.parent)) in str(caught.value)
    assert str(caught.value).startswith(str(lab_file))


def test_an_empty_file_and_a_missing_one_are_named(lab_file):
    lab_file.write_text("")
    with pytest.raises(LabError, match=r"lab.yaml: the file is empty; expected a lab"):
        read_lab(lab_file)
    with pytest.raises(LabError, match=r"cannot be read: .*No such file"):
        read_lab(lab_file.with_name("gone.yaml"))


def test_a_lab_with_a_control_character_is_not_yaml(lab_file):
    lab_file.write_bytes(b"title: \x01\n")
    with pytest.raises(LabError, match="not valid YAML"):
        read_lab(lab_file)


def test_images_are_read_as_uint8_with_a_channel_axis(lab_file):
    lab = open_lab(lab_file)
    assert lab.images["photo"].pixels().shape == (8, 12, 3)
    assert lab.images["grey"].pixels().shape == (8, 12, 1)
    assert lab.images["grey"].pixels().dtype == np.uint8


def test_a_file_that_is_no_image_is_named(lab_file):
    with pytest.raises(LabError, match=r"net\.json: not an image that can be read"):
        read_image(lab_file.with_name("net.json"))


def test_a_data_set_without_its_arrays_is_named(lab_file):
    lab = open_lab(lab_file)
    np.savez(lab_file.with_name("set.npz"), pictures=np.zeros(3))
    with pytest.raises(LabError, match="arrays 'images' and 'labels'"):
        lab.dataset("set")


def test_classes_in_the_layout_of_keras_are_read_too(lab_file):
    names = {"0": ["n0", "ball"], "1": ["n1", "cat"], "2": ["n2", "dog"]}
    lab_file.with_name("net.json").write_text(json.dumps(names))
    assert open_lab(lab_file).models["net"].class_index("dog") == 2


def test_the_digest_follows_the_content_and_not_the_comments(lab_file):
    before = read_lab(lab_file).digest()
    lab_file.write_text("# a comment\n" + lab_file.read_text("utf-8"), "utf-8")
    assert read_lab(lab_file).digest() == before
    lab_file.write_text(lab_file.read_text("utf-8").replace("points: 2", "points: 3"), "utf-8")
    assert read_lab(lab_file).digest() != before


def test_the_lab_is_found_upward_or_where_it_is_given(lab_file, tmp_path):
    folder = tmp_path / "submissions" / "alice"
    folder.mkdir(parents=True)
    assert find_lab(folder) == lab_file
    assert find_lab(folder, tmp_path) == lab_file
    with pytest.raises(
        UsageError, match=r"no lab file at .*gone.yaml; give the path of a lab.yaml"
    ):
        find_lab(folder, tmp_path / "gone.yaml")


def test_no_lab_anywhere_says_what_to_do(tmp_path):
    with pytest.raises(
        UsageError, match=r"no lab.yaml or fixtures/lab.yaml in .* or give --lab PATH"
    ):
        find_lab(tmp_path)
