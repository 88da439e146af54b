"""
attack: looks for the homes of other submissions
verdict: full
targets: submissions/
"""

from honest import attempt, class_activation_map, top_predictions

import os
import sys

attempt("neighbours", lambda: [n for n in os.listdir("..") if n != os.path.basename(os.getcwd())])
attempt("homes", lambda: os.listdir("/home"))
checkout = os.path.dirname(os.path.dirname(sys.modules["harness"].__file__))
for name in ("submissions", "reports"):
    attempt(name, lambda: os.listdir(os.path.join(checkout, name)))
