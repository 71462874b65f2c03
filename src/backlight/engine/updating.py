"""The update that a step adds to the parameters, in NumPy: the definition, and what optimizers of one's own get."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from backlight.arrays import Floats
from backlight.engine.program import DenseOp, Program
from backlight.engine.seam import Clipping, Optimizer, Stretch


class _Learner(Protocol):
    program: Program
    params: Floats
    optimizer: Optimizer
    clipping: Clipping
    decay_of_average: float | None

    @property
    def state(self) -> dict[str, Floats]:
        """The optimizer's arrays."""

    @property
    def average(self) -> Floats | None:
        """The averaged parameters."""


def apply_update(
    learner: _Learner, stretch: Stretch, number: int, grads: Floats, updates: Floats, scratch: Floats
) -> None:
    """The only place where learnt parameters change: gradients are penalised and clipped, updates computed, and added.

    Running statistics, which no update moves, are those after the step already; they are averaged with the parameters.

    Args:
        learner: a session.
        stretch: which says learning rate, decay and frozen layers.
        number: which of its steps is taken.
        grads: the gradient (size,) of the examples' losses; that of the objective, clipped, when this returns.
        updates: memory (size,) that is overwritten.
        scratch: likewise.
    """
    optimizer, params, step = learner.optimizer, learner.params, stretch.step + number
    groups = list(_groups(learner.program, optimizer, stretch, number))
    for _, weights, _, _ in groups:
        for part in weights:
            learner.program.objective.add_penalty(params[part], grads[part], scratch[part])
    if learner.clipping.norm is not None:
        _clip([grads[place] for place, _, _, _ in groups], learner.clipping.norm)
    for place, weights, lr, decay in groups:
        state = {name: array[place] for name, array in learner.state.items()}
        optimizer.update(grads[place], state, step, lr, updates[place], scratch[place])
        if decay:
            for part in weights:
                np.multiply(params[part], lr * decay, out=scratch[part])
                np.subtract(updates[part], scratch[part], out=updates[part])
        np.add(params[place], updates[place], out=params[place])
    if learner.average is not None and learner.decay_of_average is not None:
        rate, statistics = averaging_rate(learner.decay_of_average, step), learner.program.statistics(stretch.frozen)
        for place in (*(place for place, _, _, _ in groups), *statistics):
            mean = learner.average[place]
            np.subtract(params[place], mean, out=scratch[place])
            np.multiply(scratch[place], rate, out=scratch[place])
            np.add(mean, scratch[place], out=mean)


def _clip(parts: list[Floats], norm: float) -> None:
    """Shorten a gradient that is too long."""
    factor = clip_factor(norm, sum(float(np.vdot(part, part)) for part in parts))
    for part in parts:
        np.multiply(part, factor, out=part)


def clip_factor(norm: float, square: float) -> float:
    """What a gradient is multiplied with whose squared length is `square`: min(1, norm / length).

    Example:
        >>> clip_factor(1.0, 25.0), clip_factor(1.0, 0.04)
        (0.2, 1.0)
    """
    return norm / float(np.sqrt(square)) if square > norm * norm else 1.0


def averaging_rate(decay: float, step: int) -> float:
    """How far a step moves the averaged parameters towards those that it has led to: (1 − decay) / (1 − decayᵗ).

    After t steps the average is then Σ_s decay^(t−s) θ_s / Σ_s decay^(t−s): an exponential moving average without
    the weight that one begun at the initial parameters gives to these, corrected as Adam's means are. The first step's
    parameters are taken whole.

    Args:
        decay: how much of the average a step keeps in the long run.
        step: how many steps were taken before it, t − 1.

    Example:
        >>> averaging_rate(0.9, 0), round(averaging_rate(0.9, 1), 6), round(averaging_rate(0.9, 1000), 6)
        (1.0, 0.526316, 0.1)
    """
    return (1.0 - decay) / (1.0 - decay ** (step + 1))


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
