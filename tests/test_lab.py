"""A mistake in a lab file is named with its line, what was found and what is allowed."""

# ruff: noqa: E501  (a table of mistakes reads best with one per line)

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from harness import techniques
from harness.errors import LabError
from harness.grading import open_lab
from harness.lab import read_image, read_lab


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
        ("{tie: 0.01}", "{tie: -0.01}", "threshold.tie: no work can meet -0.01; allowed: 0 or more"),
        ("{tie: 0.01}", "{tie: .inf}", "no work can meet inf"),
        ("{tie: 0.01}", "{tie: .nan}", "no work can meet nan"),
        ("points: 1, cases: [cat]}", "points: 1, threshold: {falling: 1.1}}", "no work can meet 1.1; allowed: at most 1, which is perfect"),
        ("cases: [cat]", "cases: [dog]", "activation_maximization.fall judges a sweep over tv_weight, and 'dog' is none; allowed: cat"),
        ("maximization.fall", "maximization.repeat", "activation_maximization.repeat judges a repetition, and 'cat' is none"),
        ("cases: [cat]", "cases: [cut]", "no group of cases (a sweep or a repetition) 'cut'"),
        ("points: 1, cases: [cat]}", "points: 1}\n  - {id: x, metric: layer_activations.dominant_agreement, points: 1}", "no case for layer_activations.dominant_agreement; it judges dominant_filters"),
        ("title: Small", "title: {{ title }}", "lab.yaml:2: a key is map, expected text; put it in quotes"),
        ("  photo: {file", "  1: {file", "lab.yaml:6: a key is int, expected text; put it in quotes"),
        ("title: Small", "yes: Small", "lab.yaml:2: a key is bool, expected text"),
        ("title: Small", "title: 2024-02-30", "not valid YAML: day is out of range for month"),
        ("title: Small", "title: &a [*a]", "not valid YAML: "),
        ("title: Small", "title: 2024-02-03", "lab.yaml:2, title: found datetime.date(2024, 2, 3): "),
        ("format_version: 1", "format_version: 2", "lab.yaml:1, format_version: found 2: 1 was expected"),
        ("model: net, image: photo}", "model: net, image: [photo]}", "no image ['photo']; "),
        ("dataset: set", "dataset: {a: b}", "no data set {'a': 'b'}; "),
        ("class: cat", "class: [cat]", "model 'net' has no class \"['cat']\""),
        ("class: cat", "class: -1", "has no class '-1'"),
        ("layers: [conv, dense]", "layers: []", "expected a list of layer names, found []"),
        ("filter_indices: [1]", "filter_indices: [true]", "expected a list of indices such as [1, 7], found [True]"),
        ("tv_weight: 1, repeat", "tv_weight: .nan, repeat", "expected a number from 0 to 1000, found nan"),
        ("tv_weight: 1, repeat", "tv_weight: -1, repeat", "expected a number from 0 to 1000, found -1"),
        ("tv_weight: 1, repeat", "tv_weight: true, repeat", "expected a number from 0 to 1000, found True"),
        ("sweep: {tv_weight: [1, 4]}", "sweep: {tv_wait: [1, 4]}", "lab.yaml:18, cases.maximize_activation.0.tv_wait: unknown argument 'tv_wait' of maximize_activation; did you mean 'tv_weight'?"),
        ("sweep: {tv_weight: [1, 4]}", "sweep: {tv_weight: [1]}", "found [1]: [1] is too short"),
        ("file: net.keras, ", "application: VGG16, weights: gone.h5, ", "lab.yaml:4, models.net.weights: no file 'gone.h5' in"),
        ("{file: photo.png}", "{file: photo.png, objects: [{class: cat, mask: gone.png}]}", "images.photo.objects.0.mask: no file 'gone.png' in"),
        ("file: set.npz", "file: sat.npz", "lab.yaml:9, datasets.set.file: no file 'sat.npz' in"),
        ("{tie: 0.01}", "{tie: much}", "found 'much': 'much' is not of type 'number'"),
        ("sweep: {tv_weight: [1, 4]}", "sweep: {seed: [1, 4]}, tv_weight: 1", "no case for activation_maximization.fall; it judges a sweep over tv_weight of maximize_activation"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(lab_file, before, after, said):
    text = lab_file.read_text("utf-8")
    assert before in text
    lab_file.write_text(text.replace(before, after, 1), "utf-8")
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


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"no archive",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"\x93NUMPY", b"\x93NUMPI"),
        lambda data: data[:60] + bytes(20) + data[80:],
    ],
)
def test_a_damaged_data_set_is_named_whatever_is_wrong_with_it(lab_file, damage):
    lab = open_lab(lab_file)
    path = lab_file.with_name("set.npz")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(LabError, match=r"set\.npz: expected an \.npz file with arrays 'images'"):
        lab.dataset("set")


def test_a_data_set_that_is_one_array_or_objects_is_refused(lab_file):
    lab = open_lab(lab_file)
    path = lab_file.with_name("set.npz")
    np.savez(path, images=np.array([{}], object), labels=np.zeros(1))
    with pytest.raises(LabError, match="Object arrays cannot be loaded"):
        lab.dataset("set")
    with path.open("wb") as stream:
        np.save(stream, np.zeros(3))
    with pytest.raises(LabError, match="arrays 'images' and 'labels'"):
        lab.dataset("set")


def test_an_image_cut_short_or_broken_within_is_named(lab_file):
    path = lab_file.with_name("photo.png")
    data = path.read_bytes()
    broken = data.replace(b"IDAT", b"\xfdDAT")
    for damaged in (b"", data[:60], data[: len(data) // 2], broken):
        path.write_bytes(damaged)
        with pytest.raises(LabError, match=r"photo\.png: not an image that can be read"):
            read_image(path)


def test_images_with_palette_or_transparency_become_three_channels(lab_file):
    path = lab_file.with_name("photo.png")
    for mode in ("P", "RGBA", "LA", "1"):
        Image.new(mode, (5, 4)).save(path)
        assert read_image(path).shape == (4, 5, 3)


def test_a_merged_mapping_counts_as_written_out(lab_file):
    text = lab_file.read_text("utf-8").replace(
        "photo: {file: photo.png}", "photo: &p {file: photo.png}"
    )
    text = text.replace("grey: {file: grey.png}", "grey: {<<: *p}")
    lab_file.write_text(text, "utf-8")
    assert open_lab(lab_file).images["grey"].file.name == "photo.png"


def test_hidden_cases_limits_and_folders_are_read(lab_file):
    text = lab_file.read_text("utf-8").replace("k: 3", "")
    text = text.replace("title: Small", "title: Small\ngolden: g\nreference: r\npass_mark: 0.6")
    text = text.replace("models:", "limits: {case_seconds: 5, memory_mb: 4096}\nmodels:", 1)
    text = text.replace("{id: mean,", "{hidden: true, id: mean,")
    lab_file.write_text(text, "utf-8")
    lab = open_lab(lab_file)
    assert [case.id for case in lab.cases if case.hidden] == ["mean"]
    assert (lab.limits.case_seconds, lab.limits.memory_mb, lab.limits.output_mb) == (5, 4096, 64)
    assert (lab.golden, lab.reference) == (lab.folder / "g", lab.folder / "r")
    assert lab.pass_mark == 0.6


def test_an_application_has_no_file_and_takes_any_layer(lab_file):
    text = lab_file.read_text("utf-8")
    text = text.replace("file: net.keras,", "application: VGG16, weights: imagenet,")
    lab_file.write_text(text.replace("layer_name: conv", "layer_name: block5_conv3"), "utf-8")
    model = open_lab(lab_file).models["net"]
    assert (model.file, model.application, model.weights) == (None, "VGG16", "imagenet")
    assert model.layer_names() is None


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


def test_the_grammar_that_jupyter_brings_is_not_built(tmp_path):
    (tmp_path / "rfc3987_syntax.py").write_text("def is_valid_syntax(term, value): return True\n")
    script = (
        "import sys, harness.lab; assert 'rfc3987_syntax' not in sys.modules; import rfc3987_syntax"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, check=True,
    )  # fmt: skip
