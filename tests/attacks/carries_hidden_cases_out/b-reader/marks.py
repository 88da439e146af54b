"""A picture of 49 bits, in which pages of system files are in memory."""

import glob
import os

import numpy as np

FILES = sorted(path for path in glob.glob("/usr/share/zoneinfo/A*/*") if os.path.isfile(path) and not os.path.islink(path))[:49]


def bits(image):
    size = image.shape[0] // 7
    small = image[: 7 * size, : 7 * size, 0].reshape(7, size, 7, size).mean((1, 3))
    return [int(bit) for bit in (small > np.mean(small)).ravel()]


def mark(path, bit):
    file = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    except OSError:
        pass
    if bit:
        os.pread(file, 8, 0)
    os.close(file)


def marked(path):
    file = os.open(path, os.O_RDONLY)
    try:
        os.preadv(file, [bytearray(8)], 0, os.RWF_NOWAIT)
        return 1
    except BlockingIOError:
        return 0
    finally:
        os.close(file)
