"""
attack: leaves from within a function
verdict: none
says: exit status 0
"""

import os
import sys

def top_predictions(model, image, k):
    sys.exit(0)

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    os._exit(0)
