"""
attack: returns ten thousand million numbers and lists nested without end
verdict: none
says: nested|MB|memory
"""

import numpy as np

def top_predictions(model, image, k):
    nested = []
    for _ in range(100_000):
        nested = [nested]
    return nested

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.zeros((50_000, 50_000), "uint8")
