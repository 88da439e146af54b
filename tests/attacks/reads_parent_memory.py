"""
attack: reads the memory of the process that forked it by system calls
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os

libc = ctypes.CDLL(None, use_errno=True)

def call(*arguments):
    result = libc.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return result or "allowed"

buffer = ctypes.create_string_buffer(64)
attempt("process_vm_readv", lambda: call(310, os.getppid(), buffer, 1, buffer, 1, 0))
attempt("ptrace", lambda: call(101, 16, os.getppid(), 0, 0))
attempt("pidfd_open", lambda: call(434, os.getppid(), 0))
attempt("kcmp", lambda: call(312, os.getpid(), os.getppid(), 0, 0, 0))
