"""
attack: writes answers of its own before the real ones
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
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

def top_predictions(model, image, k):
    send(frame({"reply": "returned", "value": [["tree", 1.0]], "seconds": 0.0}))
    return [("wrong", 1.0)]

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return image[..., 0] * 0
