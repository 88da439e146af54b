"""
attack: answers with hundreds of thousands of empty lists, and of references to one array
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: more than 10000 items
"""

import os
import struct

def frame(text, payload=b""):
    return struct.pack(">4sIQ", b"XGH1", len(text), len(payload)) + text + payload

def send(data):
    for descriptor in range(3, 16):
        try:
            while data:
                data = data[os.write(descriptor, data):]
            return
        except OSError:
            pass

def top_predictions(model, image, k):
    send(frame(b'{"reply": "returned", "seconds": 0, "value": [' + b"[]," * 600_000 + b"[]]}"))

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    header = b'{"0": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}}'
    array = struct.pack("<Q", len(header)) + header + b"x"
    send(frame(b'{"reply": "returned", "seconds": 0, "value": [' + b'{"array": 0},' * 100_000 + b"1]}", array))
