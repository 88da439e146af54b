"""
attack: looks for what the submission before it left
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os
import re
import sys

pattern = re.compile(b"XGH-" + b"LEFT-" + b"[0-9a-f]" + b"{16}")

def memory():
    found = []
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as mem:
        for line in maps:
            area, rights = line.split()[:2]
            start, end = (int(x, 16) for x in area.split("-"))
            if rights.startswith("rw") and end - start < 2**28:
                try:
                    mem.seek(start)
                    found += pattern.findall(mem.read(end - start))
                except OSError:
                    pass
    return found

attempt("memory", memory)
attempt("files", lambda: [f for f in (".", os.environ["TMPDIR"], "/tmp", "/dev/shm", "/var/tmp") if os.path.exists(os.path.join(f, "left.txt"))])
attempt("environment", lambda: os.environ.get("LEFT"))
attempt("modules", lambda: "left" in sys.modules)
