"""The rules for outputs and the verdicts of every metric: right, nearly right, and wrong."""

from __future__ import annotations

import dataclasses
import weakref

import numpy as np
import pytest
import scipy.ndimage
import small_lab
from PIL import Image
from skimage.transform import resize

from harness import judging, techniques
from harness.disclosure import datasets_beside
from harness.errors import MachineError
from harness.golden import Golden
from harness.grading import open_lab
from harness.judging import judge
from harness.outputs import CaseOutput, CaseStatus, Outputs
from harness.results import Outcome, RunStatus, RunSummary
from harness.techniques import (
    activation_maximization,
    class_activation_maps,
    layer_activations,
    top_predictions,
)
from harness.techniques.base import Evidence, OutputError


class Oracle:
    """Scores an image by the mean of its left half, of its right half, and of all of it."""

    def layer_outputs(self, model, layer_name, images, *, preprocess=False):
        half = images.shape[2] // 2
        parts = (images[:, :, :half], images[:, :, half:], images)
        return np.stack([part.mean(axis=(1, 2, 3)) for part in parts], axis=1)

    def probabilities(self, model, images):
        return np.array([[0.7, 0.2, 0.1]])


@pytest.fixture
def lab(lab_file):
    return open_lab(lab_file)


def case_of(lab, key):
    return next(case for case in lab.cases if techniques.key(case) == key)


def verdict(lab, key, value, golden, metric, facts=None, **threshold):
    """Normalise a value and judge it with a metric of its technique."""
    case = case_of(lab, key)
    technique = techniques.technique_of(case)
    chosen = technique.metrics[metric]
    item = Evidence(
        case=case,
        lab=lab,
        arguments=techniques.resolve_arguments(lab, case),
        value=technique.normalise(lab, case, value),
        accepted=[golden],
        facts=facts or {},
        datasets=datasets_beside(lab, case),
    )
    return chosen.judge([item], {**chosen.threshold, **threshold}, Oracle())


# Top predictions: classes ball, cat, dog.

GOLDEN_TOP = [("cat", 0.7), ("ball", 0.2), ("dog", 0.1)]


def top(lab, value, probabilities=(0.2, 0.7, 0.1)):
    names = ("ball", "cat", "dog")
    golden = sorted(zip(names, probabilities, strict=True), key=lambda pair: -pair[1])
    facts = {"probabilities": np.array(probabilities)}
    return verdict(lab, "top_predictions/photo", value, golden, "agreement", facts)


@pytest.mark.parametrize(
    "value",
    [
        [["cat", 0.7], ["ball", 0.2], ["dog", 0.1]],
        [[["n1", "cat", 0.7], ["n0", "ball", 0.2], ["n2", "dog", 0.1]]],
        {"cat": 0.7, "ball": 0.2, "dog": 0.1},
        [["Cat", "0.7"], [" ball ", "0.2"], ["DOG", "0.1"]],
        [["cat", np.float32([0.7])], ["ball", 0.205], ["dog", 0.095]],
    ],
)
def test_right_predictions_pass_in_any_fair_form(lab, value):
    assert top(lab, value).passed


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        ([["dog", 0.1], ["ball", 0.2], ["cat", 0.7]], "place 1: expected 'cat', got", "ascending"),
        ([["cat", 7.0], ["ball", 2.0], ["dog", 1.0]], "expected probability 0.700", "softmax"),
        (
            [["ball", 0.2], ["cat", 0.7], ["dog", 0.1]],
            "place 1: expected 'cat'",
            "check their order",
        ),
        (
            [["cat", 0.7], ["ball", 0.23], ["dog", 0.1]],
            "'ball': expected probability 0.200",
            "right",
        ),
        ([["cat", 0.7], ["ball", 0.2]], "expected 3 predictions, got 2", "as many classes as"),
        ([["cat", 0.7], ["cat", 0.7], ["dog", 0.1]], "a class is named twice", "preprocess_input"),
        ([["cow", 0.7], ["ball", 0.2], ["dog", 0.1]], "'cow' is not a class", "preprocess_input"),
    ],
)
def test_wrong_predictions_fail_and_say_where(lab, value, message, hint):
    judgement = top(lab, value)
    assert not judgement.passed
    assert judgement.score < 1
    assert message in judgement.message
    assert hint in judgement.hint


def test_percentages_are_accepted_with_a_note(lab):
    judgement = top(lab, [["cat", 70.0], ["ball", 20.0], ["dog", 10.0]])
    assert judgement.passed
    assert judgement.message == (
        "these are percentages: accepted, but the contract asks for probabilities, 0 to 1"
    )
    assert top(lab, [["cat", 0.7], ["ball", 0.2], ["dog", 0.1]]).message == ""
    wrong = top(lab, [["cat", 60.0], ["ball", 30.0], ["dog", 10.0]])
    assert not wrong.passed
    assert "not probabilities" in wrong.hint


def test_equal_probabilities_may_swap_and_clearly_different_ones_may_not(lab):
    swapped = [["cat", 0.5], ["dog", 0.25], ["ball", 0.25]]
    assert top(lab, swapped, (0.25, 0.5, 0.25)).passed
    near = [["cat", 0.5], ["dog", 0.245], ["ball", 0.255]]
    assert not top(lab, near, (0.255, 0.5, 0.245)).passed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.array([1, 4, 2]), "returned an array of numbers, int64 (3,); expected a list of"),
        ("cat", "returned str 'cat'"),
        ([["cat"]], "an entry is list ['cat']"),
        (["cat", "dog"], "an entry is str 'cat'"),
        ([[3, 0.7]], "an entry names its class int 3; expected the class's name"),
        ([["cat", "high"]], "the probability of 'cat' is str 'high'; expected a number"),
        ([["cat", 10**400]], "expected a number"),
        ([["cat", float("nan")]], "the probability of 'cat' is nan"),
    ],
)
def test_what_is_no_list_of_predictions_is_said(lab, value, message):
    with pytest.raises(OutputError) as caught:
        top_predictions.normalise(lab, case_of(lab, "top_predictions/photo"), value)
    assert message in str(caught.value)


def test_facts_of_top_predictions_are_all_probabilities(lab):
    case = case_of(lab, "top_predictions/photo")
    facts = top_predictions.facts(lab, case, None, [], Oracle())
    assert facts["probabilities"].tolist() == [0.7, 0.2, 0.1]


# Layer activations: layers conv and dense.

CONV, DENSE = np.arange(24.0).reshape(2, 3, 4), np.array([1.0, -2.0])
LAYERS = "layer_activations/photo"


def layers(lab, value):
    return verdict(lab, LAYERS, value, {"conv": CONV, "dense": DENSE}, "agreement")


@pytest.mark.parametrize(
    "value",
    [
        {"conv": CONV, "dense": DENSE},
        {"dense": DENSE[None], "conv": CONV[None], "more": CONV},
        [CONV, DENSE],
        [["dense", DENSE], ["conv", CONV]],
        {"conv": CONV.tolist(), "dense": (DENSE + 1e-4).astype("float32")},
    ],
)
def test_right_activations_pass_in_any_fair_form(lab, value):
    assert layers(lab, value).passed


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"conv": CONV.transpose(2, 0, 1), "dense": DENSE}, "layer conv: expected shape (2, 3, 4)"),
        ({"conv": CONV, "dense": DENSE + 0.01}, "layer dense: 100.0% of the values differ; first"),
        ({"conv": CONV * 1.01, "dense": DENSE * 2}, "layer conv: "),
    ],
)
def test_wrong_activations_name_the_first_layer(lab, value, message):
    judgement = layers(lab, value)
    assert not judgement.passed
    assert message in judgement.message
    assert judgement.measured["layers"] == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (CONV, "returned an array of shape (2, 3, 4); expected a dict"),
        ({"conv": CONV}, "no activations for dense; found conv"),
        ({"conv": [[1], [2, 3]], "dense": DENSE}, "lists of unequal length"),
        ({"conv": ["a"], "dense": DENSE}, "expected an array of numbers"),
        ({"conv": CONV * np.nan, "dense": DENSE}, "layer conv holds NaN or infinity"),
        (5, "returned a int; expected a dict"),
        ([["conv", CONV], ["dens", DENSE]], "no activations for dense; found conv, dens"),
        ([], "returned a list"),
    ],
)
def test_what_are_no_activations_is_said(lab, value, message):
    with pytest.raises(OutputError) as caught:
        layer_activations.normalise(lab, case_of(lab, LAYERS), value)
    assert message in str(caught.value)


MEAN = np.stack([CONV, 2 * CONV, 3 * CONV])


def test_class_averages_are_judged_class_by_class(lab):
    key = "layer_activations/mean"
    assert verdict(lab, key, MEAN, MEAN, "mean_agreement").passed
    as_dict = {str(label): MEAN[label] for label in range(3)}
    assert verdict(lab, key, as_dict, MEAN, "mean_agreement").passed
    sums = MEAN * np.array([1, 1, 2])[:, None, None, None]
    judgement = verdict(lab, key, sums, MEAN, "mean_agreement")
    assert not judgement.passed
    assert judgement.measured == {
        "classes_agreeing": 2,
        "classes": 3,
        "largest_difference": 1.0,
    }
    shape = verdict(lab, key, MEAN.mean(axis=-1), MEAN, "mean_agreement")
    assert "expected shape (3, 2, 3, 4), got (3, 2, 3)" in shape.message
    with pytest.raises(OutputError, match="a dict with keys a; expected an array, or keys 0, 1"):
        verdict(lab, key, {"a": CONV}, MEAN, "mean_agreement")


def test_dominant_filters_are_judged_where_no_tie_makes_them_ambiguous(lab):
    key = "layer_activations/mean"
    golden = np.zeros((3, 2, 3))
    ambiguous = np.zeros((3, 2, 3), bool)
    ambiguous[0, 0] = True  # three pixels of 18
    value = golden.copy()
    value[0, 0] = 5
    facts = {"ambiguous": ambiguous}
    assert verdict(lab, key, value, golden, "dominant_agreement", facts).passed
    value[2] = 1  # six of the other fifteen
    judgement = verdict(lab, key, value, golden, "dominant_agreement", facts)
    assert not judgement.passed
    assert judgement.measured["pixels_agreeing"] == pytest.approx(9 / 15)
    assert "60.0% of the pixels without a tie" in judgement.message
    wrong = verdict(lab, key, value[0], golden, "dominant_agreement", facts)
    assert wrong.message == "expected shape (3, 2, 3), got (2, 3)"


def test_ambiguous_pixels_are_worked_out_by_hand():
    # One class, three images, one row of three pixels, two filters.
    activations = np.array(
        [
            [[[1, 0], [1, 0], [0, 0]]],
            [[[1, 0], [0, 1], [0, 0]]],
            [[[0, 1], [0, 0], [3, 0]]],
        ],
        float,
    )
    # Pixel 0: filter 0 wins 2 to 1: sure. Pixel 1: 1 to 1, and a tie that could go either way:
    # ambiguous. Pixel 2: filter 0 has one sure vote, filter 1 could have two: ambiguous.
    found = layer_activations.ambiguous_pixels(activations, np.zeros(3, int), 1)
    assert found.tolist() == [[[False, True, True]]]


# Class activation maps: layer size (4, 6), image size (8, 12).

LAYER_MAP = scipy.ndimage.gaussian_filter(
    np.pad([[0, 3.0, 1, 0], [0, 5, 2, 0]], ((1, 1), (1, 1))), 0.6
)
SIGNED = LAYER_MAP - 1.2
GOLDEN_MAP = np.maximum(SIGNED, 0)
PHOTO = "class_activation_maps/photo"


def heatmap(lab, value, golden=GOLDEN_MAP):
    return verdict(lab, PHOTO, value, golden, "agreement")


def pillow(heatmap):
    pixels = Image.fromarray((255 * heatmap / heatmap.max()).astype("uint8"))
    return np.asarray(pixels.resize((12, 8), Image.Resampling.BICUBIC))


@pytest.mark.parametrize(
    "value",
    [
        GOLDEN_MAP,
        7 * GOLDEN_MAP[None].astype("float32"),
        GOLDEN_MAP[..., None].tolist(),
        GOLDEN_MAP.repeat(2, axis=0).repeat(2, axis=1),
        resize(GOLDEN_MAP, (8, 12), order=1),
        resize(GOLDEN_MAP, (8, 12), order=3).clip(0),
        pillow(GOLDEN_MAP),
    ],
)
def test_right_maps_pass_at_either_size_and_with_any_interpolation(lab, value):
    assert heatmap(lab, value).passed


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ((SIGNED - SIGNED.min()) / np.ptp(SIGNED), "check one by one"),
        (SIGNED, "negative values"),
        (-GOLDEN_MAP - 1, "negative values"),
        (GOLDEN_MAP[::-1], "check one by one"),
        (GOLDEN_MAP.max() - GOLDEN_MAP, "check one by one"),
        (np.zeros((4, 6)), "empty or constant"),
        (np.ones((8, 12)), "empty or constant"),
    ],
)
def test_wrong_maps_fail_with_a_hint(lab, value, hint):
    judgement = heatmap(lab, value)
    assert not judgement.passed
    assert hint in judgement.hint
    assert "guided at every ReLU" in judgement.hint or "check one by one" not in judgement.hint
    assert "the map agrees too little with the expected one: " in judgement.message


def test_a_map_near_any_accepted_one_passes(lab):
    case = case_of(lab, PHOTO)
    arguments = techniques.resolve_arguments(lab, case)
    accepted = [GOLDEN_MAP[::-1], GOLDEN_MAP]
    item = Evidence(case, lab, arguments, GOLDEN_MAP, accepted, {})
    metric = class_activation_maps.TECHNIQUE.metrics["agreement"]
    assert metric.judge([item], metric.threshold, Oracle()).passed


def test_a_map_of_another_size_says_which_were_expected(lab):
    judgement = heatmap(lab, np.ones((3, 3)))
    assert "of the layer's size (4, 6) or of the image's (8, 12), got (3, 3)" in judgement.message


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (np.zeros((8, 12, 3)), "returned shape (8, 12, 3); expected one heatmap", "coloured"),
        (np.zeros((4, 6, 64)), "returned shape (4, 6, 64)", "two axes"),
        (np.zeros((0, 4)), "returned shape (0, 4)", "two axes"),
        (np.full((4, 6), np.nan), "holds NaN or infinity", "division by the maximum"),
        ([[1], [2, 3]], "lists of unequal length", ""),
        ("map", "returned <U3 values", ""),
    ],
)
def test_what_is_no_map_is_said(lab, value, message, hint):
    with pytest.raises(OutputError) as caught:
        class_activation_maps.normalise(lab, case_of(lab, PHOTO), value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


# Activation maximization: the oracle's outputs 0, 1 and 2 are means of halves and of all.

RAMP = np.tile(np.linspace(-1, 1, 12)[None, :, None], (8, 1, 3))
FACTS = {
    "shape": np.array([8, 12, 3]),
    "reference_scores": np.array([0.5]),
    "grey_scores": np.array([0.0]),
}
AM = "activation_maximization/cat-tv1"


def test_scores_are_relative_to_the_reference(lab):
    # Output 1 is the mean of the right half: of the ramp 6/11 = 0.545; 0.545 / 0.5 = 1.09.
    judgement = verdict(lab, AM, RAMP, RAMP, "score", FACTS)
    assert judgement.passed
    assert judgement.measured["relative_score"] == pytest.approx(6 / 11 / 0.5)
    weak = verdict(lab, AM, 0.4 * RAMP, RAMP, "score", FACTS)
    assert not weak.passed
    assert weak.measured["relative_score"] == pytest.approx(0.4 * 6 / 11 / 0.5)
    assert (
        "output 1 of dense reaches 0.22 on your image; the reference's reaches 0.50" in weak.message
    )


def test_of_several_outputs_the_smallest_decides(lab):
    case = case_of(lab, AM)
    case.arguments["filter_indices"][:] = [0, 1]
    facts = {**FACTS, "reference_scores": np.array([0.5, 0.6])}
    one_sided = verdict(lab, AM, RAMP, RAMP, "score", facts)
    assert not one_sided.passed
    assert "output 0 of dense reaches -0.55" in one_sided.message
    assert "every index of filter_indices must be excited" in one_sided.hint
    assert verdict(lab, AM, np.full((8, 12, 3), 0.5), RAMP, "score", facts).passed


def of_seeds(lab, *images, references=(0.5, 0.5, 0.5)):
    case = case_of(lab, AM)
    return [
        Evidence(
            dataclasses.replace(case, arguments={**case.arguments, "seed": seed}),
            lab,
            {},
            image,
            [RAMP],
            {**FACTS, "reference_scores": np.array([reference])},
        )
        for seed, image, reference in zip((5, 6, 9), images, references, strict=False)
    ]


def best_of(items):
    metric = activation_maximization.TECHNIQUE.metrics["best_score"]
    return metric.judge(items, metric.threshold, Oracle())


def test_of_several_seeds_the_best_image_counts_against_the_median_reference(lab):
    # Output 1 of the ramp is 6/11; the references' median is 0.8.
    items = of_seeds(lab, 0.1 * RAMP, 0.9 * RAMP, -RAMP, references=(2.0, 0.8, 0.1))
    found = best_of(items)
    assert found.passed
    assert found.measured["reference_score"] == pytest.approx(0.8)
    assert found.measured["relative_score"] == pytest.approx(0.9 * 6 / 11 / 0.8)
    weak = best_of(of_seeds(lab, 0.1 * RAMP, 0.4 * RAMP, -RAMP))
    assert not weak.passed
    assert weak.score == pytest.approx(0.4 * 6 / 11 / 0.5)
    assert weak.message == (
        "output 1 of dense reaches 0.22 on the best of your 3 images; the reference's reaches "
        "0.50, expected at least 0.30"
    )
    assert "expected an image of shape" in best_of(of_seeds(lab, RAMP, RAMP[:4])).message


def test_images_of_several_seeds_are_shown_by_seed(lab):
    [figure] = activation_maximization.TECHNIQUE.figures(of_seeds(lab, RAMP, -RAMP, RAMP))
    [strip] = figure.parts
    assert strip.columns == ("1, seed 5", "1, seed 6", "1, seed 9")
    again = [case_of(lab, f"activation_maximization/dog{end}") for end in ("", "-again")]
    items = [Evidence(case, lab, {}, RAMP, [RAMP], FACTS) for case in again]
    [figure] = activation_maximization.TECHNIQUE.figures(items)
    assert figure.parts[0].columns == ("1, call 1", "1, call 2")


def test_smoothness_is_judged_on_the_standardised_image(lab):
    assert verdict(lab, AM, RAMP, RAMP, "smoothness", FACTS).passed
    noise = np.random.default_rng(0).uniform(-1, 1, (8, 12, 3))
    rough = verdict(lab, AM, noise, RAMP, "smoothness", FACTS)
    assert not rough.passed
    assert "rougher than its tv_weight allows" in rough.message
    flat = verdict(lab, AM, np.zeros((8, 12, 3)), RAMP, "smoothness", FACTS)
    assert flat.message == "the image is constant"


@pytest.mark.parametrize("metric", ["score", "smoothness"])
def test_an_image_of_another_shape_says_which_was_expected(lab, metric):
    judgement = verdict(lab, AM, RAMP[:4], RAMP, metric, FACTS)
    assert judgement.message == "expected an image of shape (8, 12, 3), got (4, 12, 3)"


def sweep(lab, *images, reference=((1.0, 1.0), (0.4, 0.2))):
    cases = [case_of(lab, f"activation_maximization/cat-tv{weight}") for weight in (1, 4)]
    items = [
        Evidence(case, lab, {}, image, [RAMP], {**FACTS, "roughness": np.array(roughness)})
        for case, image, roughness in zip(cases, images, reference, strict=True)
    ]
    metric = activation_maximization.TECHNIQUE.metrics["fall"]
    return metric.judge(items, metric.threshold, Oracle())


def test_over_a_sweep_the_variation_falls_and_by_enough(lab):
    noise = np.random.default_rng(0).uniform(-1, 1, (8, 12, 3))
    assert sweep(lab, RAMP + 0.5 * noise, RAMP + 0.1 * noise).passed
    flat = sweep(lab, RAMP + 0.5 * noise, RAMP + 0.5 * noise)
    assert not flat.passed
    assert "a larger tv_weight must give a smoother image" in flat.message
    slightly = sweep(lab, RAMP + 0.5 * noise, RAMP + 0.49 * noise)
    assert slightly.measured["falling"] == pytest.approx(1)
    assert not slightly.passed
    assert not sweep(lab, RAMP, RAMP + 0.5 * noise).passed
    assert "expected an image of shape" in sweep(lab, RAMP, RAMP[:4]).message


def test_roughness_is_held_against_what_the_reference_leaves_of_it(lab):
    # A chessboard's squared steps are 4 along both axes, over a variance of 2.
    down = (-1.0) ** np.arange(8)[:, None, None] * np.ones((1, 12, 3))
    across = (-1.0) ** np.arange(12)[None, :, None] * np.ones((8, 1, 3))
    # Columns in pairs have a step at 5 of 11 places.
    paired = (-1.0) ** (np.arange(12) // 2)[None, :, None] * np.ones((8, 1, 3))
    first, second = down + across, down + paired
    found = sweep(lab, first, second)
    # All and 5/11 is left of the first; the reference leaves 0.4 and 0.2: 2.5 and 2.27 times.
    assert found.measured["roughness_left"] == pytest.approx(2.5)
    assert not found.passed
    assert (
        "at the largest, 1.00 and 0.45 of the first is left, expected at most 0.76 and 0.38"
        in found.message
    )
    assert sweep(lab, first, second, reference=((1.0, 1.0), (0.7, 0.7))).passed


def test_the_same_seed_gives_the_same_image(lab):
    cases = [case_of(lab, f"activation_maximization/dog{end}") for end in ("", "-again")]
    metric = activation_maximization.TECHNIQUE.metrics["repeat"]

    def repeat(*images):
        items = [
            Evidence(case, lab, {}, image, [], FACTS)
            for case, image in zip(cases, images, strict=True)
        ]
        return metric.judge(items, metric.threshold, Oracle())

    assert repeat(RAMP, RAMP + 0.005).passed
    assert not repeat(RAMP, RAMP + 0.02).passed
    assert "two different images" in repeat(RAMP, RAMP[:4]).message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (RAMP * 1.1, "the image goes from -1.1 to 1.1; expected values within model.input_range"),
        (np.full((8, 12, 3), 255, "uint8"), "the image goes from 255 to 255"),
        (RAMP * np.inf, "holds NaN or infinity"),
        (np.zeros((2, 8, 12, 3)), "returned shape (2, 8, 12, 3); expected one image"),
        (np.zeros((0, 12, 3)), "returned shape (0, 12, 3); expected one image"),
        (["a"], "values; expected one image"),
        ([[1], [2, 3]], "lists of unequal length"),
    ],
)
def test_what_is_no_image_in_range_is_said(lab, value, message):
    with np.errstate(invalid="ignore"), pytest.raises(OutputError) as caught:
        activation_maximization.normalise(lab, case_of(lab, AM), value)
    assert message in str(caught.value)


def test_batch_axis_and_missing_channel_axis_of_an_image_are_tolerated(lab):
    case = case_of(lab, AM)
    assert activation_maximization.normalise(lab, case, RAMP[None]).shape == (8, 12, 3)
    assert activation_maximization.normalise(lab, case, RAMP[..., 0]).shape == (8, 12, 1)


def test_facts_of_maximization_are_the_scores_of_reference_and_grey(lab):
    case = case_of(lab, AM)
    facts = activation_maximization.facts(lab, case, RAMP, [], Oracle())
    assert facts["reference_scores"] == pytest.approx([6 / 11])
    assert facts["grey_scores"] == pytest.approx([0])
    others = [0.2 * RAMP, 0.5 * RAMP]  # of the three, the median is 0.5
    facts = activation_maximization.facts(lab, case, RAMP, others, Oracle())
    assert facts["reference_scores"] == pytest.approx([3 / 11])


def test_a_picture_of_the_data_is_no_maximized_image(lab_file):
    picture = np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype("uint8")
    other = np.random.default_rng(1).integers(0, 256, (8, 12, 3)).astype("uint8")
    np.savez(lab_file.with_name("set.npz"), images=np.stack([other, picture]), labels=np.arange(2))
    lab = open_lab(lab_file)
    facts = {**FACTS, "reference_scores": np.array([0.001])}
    moved = np.roll(picture, (1, -1), (0, 1)) / 127.5 - 1
    judgement = verdict(lab, AM, moved, RAMP, "score", facts, relative_score=-100)
    assert not judgement.passed
    assert judgement.measured["resemblance"] == pytest.approx(1.0)
    assert "the image is nearly one of the data (correlation 1.00, at most 0.72)" in (
        judgement.message
    )
    far = np.roll(picture, (3, 4), (0, 1)) / 127.5 - 1
    judgement = verdict(lab, AM, far, RAMP, "score", facts, relative_score=-100)
    assert judgement.passed
    assert judgement.measured["resemblance"] < 0.5


def test_drift_of_maximized_images_is_in_what_they_achieve(lab):
    case = case_of(lab, AM)
    assert activation_maximization.drift(case, RAMP, RAMP[::-1], Oracle()) == pytest.approx(0)
    assert activation_maximization.drift(case, RAMP, RAMP * 0.5, Oracle()) == pytest.approx(0.5)


# The whole of it.


def judged(lab, oracle, **outputs):
    golden = Golden(
        accepted={techniques.key(case): [GOLDEN_TOP] for case in lab.cases},
        facts={
            techniques.key(case): {**FACTS, "probabilities": np.array([0.2, 0.7, 0.1])}
            for case in lab.cases
        },
        digest="",
    )
    missing = CaseOutput(CaseStatus.MISSING, message="nothing")
    cases = {techniques.key(case): missing for case in lab.cases}
    cases |= {key.replace("__", "/").replace("_tv", "-tv"): v for key, v in outputs.items()}
    run = RunSummary(RunStatus.COMPLETED, 0.0)
    return judge(lab, lab.cases, golden, Outputs("alice", run, cases), oracle)


def test_a_missing_output_of_a_sweep_names_its_case(lab):
    _, fall = judged(lab, Oracle())
    [result] = fall.cases
    assert result.outcome is Outcome.FAILED
    assert result.message == "cat-tv1: nothing"
    assert "maximize_activation(model, layer_name" in result.hint


def test_what_was_not_run_is_not_judged(lab):
    not_run = CaseOutput(CaseStatus.NOT_RUN, message="no memory on this machine")
    top, _ = judged(lab, Oracle(), top_predictions__photo=not_run)
    assert top.cases[0].outcome is Outcome.NOT_JUDGED
    assert top.points == 0
    assert not top.judged


def test_a_fault_of_ours_is_not_judged_and_never_a_lost_point(lab, monkeypatch):
    def broken(*_, **__):
        raise MachineError("the oracle is gone")

    returned = CaseOutput(CaseStatus.RETURNED, [["cat", 0.7], ["ball", 0.2], ["dog", 0.1]])
    top, _ = judged(lab, Oracle(), top_predictions__photo=returned)
    assert top.points == 2
    technique = techniques.TECHNIQUES["top_predictions"]
    metric = technique.metrics["agreement"]
    monkeypatch.setitem(metric.__dict__, "judge", broken)
    top, _ = judged(lab, Oracle(), top_predictions__photo=returned)
    assert top.cases[0].outcome is Outcome.NOT_JUDGED
    assert "could not judge this (MachineError: the oracle is gone)" in top.cases[0].message
    monkeypatch.setitem(technique.__dict__, "normalise", broken)
    top, _ = judged(lab, Oracle(), top_predictions__photo=returned)
    assert top.cases[0].outcome is Outcome.NOT_JUDGED


def test_too_little_memory_is_not_taken_for_a_fault_of_ours(lab, monkeypatch):
    """The process that judges has a limit: whoever started it says whose failure it is."""

    def hungry(*_, **__):
        raise MemoryError

    returned = CaseOutput(CaseStatus.RETURNED, [["cat", 0.7], ["ball", 0.2], ["dog", 0.1]])
    technique = techniques.TECHNIQUES["top_predictions"]
    with monkeypatch.context() as patched:
        patched.setitem(technique.metrics["agreement"].__dict__, "judge", hungry)
        with pytest.raises(MemoryError):
            judged(lab, Oracle(), top_predictions__photo=returned)
    monkeypatch.setitem(technique.__dict__, "normalise", hungry)
    with pytest.raises(MemoryError):
        judged(lab, Oracle(), top_predictions__photo=returned)


def test_no_more_is_held_at_once_than_one_group_of_cases_needs(tmp_path, monkeypatch):
    """All that is asked of a case is asked in a row; then what was made of it is dropped."""
    lab = small_lab.make_lab(tmp_path / "lab")
    golden = small_lab.golden_of(lab)
    made, judged_one = Golden.evidence, judging._judge_one
    found, alive = [], {}

    def counted(self, *arguments):
        item = made(self, *arguments)
        found.append(weakref.ref(item))
        return item

    def watched(name, *arguments):
        alive[name] = sum(reference() is not None for reference in found)
        return judged_one(name, *arguments)

    monkeypatch.setattr(Golden, "evidence", counted)
    monkeypatch.setattr(judging, "_judge_one", watched)
    small_lab.graded(lab, golden=golden)
    assert len(found) == 12
    assert alive == {**dict.fromkeys(alive, 1), "sweep": 3, "same": 2}
    assert [reference() for reference in found] == [None] * 12
