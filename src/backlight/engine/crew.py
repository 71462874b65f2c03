"""The threads that work for the native engine, and how many of them there should be."""

import threading
import time
from collections.abc import Callable
from typing import Final

from backlight.errors import whole_number
from backlight.processors import processors

_PRODUCTS_PER_THREAD: Final = 400_000
"""A step of fewer multiplications than this per thread is done sooner by fewer threads."""

_SHORTEST: Final = 0.03
_LONGEST: Final = 2.0
"""For so many seconds one thread goes on alone where the processors are busy."""

_LOOK = 0.05
"""Seconds between two looks for signals, on systems where a waiting thread does not hear of them."""


def crew_size(threads: int | None) -> int:
    """How many threads to use where `threads` were asked for: never more than there are processors.

    Raises:
        InputError: the number is below 1.
    """
    return processors() if threads is None else min(whole_number("threads", threads, 1), processors())


class Crew:
    """How many threads work is given: fewer where there is little to do, and one where others need the processors.

    Threads that wait for one another lose more than they gain while other programs keep a processor busy. The engine
    notices and breaks off; then one thread goes on alone for a while, at first shortly, longer each time.

    Args:
        most: the most threads.
        always: whether all of them always work; for tests.
    """

    def __init__(self, most: int, *, always: bool = False) -> None:
        self.most, self._always = most, always
        self._patience, self._alone_until = _SHORTEST, 0.0

    def size(self, products: int, *, worth_starting: bool = True) -> int:
        """How many threads to give a step of that many multiplications.

        Args:
            products: how many.
            worth_starting: whether all the steps together take longer than it takes to start threads.
        """
        if self._always:
            return self.most
        return 1 if self.alone_for() or not worth_starting else max(1, min(self.most, products // _PRODUCTS_PER_THREAD))

    def alone_for(self) -> float:
        """For how many seconds one thread is to go on alone; 0 where a crew is welcome."""
        return 0.0 if self._always else max(0.0, self._alone_until - time.perf_counter())

    def was(self, *, crowded: bool) -> None:
        """Learn how working together went."""
        if crowded:
            self._alone_until = time.perf_counter() + self._patience
        self._patience = min(2 * self._patience, _LONGEST) if crowded else _SHORTEST


class _Members:
    """Threads that begin when all of them are there, for they wait for one another."""

    def __init__(self, work: Callable[[int], object], count: int) -> None:
        self._work, self._count, self._started, self._called_off = work, count, 0, False
        self._numbers, self._ended = iter(range(count)), list[int]()
        self._gate, self.over = threading.Event(), threading.Event()

    def start(self) -> None:
        """Start those that are missing, and let all begin.

        Raises:
            RuntimeError: the system gives no more threads; none begins.
        """
        while self._started < self._count:
            try:
                threading.Thread(target=self._member, name="backlight", daemon=True).start()
            except RuntimeError:
                self._called_off = True
                self._gate.set()
                raise
            self._started += 1
        self._gate.set()

    @property
    def called_off(self) -> bool:
        """Whether nothing will be done."""
        return self._called_off

    def _member(self) -> None:
        number = next(self._numbers, None)
        self._gate.wait()
        if number is None or self._called_off:
            return  # one too many was started, or too few
        try:
            self._work(number)
        finally:
            self._ended.append(number)
            if len(self._ended) == self._count:
                self.over.set()


def work_together(work: Callable[[int], object], count: int, stop: Callable[[], object]) -> None:
    """Have `count` threads do `work(number)` and wait for them.

    Should a signal's handler raise something meanwhile, `stop` is called, and it is raised again when the work has
    ended.

    Raises:
        RuntimeError: the system gives no more threads; nothing was done.
    """
    members, told = _Members(work, count), False
    raised: BaseException | None = None
    while not members.called_off:
        try:
            if raised is not None and not told:
                stop()
                told = True
            members.start()
            while not members.over.wait(_LOOK):
                pass
            break
        except BaseException as error:
            raised = raised or error
    if raised is not None:
        raise raised
