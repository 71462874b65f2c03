"""The update that a step adds to the parameters, in NumPy: the definition, and what optimizers of one's own get."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from backlight.arrays import Floats
from backlight.engine.program import DenseOp, Program
from backlight.engine.seam import Optimizer, Stretch


class _Learner(Protocol):
    program: Program
    params: Floats
    optimizer: Optimizer

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays."""


def apply_update(
    learner: _Learner, stretch: Stretch, number: int, grads: Floats, updates: Floats, scratch: Floats
) -> None:
    """The only place where parameters change: updates are computed, and added.

    Args:
        learner: a session.
        stretch: which says learning rate, decay and frozen layers.
        number: which of its steps is taken.
        grads: the gradient (size,).
        updates: memory (size,) that is overwritten.
        scratch: likewise.
    """
    optimizer, params = learner.optimizer, learner.params
    for place, weights, lr, decay in _groups(learner.program, optimizer, stretch, number):
        state = {name: array[place] for name, array in learner.state.items()}
        optimizer.update(grads[place], state, stretch.step + number, lr, updates[place], scratch[place])
        if decay:
            for part in weights:
                np.multiply(params[part], lr * decay, out=scratch[part])
                np.subtract(updates[part], scratch[part], out=updates[part])
        np.add(params[place], updates[place], out=params[place])


def _groups(
    program: Program, optimizer: Optimizer, stretch: Stretch, number: int
) -> Iterator[tuple[slice, tuple[slice, ...], float, float]]:
    """Parameters that share a learning rate and a decay: where they stand, and where their weights do."""
    lr, decay = stretch.lr, optimizer.weight_decay if stretch.weight_decay is None else stretch.weight_decay
    if isinstance(lr, float | int) and isinstance(decay, float | int) and not stretch.frozen and not program.coupled:
        yield slice(0, program.size), program.weights, lr, decay
        return
    layers = [op for op in program.ops if isinstance(op, DenseOp)]
    rates, decays = (np.broadcast_to(value, (stretch.count, len(layers)))[number] for value in (lr, decay))
    for op, rate, shrink in zip(layers, rates.tolist(), decays.tolist(), strict=True):
        if op.layer not in stretch.frozen:
            yield program.learnt_with(op), (op.W,), rate, shrink
