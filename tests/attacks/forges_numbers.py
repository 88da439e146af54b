"""
attack: answers with numbers too large for any machine, so that reading them fails
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: more than 64 bits(.|\n)*no number of seconds
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

HUGE = b"1" + b"0" * 400

def top_predictions(model, image, k):
    send(frame(b'{"reply": "returned", "value": ' + HUGE + b', "seconds": ' + HUGE + b"}"))

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    send(frame(b'{"reply": "returned", "value": 1, "seconds": NaN}'))
