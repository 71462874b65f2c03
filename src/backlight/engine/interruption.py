"""Ctrl-C while an engine works: held back until the engine stands between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Pressed:
    """Whether Ctrl-C came; true or false."""

    def __init__(self) -> None:
        self.came = False

    def __bool__(self) -> bool:
        return self.came


@contextmanager
def ctrl_c_held_back(stop: Callable[[], object]) -> Iterator[Pressed]:
    """Within the block, Ctrl-C calls `stop` and is remembered, where it would raise `KeyboardInterrupt`.

    It is heard by the main thread alone, and another handler than Python's own is left to its work.

    Yields:
        Whether it came.
    """
    pressed = Pressed()
    heard = threading.current_thread() is threading.main_thread()
    if not heard or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield pressed
        return

    def remember(number: int, frame: Any) -> None:
        pressed.came = True
        stop()

    signal.signal(signal.SIGINT, remember)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
