"""
attack: prints 100 MB to stdout and to stderr, around honest work
verdict: full
says: more bytes were printed
"""

from honest import attempt, class_activation_map, top_predictions

import os
import sys
import warnings

warnings.warn("a student's own warning")
line = b"x" * 99 + b"\n"
for descriptor in (1, 2):
    for _ in range(1000):
        os.write(descriptor, line * 1000)
print("\x1b[2J\x1b]0;title\x07", file=sys.stderr)
