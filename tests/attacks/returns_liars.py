"""
attack: returns subclasses of arrays, lists, dicts and strings that lie about themselves
verdict: none
"""

import numpy as np

class Liar(np.ndarray):
    shape = dtype = nbytes = property(lambda self: 1)
    def __eq__(self, other):
        return True
    def __iter__(self):
        while True:
            yield 1

class Equal(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__

class Endless(list):
    def __iter__(self):
        while True:
            yield ("x", 1.0)

def top_predictions(model, image, k):
    return Endless([(Equal("x"), 1.0)])

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return np.zeros(image.shape[:2]).view(Liar)
