"""
attack: answers, as it is imported, with texts that are lists nested a thousand deep
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: no valid answer while importing
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

deep = b"[" * 940 + b"]" * 940
send(frame(b'{"reply": "loaded", "found": [], "defined": [], "failures": [{"file": ' + deep + b', "message": ' + deep + b', "traceback": 1}]}'))

def top_predictions(model, image, k):
    return []

class_activation_map = top_predictions
