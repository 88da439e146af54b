"""
attack: opens descriptors without end
verdict: none
says: Too many open files
"""

import os

def top_predictions(model, image, k):
    while True:
        os.pipe()

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    held = []
    while True:
        held.append(open("/dev/null"))
