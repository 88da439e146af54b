"""
attack: patches NumPy, JSON, time and os so that everything compares equal
verdict: none
"""

import json
import os
import time

import numpy as np

np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
np.argsort = np.corrcoef = lambda *a, **k: np.ones(10)
json.loads = lambda *a, **k: {"points": 20}
time.time = time.monotonic = time.perf_counter = lambda: 0.0
os.write = lambda *a: None

def top_predictions(model, image, k):
    return [("wrong", 1.0)] * k

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.ones(image.shape[:2])
