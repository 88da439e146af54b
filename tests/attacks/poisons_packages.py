"""
attack: changes packages, caches and start-up files that later submissions would load
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import keras
import numpy
import os
import site
import sys
import tensorflow

places = [os.path.dirname(m.__file__) for m in (numpy, keras, tensorflow, os)] + site.getsitepackages() + [sys.prefix]
for place in places:
    for name in ("sitecustomize.py", "poison.pth", "__init__.py", "__pycache__/os.cpython-311.pyc"):
        attempt(f"{place}/{name}", lambda: open(os.path.join(place, name), "a").write("#"))
attempt("removal", lambda: os.remove(numpy.__file__) or "removed")
attempt("rename", lambda: os.rename(os.path.dirname(numpy.__file__), "numpy") or "renamed")
attempt("link", lambda: os.link(numpy.__file__, "numpy-file") or "linked")
attempt("truncate", lambda: os.truncate(numpy.__file__, 0) or "emptied")
attempt("open and empty", lambda: os.open(numpy.__file__, os.O_RDONLY | os.O_TRUNC))
attempt("materials", lambda: [open(os.path.join(os.environ["HARNESS_MATERIALS"], n), "wb") for n in os.listdir(os.environ["HARNESS_MATERIALS"])])
