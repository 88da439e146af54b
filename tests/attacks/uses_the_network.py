"""
attack: opens sockets of every kind and looks up names
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import ctypes
import socket
import urllib.request

for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX, socket.AF_NETLINK, socket.AF_PACKET, 40, 38, 16):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW):
        attempt(f"socket {int(family)} {int(kind)}", lambda: socket.socket(family, kind).fileno())
attempt("DNS", lambda: socket.getaddrinfo("example.org", 80))
attempt("HTTP", lambda: urllib.request.urlopen("http://127.0.0.1:80", timeout=1).read())
attempt("datagram pair", lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].fileno())
pair = socket.socketpair()
attempt("connect", lambda: pair[0].connect("\0abstract") or "connected")
attempt("bind", lambda: pair[0].bind("\0abstract") or "bound")
attempt("io_uring", lambda: ctypes.CDLL(None).syscall(425, 8, ctypes.create_string_buffer(120)) >= 0)
