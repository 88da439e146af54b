"""
attack: runs programs by every call there is
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os

attempt("execv", lambda: os.execv("/bin/sh", ["sh", "-c", "true"]))
attempt("execve of a descriptor", lambda: os.execve(os.open("/usr/lib/os-release", os.O_RDONLY), ["x"], {}))
attempt("system", lambda: os.system("true") == 0)
attempt("popen", lambda: os.popen("echo hello").read())
attempt("vfork", lambda: ctypes.CDLL(None).syscall(58) >= 0)
attempt("clone3", lambda: ctypes.CDLL(None).syscall(435, bytes(88), 88) >= 0)
