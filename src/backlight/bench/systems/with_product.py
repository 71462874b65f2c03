"""The largest matrix product that NumPy can do: what the processor's arithmetic can reach, measured in the same run."""

import time
from typing import Final

import numpy as np

from backlight.bench.systems.learner import Job, Learner

SIZES: Final = (2048, 4096)


class Product:
    """Square products of float32; one step is one product.

    Args:
        size: of the matrices. None takes the one of `SIZES` that reaches the most operations per second.
    """

    def __init__(self, size: int | None = None) -> None:
        self._take(size or max(SIZES, key=self._rate))

    def _take(self, size: int) -> None:
        self.size, self.form = size, f"{size}³"
        self._a = np.random.default_rng(0).random((size, size), np.float32)
        self._out = np.empty_like(self._a)

    def _rate(self, size: int) -> float:
        self._take(size)
        self.advance(1)
        start = time.perf_counter()
        self.advance(1)
        return float(size) ** 3 / (time.perf_counter() - start)

    @property
    def flops_per_step(self) -> int:
        """Floating-point operations of one product."""
        return 2 * self.size**3

    def restart(self) -> None:
        """Nothing is learnt."""

    def advance(self, steps: int) -> None:
        """Multiply."""
        for _ in range(steps):
            np.matmul(self._a, self._a, out=self._out)

    def params(self) -> None:
        """There are none."""


def learner(job: Job) -> Learner:
    """The product; it looks at nothing of the job."""
    return Product()
