"""How many processors there are to work with."""

import os
from functools import cache
from pathlib import Path


@cache
def processors() -> int:
    """How many processors this process may use: by its affinity, and by its container's quota."""
    try:
        allowed = len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        allowed = os.cpu_count() or 1
    return max(1, min(allowed, _quota(Path("/sys/fs/cgroup/cpu.max"))))


def _quota(path: Path) -> int:
    """The whole processors in a control group's quota, as in "150000 100000"; very many where there is none."""
    try:
        quota, period = path.read_text().split()
        return max(1, int(quota) // int(period))
    except (OSError, ValueError):
        return 2**31
