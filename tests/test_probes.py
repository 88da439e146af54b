"""Probes have what photographs lack: whatever a mistake does to them shows."""

from __future__ import annotations

import numpy as np
import pytest

from harness.metrics.heatmaps import correlation

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module", params=[0, 1, 2])
def drawn(request):
    """A probe and its images."""
    from reference.models import probes

    rng = np.random.default_rng([5, request.param])
    size = probes.SIZES[request.param]
    probe = probes.draw_probe(rng, normalised=request.param == 1, size=size)
    return probe, np.stack([probes.draw_image(rng, size) for _ in range(20)]), rng


def test_outputs_are_saturated_and_differ_between_images(drawn):
    probe, images, _ = drawn
    probabilities = probe.model.predict(probe.preprocess(images), verbose=0)
    assert np.median(probabilities.max(axis=1)) > 0.75
    assert len(set(probabilities.argmax(axis=1))) >= 3


def test_colours_and_preprocessing_matter(drawn):
    probe, images, _ = drawn

    def predict(batch):
        return probe.model.predict(batch, verbose=0)

    right = predict(probe.preprocess(images))
    for wrong in (probe.preprocess(images[..., ::-1]), images.astype("float32")):
        assert np.abs(predict(wrong) - right).max(axis=1).mean() > 0.3


def test_training_mode_changes_what_the_layers_put_out(drawn):
    import keras

    probe, images, _ = drawn
    batch = probe.preprocess(images)
    network = keras.Model(probe.model.inputs, probe.model.get_layer("fc1").output)
    right, trained = (np.asarray(network([batch], training=mode)) for mode in (False, True))
    assert np.abs(right - trained).max() > 0.1 * np.abs(right).max()


def test_questions_are_those_on_which_other_maps_differ(drawn):
    from reference.models import probes

    probe, images, rng = drawn
    layers, modifiers = ("block3_conv2", "block3_conv2"), (None, "guided")
    top = probe.model.predict(probe.preprocess(images), verbose=0).argmax(axis=1)
    for question in probes.ask(probe, images, layers, modifiers, rng):
        batch = probe.preprocess(images[question.image][None])
        chosen = question.class_index

        def cam(index, modifier, batch=batch):
            return probes.grad_cam(probe.model, batch, [index], "block3_conv2", modifier)[0]

        own = cam(chosen, question.modifier)
        height, width = own.shape
        assert height != width
        assert (own > 0.2 * own.max()).mean() >= 0.1
        assert chosen != top[question.image]
        other = cam(chosen, None if question.modifier else "guided")
        most_probable = cam(int(top[question.image]), question.modifier)
        assert correlation(own, other) < 0.9
        assert correlation(own, most_probable) < 0.9


def test_the_same_generator_draws_the_same_probe():
    from reference.models import probes

    first, second = (
        probes.draw_probe(np.random.default_rng(3), normalised=True, size=(24, 36))
        for _ in range(2)
    )
    for a, b in zip(first.model.get_weights(), second.model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_map_is_fair_unless_its_presentations_differ():
    from reference.models.presentations import fairness

    rows, columns = np.mgrid[:8, :10]
    blob = np.exp(-((rows - 4.0) ** 2 + (columns - 5.0) ** 2) / 6)
    assert fairness(blob, (32, 40)) > 0.5
    # Between neighbours of opposite sign the ReLU cuts off another part with every method.
    chessboard = (-1.0) ** (rows + columns)
    assert fairness(chessboard, (32, 40)) < 0


def test_questions_are_fair_to_every_presentation(drawn):
    from reference.models import probes
    from reference.models.presentations import fairness
    from reference.variants._cam import activations_and_gradients

    probe, images, rng = drawn
    for question in probes.ask(probe, images, ("block3_conv2", "block2_conv1"), (None, None), rng):
        image, index = images[question.image], question.class_index
        probe.model.preprocess_input = probe.preprocess
        features, gradients = activations_and_gradients(
            probe.model, image, index, question.layer_name
        )
        assert fairness(features @ gradients.mean(axis=(0, 1)), image.shape[:2]) >= 0
