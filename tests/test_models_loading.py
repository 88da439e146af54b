"""Loading the lab's models with what `keras.applications` has beside them; what students import."""

from __future__ import annotations

import json

import keras
import numpy as np
import pytest

from harness import student
from harness.errors import LabError, UsageError
from harness.models import PREPROCESSINGS, ModelSpec, decode_predictions, load_model, read_classes

CLASSES = (("n0", "ball"), ("n1", "cat"), ("n2", "dog"))


def test_preprocessings_are_those_of_keras_applications():
    batch = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3)).astype("float32")
    for mode in ("tf", "caffe"):
        expected = keras.applications.imagenet_utils.preprocess_input(batch.copy(), mode=mode)
        np.testing.assert_allclose(PREPROCESSINGS[mode].apply(batch), expected, atol=1e-4)
    assert PREPROCESSINGS["unit"].apply(np.float32([255])).tolist() == [1]


@pytest.mark.parametrize("mode", PREPROCESSINGS)
def test_every_pixel_falls_into_the_input_range(mode):
    low, high = PREPROCESSINGS[mode].input_range
    extremes = np.stack([np.zeros((1, 1, 3)), np.full((1, 1, 3), 255.0)])
    found = PREPROCESSINGS[mode].apply(extremes)
    assert found.min() == pytest.approx(low)
    assert found.max() == pytest.approx(high)


def test_predictions_are_decoded_highest_first_with_ties_in_order():
    [row] = decode_predictions(np.array([[0.2, 0.6, 0.2]]), CLASSES, top=2)
    assert row == [("n1", "cat", 0.6), ("n0", "ball", 0.2)]


@pytest.mark.parametrize("shape", [(3,), (1, 4)])
def test_predictions_of_another_shape_are_refused(shape):
    with pytest.raises(ValueError, match=r"expects shape \(n, 3\), got"):
        decode_predictions(np.zeros(shape), CLASSES)


def test_an_unknown_class_is_named_with_the_nearest():
    with pytest.raises(LabError, match="no class 'cats'; did you mean 'cat'"):
        ModelSpec("net", "tf", CLASSES).class_index("cats")


def test_a_spec_makes_the_round_trip():
    spec = ModelSpec("net", "tf", CLASSES, application="VGG16", weights="imagenet")
    assert ModelSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    assert spec.layer_names() is None


def test_classes_of_another_layout_are_refused(tmp_path):
    (tmp_path / "names.json").write_text('["cat", "dog"]')
    with pytest.raises(LabError, match=r"names.json: expected a JSON list of \[id, name\]"):
        read_classes(tmp_path / "names.json")


@pytest.mark.tensorflow
def test_a_loaded_model_carries_its_companions_and_copies_what_it_is_given(tmp_path):
    inputs = keras.Input((4, 5, 3))
    outputs = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
    keras.Model(inputs, outputs).save(tmp_path / "net.keras")
    model = load_model(ModelSpec("net", "tf", CLASSES, file=tmp_path / "net.keras"))
    image = np.full((1, 4, 5, 3), 255, "uint8")
    assert model.preprocess_input(image).max() == 1.0
    assert image.max() == 255  # not changed in place
    floats = image.astype("float32")
    assert model.preprocess_input(floats).max() == 1.0
    assert floats.max() == 255
    tensor = keras.ops.convert_to_tensor(image)
    assert float(keras.ops.max(model.preprocess_input(tensor))) == 1.0
    predictions = model(model.preprocess_input(image))
    assert len(model.decode_predictions(predictions, top=3)[0]) == 3
    assert model.input_range == (-1.0, 1.0)


@pytest.mark.tensorflow
def test_an_application_is_built_by_its_name(tmp_path):
    weights = tmp_path / "small.weights.h5"
    built = keras.applications.MobileNetV3Small(weights=None)
    built.save_weights(weights)
    classes = tuple((f"n{index}", str(index)) for index in range(1000))
    spec = ModelSpec("net", "tf", classes, application="MobileNetV3Small", weights=str(weights))
    model = load_model(spec)
    assert model.layers[-1].activation is keras.activations.softmax
    np.testing.assert_array_equal(model.get_weights()[0], built.get_weights()[0])


def test_students_load_by_name_and_are_told_the_names(lab_file, monkeypatch):
    monkeypatch.chdir(lab_file.parent)
    assert student.load_image("grey").shape == (8, 12, 1)
    with pytest.raises(UsageError, match="no image 'gray'; did you mean 'grey'"):
        student.load_image("gray")
    with pytest.raises(UsageError, match="no model 'nets'; did you mean 'net'"):
        student.load_model("nets")
