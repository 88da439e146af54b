"""
attack: starts processes without end
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import multiprocessing
import os
import subprocess

def fork():
    for _ in range(1000):
        if os.fork() == 0:
            while True:
                pass
    return "forked"

attempt("fork", fork)
attempt("subprocess", lambda: subprocess.Popen(["sleep", "1000"]).pid)
attempt("posix_spawn", lambda: os.posix_spawn("/bin/sleep", ["sleep", "1000"], {}))
attempt("multiprocessing", lambda: multiprocessing.get_context("fork").Process(target=print).start() or "started")
