"""A few examples in place of 60,000, and learners whose clock is ours."""

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.bench.data import noise
from backlight.bench.systems import Job
from backlight.bench.workloads import WORKLOADS


def write_few(folder: Path, count: int = 1200) -> Path:
    """Examples as `write_examples` writes them."""
    np.save(folder / "x.npy", (noise(count) / 255).astype(np.float32))
    np.save(folder / "y.npy", np.arange(count) % 10)
    return folder


def job_on_few(name: str, count: int = 1200) -> Job:
    return Job(WORKLOADS[name], (noise(count) / 255).astype(np.float32), np.arange(count) % 10, 1)


class Clock:
    """Time that passes only when a learner works."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        monkeypatch.setattr(time, "perf_counter", lambda: self.now)


class Slow:
    """A learner that takes `seconds` per step, and `start` more for its first."""

    def __init__(self, clock: Clock, seconds: float, start: float = 0.0) -> None:
        self.form, self.taken = f"{seconds} s", 0
        self._clock, self._seconds, self._start = clock, seconds, start

    def restart(self) -> None:
        self.taken = 0

    def advance(self, steps: int) -> None:
        self._clock.now += steps * self._seconds + (0 if self.taken else self._start)
        self.taken += steps

    def params(self) -> Any:
        return None
