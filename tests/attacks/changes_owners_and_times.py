"""
attack: changes modes, owners, times and attributes of files that are not its own
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import numpy
import os
import stat

before = os.stat(numpy.__file__)
for change in (
    lambda: os.chmod(numpy.__file__, 0),
    lambda: os.chown(numpy.__file__, 1, 1),
    lambda: os.utime(numpy.__file__, (0, 0)),
    lambda: os.utime(numpy.__file__),
    lambda: os.setxattr(numpy.__file__, "user.x", b"1"),
):
    try:
        change()
    except OSError:
        pass
after = os.stat(numpy.__file__)
same = [getattr(before, n) == getattr(after, n) for n in ("st_mode", "st_uid", "st_mtime", "st_size")]
attempt("changes", lambda: not all(same))
attempt("attributes", lambda: os.listxattr(numpy.__file__))
