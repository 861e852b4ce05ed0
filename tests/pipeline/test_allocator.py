"""The allocator's setting: glibc accepts it, and it shows in a process' page faults."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from snowcoder.pipeline.allocator import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    sys.exit(3)
def touch():
    np.ones(2**20, dtype=np.float64)[0] = 0  # 8 MiB
touch()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(20):
    touch()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def page_faults(setting: str) -> int:
    result = subprocess.run([sys.executable, "-c", SCRIPT, setting], capture_output=True, text=True, check=False)
    if result.returncode == 3:
        pytest.skip("this C library has no mallopt: keep_freed_memory() does nothing here")
    assert result.returncode == 0, result.stderr
    return int(result.stdout)


def test_freed_memory_is_used_again_without_page_faults() -> None:
    assert page_faults("keep") < page_faults("as it is") / 5
