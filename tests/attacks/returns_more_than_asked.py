"""
attack: returns arrays that are within output_mb, and take gigabytes when they are judged and drawn
verdict: none
says: far more than the contract asks for
report: true
seconds: 5
peak_mb: 100
"""

import numpy as np

def top_predictions(model, image, k):
    return np.zeros(3 * 2**20, "bool")

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.zeros((1, 3 * 2**20), "bool")
