"""
attack: ignores every signal that it can, and sleeps
verdict: none
says: timed out
"""

import signal
import time

for number in range(1, signal.NSIG):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, signal.NSIG))

def top_predictions(model, image, k):
    time.sleep(1000)

class_activation_map = top_predictions
