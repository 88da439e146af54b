"""
attack: sends SIGKILL to itself, to look like a fault of the machine
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os
import signal
import threading

attempt("kill", lambda: os.kill(os.getpid(), signal.SIGKILL) or "sent")
attempt("pthread_kill", lambda: signal.pthread_kill(threading.get_ident(), signal.SIGKILL) or "sent")
attempt("killpg", lambda: os.killpg(os.getpid(), signal.SIGKILL) or "sent")
attempt("tkill", lambda: ctypes.CDLL(None).syscall(200, os.getpid(), 9) == 0 and "sent")
