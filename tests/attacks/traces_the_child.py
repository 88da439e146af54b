"""
attack: sets traces, profilers, hooks and finalizers in its own process
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import atexit
import gc
import sys
import threading

print("held", sys.settrace(lambda *a: None), sys.setprofile(lambda *a: None))
sys.settrace(None)
sys.setprofile(None)
sys.excepthook = threading.excepthook = lambda *a: print("got a hook")
sys.unraisablehook = lambda *a: None
atexit.register(lambda: print("got the end"))
gc.callbacks.append(lambda *a: None)
sys.setrecursionlimit(50_000)
