"""
attack: crashes in native code
verdict: none
says: SIGSEGV
"""

import ctypes
import os

def top_predictions(model, image, k):
    ctypes.string_at(0)

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    os.abort()
