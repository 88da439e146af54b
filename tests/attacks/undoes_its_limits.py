"""
attack: raises its limits and lets go of the leash that ends it with the grader
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import resource

for name in ("RLIMIT_AS", "RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_NOFILE"):
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    attempt(name, lambda: resource.setrlimit(kind, (hard + 1, hard + 1)) or "raised" if hard > 0 else "no limit")
attempt("PDEATHSIG", lambda: ctypes.CDLL(None).prctl(1, 0, 0, 0, 0) == 0)
attempt("subreaper", lambda: ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) == 0)
