"""
attack: never returns from native code
verdict: none
says: timed out
"""

import re

def top_predictions(model, image, k):
    return re.match(r"(a+)+$", "a" * 60 + "b")

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return sum(range(10**15))
