"""Makes the process keep the memory of large temporary CPU tensors instead of returning it to the kernel after every operation.

glibc maps each allocation above a threshold anew, and the kernel zeroes it page by page at first use: a tenth of the time of a small
model's training step. Results do not change.
"""

import ctypes
import sys

# <malloc.h>
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
MMAP_THRESHOLD_BYTES = 32 * 2**20  # the most that glibc accepts
TRIM_THRESHOLD_BYTES = 2**31 - 1


def keep_freed_memory() -> bool:
    """Ask glibc to reuse freed memory in this process; returns whether it agreed (other C libraries lack the call)."""
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD_BYTES) and mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD_BYTES))
