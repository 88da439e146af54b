"""
attack: computes in many threads at once
verdict: none
says: processor time|timed out
"""

import hashlib
import threading

DATA = bytes(2**24)

def burn():
    while True:
        hashlib.sha256(DATA)

def top_predictions(model, image, k):
    for _ in range(8):
        threading.Thread(target=burn, daemon=True).start()
    burn()

class_activation_map = top_predictions
