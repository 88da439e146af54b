"""
attack: walks its callers and looks for anything of the grader
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import sys

WORDS = ("golden", "threshold", "hidden", "points", "expected")

def walk():
    frame, found = sys._getframe(), []
    while frame is not None:
        found += [n for n in frame.f_locals if any(w in n.lower() for w in WORDS)]
        frame = frame.f_back
    return [n for n in found if n != "WORDS"]

attempt("callers", walk)
