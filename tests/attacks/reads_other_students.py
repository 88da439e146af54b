"""
attack: looks for the homes of other submissions
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os

attempt("neighbours", lambda: [n for n in os.listdir("..") if n != os.path.basename(os.getcwd())])
attempt("homes", lambda: os.listdir("/home"))
attempt("submissions", lambda: os.listdir("/work/main/submissions"))
