"""
attack: stops itself, and ends by itself in other ways
verdict: none
says: SIGTERM|SIGALRM
"""

import os
import signal

def top_predictions(model, image, k):
    os.kill(os.getpid(), signal.SIGTSTP)
    signal.raise_signal(signal.SIGTERM)

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    signal.pause()
