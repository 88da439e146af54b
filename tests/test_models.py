"""The lab's models are what their cards say, on scenes that nobody trained on."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from reference.models import digits, objects, scenes
from reference.models.drawing import draw_object
from reference.models.fixtures import SCENES

pytestmark = pytest.mark.tensorflow

FIXTURES = Path(__file__).parents[1] / "fixtures"
FRESH_SEED = 77  # not the one that the card was measured with


@pytest.fixture(scope="module")
def objects_model():
    return keras.models.load_model(FIXTURES / "models" / "objects.keras", compile=False)


@pytest.fixture(scope="module")
def digits_model():
    return keras.models.load_model(FIXTURES / "models" / "digits.keras", compile=False)


def test_the_objects_network_is_right_and_looks_at_the_objects(objects_model):
    looks = objects.measure(objects_model, seed=FRESH_SEED, single=300, pairs=200)
    assert looks.accuracy >= 0.97
    assert looks.pointing >= 0.85
    assert min(looks.pointing_pairs) >= 0.80


def test_a_network_that_has_not_learned_would_fail_these_bars():
    keras.utils.set_random_seed(0)
    looks = objects.measure(objects.build(), seed=FRESH_SEED, single=60, pairs=30)
    assert looks.accuracy < 0.5
    assert looks.pointing < 0.5


def test_the_digits_network_is_right_on_held_out_digits(digits_model):
    data = digits.load()
    assert digits.accuracy(digits_model, data.test_images, data.test_labels) >= 0.97


def test_the_digits_network_has_the_labs_layers(digits_model):
    names = [layer.name for layer in digits_model.layers]
    expected = ["image", "l1", "l1_mp", "l2", "l2_mp", "l3", "l3_mp", "flat", "l4", "l5"]
    assert names == expected
    shapes = {name: digits_model.get_layer(name).output.shape[1:] for name in expected[1:]}
    assert shapes["l1"] == (28, 28, 9)
    assert shapes["l2"] == (14, 14, 9)
    assert shapes["l3"] == (7, 7, 16)
    assert shapes["l4"] == (25,)
    assert digits_model.get_layer("l1").kernel_size == (5, 5)
    assert digits_model.get_layer("l3").kernel_size == (3, 3)


@pytest.mark.parametrize("name", ["digits", "objects"])
def test_a_model_is_small_functional_and_ends_in_softmax(name):
    path = FIXTURES / "models" / f"{name}.keras"
    assert path.stat().st_size < 5_000_000
    model = keras.models.load_model(path, compile=False)
    assert not isinstance(model, keras.Sequential)
    assert model.layers[-1].activation is keras.activations.softmax
    classes = json.loads((FIXTURES / "models" / f"{name}.classes.json").read_text("utf-8"))
    assert len(classes) == model.outputs[0].shape[-1]
    assert (FIXTURES / "models" / f"{name}.md").is_file()


def test_the_same_seed_draws_the_same_scene_and_another_seed_another():
    def draw(seed):
        return scenes.draw_scene(("soccer_ball", "racket"), np.random.default_rng(seed))

    first, again, other = draw(1), draw(1), draw(2)
    np.testing.assert_array_equal(first.image, again.image)
    np.testing.assert_array_equal(first.objects[1][1], again.objects[1][1])
    assert (first.image != other.image).any()


@pytest.mark.parametrize("name", scenes.CLASS_NAMES)
def test_an_object_is_where_its_mask_is(name):
    scene = scenes.draw_scene((name,), np.random.default_rng(5))
    [(found, mask)] = scene.objects
    assert found == name
    assert scene.image.shape == (96, 96, 3)
    assert scene.image.dtype == np.uint8
    assert 0.01 < mask.mean() < 0.4
    # Pasted alone on a plain ground, the object changes the pixels under its mask and, but for its
    # soft shadow, no others.
    ground = Image.new("RGB", (96, 96), (255, 0, 255))
    sprite = draw_object(name, 40, np.random.default_rng(5))
    ground.paste(sprite.image, (20, 20), mask=sprite.image)
    changed = (np.asarray(ground) != (255, 0, 255)).any(axis=-1)[20:, 20:]
    height, width = sprite.mask.shape
    agreement = changed[:height, :width] == sprite.mask
    assert agreement.mean() > 0.93


def test_masks_of_two_objects_do_not_overlap_and_leave_most_of_each_visible():
    rng = np.random.default_rng(3)
    for _ in range(20):
        names = scenes.random_classes(2, rng)
        (_, first), (_, second) = scenes.draw_scene(names, rng).objects
        assert not (first & second).any()
        assert first.any()
        assert second.any()


def test_an_empty_scene_has_no_object():
    assert scenes.draw_scene((), np.random.default_rng(0)).objects == ()


def test_the_labs_images_are_there_with_the_masks_of_their_objects():
    for name, classes in SCENES.items():
        with Image.open(FIXTURES / "images" / f"{name}.png") as image:
            assert (image.mode, image.size) == ("RGB", (96, 96))
        for class_name in classes:
            with Image.open(FIXTURES / "images" / f"{name}.{class_name}.png") as mask:
                assert set(np.unique(mask)) == {0, 255}


def test_digits_from_an_unknown_source_are_refused():
    with pytest.raises(ValueError, match="no digits 'emnist'; allowed: scikit-learn, mnist"):
        digits.load("emnist")


def test_mnist_that_cannot_be_downloaded_says_what_to_do(monkeypatch):
    def refuse():
        raise OSError("no network")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", refuse)
    with pytest.raises(OSError, match=r"MNIST cannot be downloaded .*--digits-data scikit-learn"):
        digits.load("mnist")


def test_mnist_gives_the_same_layout(monkeypatch):
    images, labels = np.zeros((4, 28, 28), "uint8"), np.arange(4, dtype="uint8")
    data = ((images, labels), (images[:2], labels[:2]))
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: data)
    loaded = digits.load("mnist")
    assert loaded.train_images.shape == (4, 28, 28, 1)
    assert loaded.test_labels.dtype == np.int64


def test_training_from_a_seed_gives_the_same_network_twice():
    data = digits.load()
    few = digits.Digits(
        data.train_images[:128], data.train_labels[:128], data.test_images, data.test_labels
    )
    first, again = (digits.train(few, seed=3, epochs=2).get_weights() for _ in range(2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_target_of_two_objects_is_half_and_half_and_of_none_uniform():
    images, targets, cells = objects._training_data(scenes=12, seed=4)
    assert images.shape == (12, 96, 96, 3)
    np.testing.assert_allclose(targets.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(cells.sum(axis=-1), 1, atol=1e-6)
    assert {round(float(row.max()), 3) for row in targets} <= {0.5, 1.0, round(1 / 11, 3)}
