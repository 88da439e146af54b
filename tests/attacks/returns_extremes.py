"""
attack: returns numbers that overflow in whatever is computed of them
verdict: none
says: returned shape \(5,\)
"""

import numpy as np

def top_predictions(model, image, k):
    return [("seven", 1e308), ("one", -1e308), ("two", 5e-324), ("three", 2.0**63), ("four", 1.0)]

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.array([1e308, -1e308, 1e300, 0, np.finfo("float64").max])
