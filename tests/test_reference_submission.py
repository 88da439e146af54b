import inspect

import pytest

pytestmark = pytest.mark.tensorflow

pytest.importorskip("keras")

from reference import submission  # noqa: E402  (after the skip)

CONTRACT = {
    "top_predictions": "model image k",
    "layer_activations": "model image layer_names",
    "mean_activations": "model images labels layer_name",
    "dominant_filters": "model images labels layer_name",
    "maximize_activation": "model layer_name filter_indices tv_weight seed",
    "class_activation_map": "model image class_index layer_name modifier",
}


def test_submission_defines_the_contract_and_nothing_else():
    assert sorted(submission.__all__) == sorted(CONTRACT)
    public = {name for name in vars(submission) if not name.startswith("_")}
    assert public == set(CONTRACT)


@pytest.mark.parametrize("name", CONTRACT)
def test_parameters_are_those_of_the_contract(name):
    parameters = inspect.signature(getattr(submission, name)).parameters
    assert " ".join(parameters) == CONTRACT[name]
