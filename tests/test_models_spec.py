"""What is known of a model without loading it: its file's layers, its classes, its input."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from harness.errors import LabError
from harness.models import PREPROCESSINGS, ModelSpec, _as_float, decode_predictions, read_classes

CLASSES = (("n0", "ball"), ("n1", "cat"), ("n2", "dog"))
LAYERS = {"config": {"layers": [{"config": {"name": name}} for name in ("image", "conv")]}}


def keras_file(path, config, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
    return ModelSpec("net", "tf", CLASSES, file=path)


def test_layer_names_are_read_in_order_without_loading_the_model(tmp_path):
    assert keras_file(tmp_path / "net.keras", LAYERS).layer_names() == ("image", "conv")


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("[]", "TypeError"),
        ("{}", "KeyError: 'config'"),
        ({"config": None}, "TypeError"),
        ({"config": {}}, "KeyError: 'layers'"),
        ({"config": {"layers": [{"config": {}}]}}, "KeyError: 'name'"),
    ],
)
def test_a_configuration_without_layers_is_no_model(tmp_path, config, reason):
    with pytest.raises(LabError) as caught:
        keras_file(tmp_path / "net.keras", config).layer_names()
    assert f"{tmp_path / 'net.keras'} is not a Keras model: expected the .keras file that" in str(
        caught.value
    )
    assert reason in str(caught.value)
    assert str(caught.value).endswith("save it again, or name another file")


def test_an_archive_without_a_configuration_is_no_model(tmp_path):
    with zipfile.ZipFile(tmp_path / "net.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
    with pytest.raises(LabError, match=r"KeyError: .*config\.json"):
        ModelSpec("net", "tf", CLASSES, file=tmp_path / "net.keras").layer_names()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_file_damaged_anywhere_gives_its_layers_or_says_that_it_is_no_model(
    tmp_path, compression
):
    path = tmp_path / "net.keras"
    spec = keras_file(path, LAYERS, compression)
    data = path.read_bytes()
    refused = 0
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        try:
            assert spec.layer_names() == ("image", "conv")
        except LabError as error:
            refused += "is not a Keras model" in str(error)
    assert refused > len(data) / 4
    path.write_bytes(data[:-30])
    with pytest.raises(LabError, match="BadZipFile"):
        spec.layer_names()
    path.unlink()
    with pytest.raises(LabError, match="FileNotFoundError"):
        spec.layer_names()


def test_a_class_is_the_output_in_its_place():
    spec = ModelSpec("net", "tf", CLASSES)
    assert [spec.class_index(name) for name in ("ball", "cat", "dog")] == [0, 1, 2]
    with pytest.raises(LabError, match=r"model 'net' has no class 'n1'; .*allowed: ball, cat, dog"):
        spec.class_index("n1")


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("net", "unit", CLASSES),
        ModelSpec("net", "caffe", CLASSES, application="VGG16", weights="imagenet"),
    ],
)
def test_a_spec_crosses_the_boundary_as_json(spec, tmp_path):
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    with_file = ModelSpec("net", "tf", CLASSES, file=tmp_path / "net.keras")
    assert ModelSpec.from_json(json.loads(json.dumps(with_file.to_json()))) == with_file


def test_the_tenth_class_of_keras_layout_comes_after_the_ninth(tmp_path):
    path = tmp_path / "classes.json"
    path.write_text(json.dumps({str(n): [f"n{n}", f"name{n}"] for n in reversed(range(12))}))
    assert [name for _, name in read_classes(path)] == [f"name{n}" for n in range(12)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "JSONDecodeError"),
        ("3", "TypeError"),
        ('["cat"]', "ValueError: too many values to unpack"),
        ('{"1": ["n1", "cat"]}', "KeyError: '0'"),
        ('[["n0", "ball", 0.5]]', "ValueError"),
    ],
)
def test_a_list_of_classes_in_another_layout_says_which_is_expected(tmp_path, text, reason):
    path = tmp_path / "classes.json"
    path.write_text(text)
    with pytest.raises(LabError) as caught:
        read_classes(path)
    expected = f"{path}: expected a JSON list of [id, name] in the order of the model's outputs"
    assert str(caught.value).startswith(expected)
    assert reason in str(caught.value)


def test_a_list_of_classes_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LabError, match=r"gone\.json: expected a JSON list .*No such file"):
        read_classes(tmp_path / "gone.json")


def test_preprocessing_of_one_pixel_is_worked_out_by_hand():
    pixel = np.array([[[[255.0, 127.5, 0.0]]]], "float32")  # red, green, blue
    unit, tf, caffe = (PREPROCESSINGS[name].apply(pixel) for name in ("unit", "tf", "caffe"))
    np.testing.assert_allclose(unit.ravel(), [1, 0.5, 0])
    np.testing.assert_allclose(tf.ravel(), [1, 0, -1])
    # Blue, green, red, less their means 103.939, 116.779 and 123.68.
    np.testing.assert_allclose(caffe.ravel(), [-103.939, 10.721, 131.32], rtol=1e-5)
    assert pixel.ravel().tolist() == [255, 127.5, 0]


@pytest.mark.parametrize("batch", [[[1, 2]], ((1, 2),), np.array([[1, 2]], "uint8")])
def test_a_batch_becomes_a_float_copy(batch):
    found = _as_float(batch)
    assert found.dtype == np.float32
    found += 1
    assert np.asarray(batch).tolist() == [[1, 2]]


@given(arrays("float32", (3, 4), elements=st.floats(0, 1, width=32)), st.integers(1, 6))
def test_decoded_predictions_are_those_of_a_stable_sort(predictions, top):
    classes = [(f"n{index}", str(index)) for index in range(4)]
    decoded = decode_predictions(predictions, classes, top)
    for row, found in zip(predictions, decoded, strict=True):
        ranked = sorted(enumerate(row.tolist()), key=lambda pair: (-pair[1], pair[0]))
        assert found == [(f"n{i}", str(i), p) for i, p in ranked[:top]]
