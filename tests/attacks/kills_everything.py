"""
attack: signals every process that it can name
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os
import signal

for pid in (-1, 1, 2, 3, os.getppid(), -os.getppid(), os.getpid() - 1, os.getpid() - 2):
    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGUSR1):
        attempt(f"kill {pid} {number}", lambda: os.kill(pid, number) or "sent")
