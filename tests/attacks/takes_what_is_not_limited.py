"""
attack: takes the disk in one call, watches the files of others, speaks other protocols, hides from view
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import os
import socket

libc = ctypes.CDLL(None, use_errno=True)

def allocate():
    descriptor = os.open("flood", os.O_RDWR | os.O_CREAT)
    taken = libc.fallocate(descriptor, 0, ctypes.c_long(0), ctypes.c_long(2**24)) == 0
    os.close(descriptor)
    return taken

def watch():
    descriptor = libc.inotify_init()
    return [path for path in (b"/", b"/tmp", b"..") if libc.inotify_add_watch(descriptor, path, 0xFFF) >= 0]

attempt("fallocate", allocate)
attempt("inotify", watch)
for family in (16, 30, 40):
    attempt(f"pair of family {family}", lambda: socket.socketpair(family, socket.SOCK_STREAM)[0].fileno())
attempt("dumpable", lambda: libc.prctl(4, 0, 0, 0, 0) == 0)
attempt("spared by the kernel", lambda: int(open("/proc/self/oom_score_adj").read()) < 1000)
