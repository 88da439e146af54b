"""
attack: leaves a marker in memory, files and the environment for the next submission to find
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import builtins
import os
import secrets
import sys

marker = "XGH-" + "LEFT-" + secrets.token_hex(8)
builtins.left = sys.modules["left"] = [marker] * 1000
os.environ["LEFT"] = marker
for folder in (".", os.environ["TMPDIR"], os.environ["HOME"], "/tmp", "/dev/shm", "/var/tmp"):
    try:
        with open(os.path.join(folder, "left.txt"), "w") as file:
            file.write(marker)
    except OSError:
        pass
