"""The reference as a submission: the six functions of the contract, run like any student's."""

from reference.activation_maximization import maximize_activation
from reference.class_activation_maps import class_activation_map
from reference.layer_activations import dominant_filters, layer_activations, mean_activations
from reference.top_predictions import top_predictions

__all__ = [
    "class_activation_map",
    "dominant_filters",
    "layer_activations",
    "maximize_activation",
    "mean_activations",
    "top_predictions",
]
