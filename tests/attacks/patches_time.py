"""
attack: turns the clock off and loops for ever
verdict: none
says: timed out
"""

import signal
import time

time.time = time.monotonic = time.perf_counter = lambda: 0.0
signal.alarm(0)

def top_predictions(model, image, k):
    while True:
        pass

class_activation_map = top_predictions
