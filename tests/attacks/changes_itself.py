"""
attack: rewrites and removes its own files while it is graded, for whoever reads them next
verdict: full
"""

from honest import class_activation_map, top_predictions

import os

for name in (__file__, os.path.join(os.path.dirname(__file__), "honest.py")):
    with open(name, "w") as file:
        file.write("raise RuntimeError('changed')\n")
os.remove(__file__)
os.mkdir(__file__)
