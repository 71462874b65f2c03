"""The range test: a learning rate, found by trying them all for one step each."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from backlight.arrays import Floats, Ints
from backlight.errors import InputError
from backlight.training.trainer import Trainer

LOWEST: Final = 1e-6
HIGHEST: Final = 10.0
STEPS: Final = 141
"""Twenty to each factor of ten."""

FALLEN: Final = 0.9
BELOW: Final = 5.0

_SMOOTHING: Final = 0.9
_EXPLODED: Final = 4.0


@dataclass(frozen=True)
class RangeTest:
    """What a range test has found.

    Attributes:
        rates: the learning rates that were tried, from low to high.
        losses: the objective at each step, before the step was taken.
        smoothed: the same, smoothed.
        chosen: a good rate.
    """

    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    chosen: float


def range_test(
    trainer: Trainer, x: Any, y: Any, *, rows: Ints | None = None, sample_weight: Floats | None = None
) -> RangeTest:
    """Find a learning rate (Smith 2015, arXiv:1506.01186).

    A copy of the network takes one step at each of 141 rates from 1e-6 to 10, each 1.12 times the one before, until the
    loss, smoothed over about ten steps, is four times its lowest. A fifth of the first rate at which it had fallen by
    nine tenths of its whole fall is chosen, rounded to two digits. The trainer's network keeps its weights.

    Args:
        trainer: network, optimizer, batches and seed; its own learning rate and schedule do not matter.
        x: inputs, as for `Trainer.run`.
        y: targets.
        rows: the training rows; all unless given.
        sample_weight: one weight per row.

    Raises:
        InputError: the optimizer has no learning rate, the data do not fit, or the first loss is not finite.

    Example:
        >>> import numpy as np
        >>> from backlight import Network
        >>> x = np.linspace(-1, 1, 64)[:, None]
        >>> network = Network.mlp(1, 8, 1, output="identity", seed=1)
        >>> found = range_test(Trainer(network, optimizer="sgd", batch_size=16), x, x**2)
        >>> 0.01 < found.chosen < 1, len(found.rates) == len(found.losses)
        (True, True)
    """
    if trainer.chosen_lr() is None:
        raise InputError(f"{trainer.chosen_optimizer().name} has no learning rate that could be found; leave out lr")
    tried = replace(trainer, network=trainer.network.copy(), schedule="constant", patience=None)
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    for rate, loss in _steps(tried, x, y, rows, sample_weight):
        rates.append(rate)
        losses.append(loss)
        smoothed.append(_smoothed(losses))
        if smoothed[-1] > _EXPLODED * min(smoothed):
            break
    if not losses:
        raise InputError("the loss of the untrained network is not a finite number; scale the data, or choose --init")
    low = min(smoothed)
    fallen = next(k for k, loss in enumerate(smoothed) if loss <= smoothed[0] - FALLEN * (smoothed[0] - low))
    return RangeTest(tuple(rates), tuple(losses), tuple(smoothed), float(f"{rates[fallen] / BELOW:.1e}"))


def _steps(
    trainer: Trainer, x: Any, y: Any, rows: Ints | None, weights: Floats | None
) -> Iterator[tuple[float, float]]:
    """Each rate and the objective before its step, while objectives are finite."""
    training = trainer.start(x, y, rows=rows, sample_weight=weights)
    for step in range(STEPS):
        rate = LOWEST * (HIGHEST / LOWEST) ** (step / (STEPS - 1))
        advance = training.session.advance(replace(training.stretch(step, 1), lr=rate))
        if advance.interrupted:
            raise KeyboardInterrupt
        if not advance.finite:
            return
        yield rate, float(advance.objectives[0])


def _smoothed(losses: list[float]) -> float:
    """Their mean, the last counting most: each counts 0.9 times what the next one does."""
    weights = [_SMOOTHING**age for age in range(len(losses))]
    return math.fsum(w * loss for w, loss in zip(weights, reversed(losses), strict=True)) / math.fsum(weights)
