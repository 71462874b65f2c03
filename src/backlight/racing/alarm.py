"""An alarm that stops a training which works for too long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from backlight.training import Training

_LOOKS: Final = 0.01


class Alarm:
    """Looks at the clock from a thread of its own, a hundred times a second; to be closed."""

    def __init__(self) -> None:
        self._until: tuple[Training, float, str] | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        self._thread.join()

    @contextmanager
    def after(self, seconds: float | None, training: Training, reason: str) -> Iterator[None]:
        """Within the block, stop a training once so many seconds have gone by; never where they are None."""
        self._until = None if seconds is None else (training, time.perf_counter() + seconds, reason)
        try:
            yield
        finally:
            self._until = None

    def _look(self) -> None:
        while not self._closed.wait(_LOOKS):
            until = self._until
            if until is not None and time.perf_counter() >= until[1]:
                until[0].stop(until[2])
