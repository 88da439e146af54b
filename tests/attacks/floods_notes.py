"""
attack: says, as it is imported, that its file stopped with a message of megabytes
verdict: none
targets: harness.execution.wire:MAGIC=XGH1
says: ^a+ stopped: x{100,3000}; what was defined
"""

import json
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

failed = {"file": "a" * 10_000, "message": "x" * 1_000_000, "traceback": "y" * 500_000}
send(frame(json.dumps({"reply": "loaded", "found": ["top_predictions"], "defined": [], "failures": [failed]}).encode()))

def top_predictions(model, image, k):
    return []
