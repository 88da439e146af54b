"""
attack: has the kernel signal others: owners of descriptors, message queues, timers
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import fcntl
import os
import struct

read, write = os.pipe()
attempt("F_SETOWN", lambda: fcntl.fcntl(read, 8, os.getppid()) == 0)
attempt("F_SETSIG", lambda: fcntl.fcntl(read, 10, 9) == 0)
attempt("F_SETOWN_EX", lambda: fcntl.fcntl(read, 15, struct.pack("ii", 1, os.getppid())) and "set")
libc = ctypes.CDLL(None, use_errno=True)
attempt("prlimit of its parent", lambda: libc.syscall(302, os.getppid(), 0, struct.pack("QQ", 0, 0), 0) == 0)
attempt("timer_create", lambda: libc.syscall(222, 0, struct.pack("qiii", 0, 9, 0, 0) + bytes(48), ctypes.byref(ctypes.c_int())) == 0)
attempt("affinity of its parent", lambda: os.sched_setaffinity(os.getppid(), {0}) or "set")
attempt("priority of its parent", lambda: os.setpriority(os.PRIO_PROCESS, os.getppid(), 19) or "set")
