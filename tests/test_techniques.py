"""What the techniques tell the rest of the harness: contract, keys, selections, arguments."""

from __future__ import annotations

import dataclasses
import inspect

import numpy as np
import pytest

from harness import techniques
from harness.errors import LabError, UsageError
from harness.grading import open_lab
from harness.lab import Case, Check
from harness.techniques import CONTRACT, TECHNIQUES, part_of, selected
from harness.techniques.base import ArgumentError, largest_difference, no_facts, no_figures


@pytest.fixture
def lab(lab_file):
    return open_lab(lab_file)


def check(metric, *cases):
    return Check("one", metric, 1.0, {}, cases or None)


def test_the_contract_has_the_functions_of_the_handout_with_the_model_first():
    assert {name: ", ".join(parameters) for name, parameters in CONTRACT.items()} == {
        "top_predictions": "model, image, k",
        "layer_activations": "model, image, layer_names",
        "mean_activations": "model, images, labels, layer_name",
        "dominant_filters": "model, images, labels, layer_name",
        "maximize_activation": "model, layer_name, filter_indices, tv_weight, seed",
        "class_activation_map": "model, image, class_index, layer_name, modifier",
    }


def test_the_second_call_of_a_repetition_finds_other_global_generators(lab):
    """What is drawn from them without a seed would otherwise look reproducible."""
    seeds = {case.id: techniques.call_of(lab, case).seed for case in lab.cases}
    assert (seeds["dog"], seeds["dog-again"]) == (0, 1)
    assert sum(seeds.values()) == 1


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=lambda technique: technique.name)
def test_signatures_are_python_and_name_the_parameters_in_order(technique):
    for name, function in technique.functions.items():
        scope: dict = {}
        exec(f"import numpy as np\ndef {function.signature}: ...", scope)
        assert tuple(inspect.signature(scope[name]).parameters) == function.parameters


@pytest.mark.parametrize("technique", TECHNIQUES.values(), ids=lambda technique: technique.name)
def test_every_metric_judges_functions_of_its_own_technique(technique):
    for metric in technique.metrics.values():
        assert set(metric.functions) <= set(technique.functions)
        assert metric.threshold


def test_every_argument_resolves_to_parameters_of_the_contract(lab):
    for case in lab.cases:
        values = techniques.resolve_arguments(lab, case)
        assert set(values) == set(CONTRACT[case.function]) - {"model"}


def test_defaults_stand_for_what_a_case_does_not_give(lab):
    by_key = {techniques.key(case): techniques.call_of(lab, case) for case in lab.cases}
    assert by_key["top_predictions/photo"].arguments["k"] == 5
    assert by_key["activation_maximization/cat-tv4"].arguments == {
        "layer_name": "dense",
        "filter_indices": [1],
        "tv_weight": 4,
        "seed": 0,
    }


def test_an_answer_may_be_several_times_what_is_expected_and_not_more(lab):
    """By hand: 64 KB, and 8 times 8 bytes for each number of the reference's, or of the image."""
    cases = {techniques.key(case): case for case in lab.cases}
    cam = next(c for c in cases.values() if c.function == "class_activation_map")
    image = techniques.call_of(lab, cam).arguments["image"]
    assert techniques.call_of(lab, cam).most_bytes is None
    assert techniques.call_of(lab, cam, np.zeros((2, 2))).most_bytes == 65536 + 64 * image.size
    assert techniques.call_of(lab, cam, np.zeros((200, 200))).most_bytes == 65536 + 64 * 40_000
    maps = next(c for c in cases.values() if c.function == "layer_activations")
    expected = {"conv": np.zeros((100, 100, 3)), "dense": np.zeros(7)}
    assert techniques.call_of(lab, maps, expected).most_bytes == 65536 + 64 * 30_007
    top = next(c for c in cases.values() if c.function == "top_predictions")
    assert techniques.call_of(lab, top, [("ball", 0.5)] * 5).most_bytes == 65536 + 64 * image.size


def test_a_case_names_its_technique_and_its_signature(lab):
    mean = lab.cases[2]
    assert techniques.technique_of(mean).name == "layer_activations"
    assert techniques.key(mean) == "layer_activations/mean"
    assert techniques.signature_of(mean).startswith("mean_activations(model, images, labels")


def test_a_check_without_cases_judges_every_case_that_its_metric_applies_to(lab):
    found = list(selected(lab, check("activation_maximization.score")))
    assert [name for name, _ in found] == ["cat-tv1", "cat-tv4", "dog", "dog-again"]
    assert all([case.id for case in cases] == [name] for name, cases in found)


def test_a_check_with_cases_judges_these_in_its_own_order(lab):
    found = list(selected(lab, check("activation_maximization.score", "dog", "cat-tv1")))
    assert [name for name, _ in found] == ["dog", "cat-tv1"]


def test_a_grouped_check_judges_sweeps_and_repetitions_as_one(lab):
    found = list(selected(lab, check("activation_maximization.fall")))
    assert [(name, [case.id for case in cases]) for name, cases in found] == [
        ("cat", ["cat-tv1", "cat-tv4"]),
    ]
    found = list(selected(lab, check("activation_maximization.repeat")))
    assert [(name, [case.id for case in cases]) for name, cases in found] == [
        ("dog", ["dog", "dog-again"]),
    ]


def test_cases_of_another_function_are_never_selected(lab):
    # `photo` is the id of three cases of three functions.
    [(name, cases)] = selected(lab, check("top_predictions.agreement", "photo"))
    assert (name, [case.function for case in cases]) == ("photo", ["top_predictions"])


def test_a_part_of_the_lab_has_the_cases_asked_for_and_the_checks_they_allow(lab):
    part = part_of(lab, ["activation_maximization/cat-tv1", "layer_activations/mean"])
    assert {case.id for case in part.cases} == {"cat-tv1", "mean"}
    assert part.questions == ()
    whole = {one.id: one for one in lab.checks}
    for one in part.checks:
        names = [name for name, _ in selected(part, one)]
        assert set(names) <= {"cat-tv1", "mean"}
        assert names == [name for name, _ in selected(lab, whole[one.id]) if name in names]
    assert {one.metric for one in part.checks} == {
        one.metric
        for one in lab.checks
        if {"cat-tv1", "mean"} & {name for name, _ in selected(lab, one)}
    }


def test_a_sweep_is_asked_for_as_one(lab):
    cases = part_of(lab, ["activation_maximization/cat"]).cases
    assert [case.id for case in cases] == ["cat-tv1", "cat-tv4"]


def test_a_part_that_is_not_there_or_hidden_is_refused(lab):
    with pytest.raises(UsageError, match=r"no case 'layer_activations/mena'; did you mean"):
        part_of(lab, ["layer_activations/mena"])
    hidden = dataclasses.replace(lab.cases[2], hidden=True)
    cases = tuple(hidden if case is lab.cases[2] else case for case in lab.cases)
    with pytest.raises(UsageError, match="no case 'layer_activations/mean'"):
        part_of(dataclasses.replace(lab, cases=cases), ["layer_activations/mean"])


def test_a_case_of_another_function_cannot_be_named(lab):
    wrong = dataclasses.replace(lab, checks=(check("layer_activations.agreement", "mean"),))
    with pytest.raises(LabError, match=r"no case 'mean' for layer_activations\.agreement; .*photo"):
        techniques.validate(wrong)


def test_a_class_may_be_given_by_index_and_is_checked(lab):
    resolve = TECHNIQUES["class_activation_maps"].functions["class_activation_map"].arguments
    case = lab.cases[-1]
    assert resolve["class"].resolve(lab, case, 2) == {"class_index": 2}
    assert resolve["class"].resolve(lab, case, "dog") == {"class_index": 2}
    for given, said in ((3, "classes go from 0 to 2, found 3"), ("fog", "did you mean 'dog'?")):
        with pytest.raises(ArgumentError) as caught:
            resolve["class"].resolve(lab, case, given)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "given", "said"),
    [
        ("tv_weight", 1000.5, "expected a number from 0 to 1000, found 1000.5"),
        ("tv_weight", "1", "expected a number from 0 to 1000, found '1'"),
        ("tv_weight", None, "expected a number from 0 to 1000, found None"),
        ("seed", 2**31, "expected a whole number from 0 to 2.14748e+09, found 2147483648"),
        ("seed", 1.0, "expected a whole number"),
        ("filter_indices", [], "expected a list of indices such as [1, 7], found []"),
        ("filter_indices", [1, "7"], "found [1, '7']"),
        ("layer_name", ["conv"], "model 'net' has no layer ['conv']; "),
        ("layer_name", None, "model 'net' has no layer None; allowed: image, conv, dense"),
    ],
)
def test_an_argument_of_another_kind_says_what_is_allowed(lab, name, given, said):
    arguments = TECHNIQUES["activation_maximization"].functions["maximize_activation"].arguments
    with pytest.raises(ArgumentError) as caught:
        arguments[name].resolve(lab, lab.cases[3], given)
    assert said in str(caught.value)


@pytest.mark.parametrize(("name", "given"), [("tv_weight", 0), ("tv_weight", 1000), ("seed", 0)])
def test_the_ends_of_a_range_are_in_it(lab, name, given):
    arguments = TECHNIQUES["activation_maximization"].functions["maximize_activation"].arguments
    assert arguments[name].resolve(lab, lab.cases[3], given) == {name: given}


def test_an_error_of_an_argument_names_the_line_of_its_case(lab):
    case = dataclasses.replace(lab.cases[0], arguments={"image": "photo", "k": 0})
    with pytest.raises(LabError, match=r"lab\.yaml:12, cases\.top_predictions\.0\.k: expected a"):
        techniques.resolve_arguments(lab, case)


@pytest.mark.parametrize(
    ("stored", "fresh", "difference"),
    [
        (np.array([1.0, -4.0]), np.array([1.0, -3.0]), 0.25),
        (np.array([1.0]), np.array([[1.0]]), 1.0),
        (np.zeros(2), np.zeros(2), 0.0),
        ({"a": np.ones(2), "b": np.ones(2)}, {"a": np.ones(2), "b": np.full(2, 1.5)}, 0.5),
        ([("cat", 0.5)], [("cat", 0.4)], 0.2),
        ([("cat", 0.5)], [("dog", 0.5)], 1.0),
        ([("cat", 0.5)], [], 1.0),
        ([], [], 0.0),
        ({}, {}, 0.0),
    ],
)
def test_drift_is_the_largest_difference_relative_to_the_largest_value(stored, fresh, difference):
    assert largest_difference(stored, fresh) == pytest.approx(difference)
    assert TECHNIQUES["layer_activations"].drift(None, stored, fresh, None) == pytest.approx(
        difference
    )


def test_techniques_may_have_neither_facts_nor_figures(lab):
    case = Case("a", "top_predictions", "net", {}, "a")
    assert no_facts(lab, case, None, [], None) == {}
    assert no_figures([]) == ()
