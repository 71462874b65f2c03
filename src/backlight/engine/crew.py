"""The threads that work for the native engine, and how many of them there should be."""

import os
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path

from backlight.errors import whole_number

_LOOK = 0.05
"""Seconds between two looks for signals, on systems where a waiting thread does not hear of them."""


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


def crew_size(threads: int | None) -> int:
    """How many threads to use where `threads` were asked for: never more than there are processors.

    Raises:
        InputError: the number is below 1.
    """
    return processors() if threads is None else min(whole_number("threads", threads, 1), processors())


def work_together(work: Callable[[int], object], count: int, stop: Callable[[], object]) -> None:
    """Have `count` threads do `work(number)` and wait for them.

    The members wait for one another, so that all of them are started whatever happens. Should a signal's handler raise
    something meanwhile, `stop` is called, and it is raised again when the work has ended.
    """
    crew = [threading.Thread(target=work, args=(k,), name=f"backlight-{k}", daemon=True) for k in range(count)]
    raised: BaseException | None = None
    while any(member.ident is None or member.is_alive() for member in crew):
        try:
            for member in crew:
                if member.ident is None:
                    member.start()
            for member in crew:
                member.join(_LOOK)
        except BaseException as error:
            raised = raised or error
            stop()
    if raised is not None:
        raise raised
