"""
attack: takes memory that no limit of its own counts
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os
from multiprocessing import shared_memory

attempt("memfd", lambda: os.memfd_create("x"))
attempt("System V", lambda: ctypes.CDLL(None).shmget(1234, 2**30, 0o1666) >= 0)
attempt("POSIX", lambda: shared_memory.SharedMemory(create=True, size=2**30).name)
attempt("message queue", lambda: ctypes.CDLL(None).msgget(1234, 0o1666) >= 0)
attempt("/dev/shm", lambda: open("/dev/shm/flood", "wb").write(bytes(2**26)))
attempt("/tmp", lambda: open("/tmp/flood", "wb").write(bytes(2**26)))
