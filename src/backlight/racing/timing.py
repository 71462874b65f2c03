"""Pieces of work timed in turn within one process."""

import time
from collections.abc import Callable, Mapping
from typing import TypeAlias

Work: TypeAlias = Callable[[int], object]
"""Does something so many times."""


def interleaved(works: Mapping[str, Work], rounds: int, seconds: float, warm: int = 2) -> dict[str, list[float]]:
    """Time each piece of work once a round, in turn.

    Args:
        works: by name.
        rounds: how many.
        seconds: about how long a timing takes.
        warm: how often each is done at the least, twice, before it is timed.

    Returns:
        Seconds for once, one number per round.
    """
    counts = {name: max(1, round(seconds / _once(work, _warm(work, warm)))) for name, work in works.items()}
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            times[name].append(_once(work, counts[name]))
    return times


def repeated(work: Callable[[], object]) -> Work:
    """Work that is called as often as it is asked for."""

    def several(count: int) -> None:
        for _ in range(count):
            work()

    return several


def _warm(work: Work, count: int) -> int:
    """Do it some times, more often if that takes no time; how often it is then to be timed."""
    while _once(work, count) * count < 0.01:
        count *= 4
    return count


def _once(work: Work, count: int) -> float:
    start = time.perf_counter()
    work(count)
    return (time.perf_counter() - start) / count
