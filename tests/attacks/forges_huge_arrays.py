"""
attack: declares arrays of 10^18 values and payloads of 2^60 bytes
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: no valid answer
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
    header = json.dumps({"0": {"dtype": "F32", "shape": [10**9, 10**9], "data_offsets": [0, 4]}}).encode()
    send(frame({"reply": "returned", "value": {"$array": 0}, "seconds": 0}, struct.pack("<Q", len(header)) + header + bytes(4)))
    return 1

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    send(frame({}, lengths=(2**31, 2**60)))
    return 1
