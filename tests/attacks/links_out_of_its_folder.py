"""
attack: makes links, pipes and sockets that lead the grader astray
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import os
import socket

attempt("symbolic link", lambda: os.symlink("/etc/passwd", "link") or "made")
attempt("hard link", lambda: os.link("/etc/hostname", "hard") or "made")
attempt("pipe", lambda: os.mkfifo("pipe") or "made")
attempt("device", lambda: os.mknod("device", 0o020666, os.makedev(1, 3)) or "made")
attempt("socket", lambda: socket.socket(socket.AF_UNIX).bind("socket") or "made")
