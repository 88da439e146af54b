"""
attack: returns object arrays, NaN, functions, generators and classes
verdict: none
says: returned a|not finite|NaN|finite
"""

import numpy as np

def top_predictions(model, image, k):
    return np.array([object(), lambda: 1, {1}], dtype=object)

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.full(image.shape[:2], np.nan)
