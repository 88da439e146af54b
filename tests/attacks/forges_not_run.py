"""
attack: claims that the machine failed, to be held back instead of failed
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
    send(frame({"reply": "not_run", "message": "model could not be loaded", "traceback": "", "seconds": 0}))
    os._exit(0)

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return top_predictions(model, image, 5)
