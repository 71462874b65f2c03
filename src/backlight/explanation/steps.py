"""Steps of a training, opened while they are replayed: for one weight, what each step added to it, and why."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Stretch, clip_factor
from backlight.errors import InputError
from backlight.explanation.places import Weight, dense_layer
from backlight.network.objective import mean_weights
from backlight.training import Training
from backlight.training.optimizers import OPTIMIZERS, Known

_ROUNDINGS: Final = 8.0
"""How often, at most, a step rounds each of its terms, in units of the format's precision."""

_ROUNDINGS_OF_LENGTHS: Final = 64.0
"""The same for the lengths of gradients, which are sums over all parameters."""


@dataclass(frozen=True)
class Shares:
    """What each example of a step added.

    Attributes:
        rows: the examples' row numbers (n,).
        values: what each of them added (n,).
    """

    rows: Ints
    values: Floats


@dataclass(frozen=True)
class OpenedStep:
    """What one step did to one weight.

    Attributes:
        before: the weight before it.
        after: the weight after it.
        gradient: what the step's own gradient added, before it was clipped.
        momentum: what was carried from earlier steps; None where the optimizer carries nothing.
        decay: −lr · weight_decay · w; None where nothing decays.
        penalty: what the gradient of the penalties added; None where nothing is penalised.
        clipping: what was added because gradient and penalty were shortened; None where nothing is clipped.
        limit: the most that rounding in the training's own format can amount to.
        shares: what each example added to `gradient`, None unless asked for.
    """

    before: float
    after: float
    gradient: float
    momentum: float | None
    decay: float | None
    penalty: float | None
    clipping: float | None
    limit: float
    shares: Shares | None = None

    @property
    def rounding(self) -> float:
        """What the step really did, less its parts."""
        parts = (self.gradient, self.momentum, self.decay, self.penalty, self.clipping)
        return (self.after - self.before) - sum(part or 0.0 for part in parts)


def place_of(training: Training, weight: Weight) -> int:
    """Where a weight stands in the flat array of parameters.

    Raises:
        InputError: the network has no such layer.
    """
    dense = dense_layer(training.network, weight.layer)
    start = next(place.start for index, _, place in training.network.dense_layers() if index == weight.layer)
    within = dense.W.size + weight.to if weight.source is None else weight.to * dense.incoming + weight.source
    return int(start + within)


def opened_steps(
    training: Training, optimizer: Any, weight: Weight, last: int, *, examples: bool = False
) -> Iterator[OpenedStep]:
    """Replay a training from where it stands, and open every step for one weight.

    The parts are computed in float64 from the states and the gradients that the training really had.

    Args:
        training: it stands at the first step, and after each yield behind the step that is yielded.
        optimizer: the one that the training has.
        weight: which weight.
        last: how many steps have been taken at the end.
        examples: whether to say what each example added.

    Raises:
        InputError: the optimizer's updates cannot be split, or the loss is no longer finite before `last`.
    """
    if not isinstance(optimizer, Known):
        there = ", ".join(OPTIMIZERS)
        name = getattr(optimizer, "name", optimizer)
        raise InputError(f"the optimizer {name} does not say how its updates split; those that do are {there}")
    k, precision = place_of(training, weight), float(np.finfo(training.network.dtype).eps)
    decay = 0.0 if weight.source is None else optimizer.weight_decay
    while training.step < last:
        step, stretch = training.step, training.stretch(training.step, 1)
        lr = training.rates.at(step)
        before, state = float(training.network.params[k]), _state(training, k)
        grads = _gradient(training, stretch)
        grad, (penalised, clipped) = float(grads[k]), _besides(training, weight, stretch, grads)
        own = example_gradients(training, weight, stretch) if examples else None
        training.advance_to(step + 1)
        if training.step == step:
            raise InputError(f"step {last} was asked for, and the loss is no longer finite after step {step}")
        after = float(training.network.params[k])
        split = optimizer.split(state, _state(training, k), step, lr)
        gain = float(np.asarray(split.gain).item())
        gradient = gain * grad
        momentum = None if split.carried is None else float(split.carried.item())
        decayed = -lr * decay * before if decay else None
        penalty, clipping = (None if part is None else gain * part for part in (penalised, clipped))
        size = sum(abs(part or 0.0) for part in (gradient, momentum, decayed, penalty, clipping))
        roundings = _ROUNDINGS if clipping is None else _ROUNDINGS_OF_LENGTHS
        limit = precision * (abs(after) + roundings * size)
        shares = None if own is None else Shares(stretch.rows(), gain * own)
        yield OpenedStep(before, after, gradient, momentum, decayed, penalty, clipping, limit, shares)


def _besides(training: Training, weight: Weight, stretch: Stretch, grads: Floats) -> tuple[float | None, float | None]:
    """What the step that comes next adds to one weight's gradient: the penalties' own, and what clipping takes.

    Args:
        training: it stands before the step.
        weight: which weight.
        stretch: the step.
        grads: the gradient of its examples' losses (size,).
    """
    k, session, params = place_of(training, weight), training.session, training.network.params.astype(np.float64)
    clipping, objective = session.clipping, session.program.objective
    penalties, taken = np.zeros_like(grads), grads
    for part in session.program.weights:
        objective.add_penalty(params[part], penalties[part], np.empty_like(params[part]))
    penalty = float(penalties[k]) if (objective.l1 or objective.l2) and weight.source is not None else None
    if clipping.norm is None and clipping.examples is None:
        return penalty, None
    if clipping.examples is not None:
        taken = _gradient(training, stretch, clip_examples=True)
    taken = taken + penalties
    for place in session.program.kept(stretch.frozen):
        taken[place] = 0.0
    if clipping.norm is not None:
        taken = taken * clip_factor(clipping.norm, float(taken @ taken))
    return penalty, float(taken[k] - grads[k] - penalties[k])


def _gradient(training: Training, stretch: Stretch, *, clip_examples: bool = False) -> Floats:
    """The gradient (size,) of the losses of a step's examples, in float64."""
    rows, frozen = stretch.rows(), stretch.frozen
    return training.session.gradients(rows, stretch.epoch, frozen=frozen, clip_examples=clip_examples)[1].astype(
        np.float64
    )


def _state(training: Training, k: int) -> dict[str, Floats]:
    """The optimizer's numbers of one parameter (1,), in float64."""
    return {name: array[k : k + 1].astype(np.float64) for name, array in training.session.state.items()}


def example_gradients(training: Training, weight: Weight, stretch: Stretch) -> Floats:
    """What each example of the step that comes next adds to its gradient: w_n / B · ∂loss_n/∂w, (n,) in float64.

    Args:
        training: it stands before the step.
        weight: which weight.
        stretch: the step.
    """
    rows, session = stretch.rows(), training.session
    deltas, given = session.deltas(rows, stretch.epoch), session.examples.sample_weight
    own = deltas.deltas[weight.layer][:, weight.to].astype(np.float64)
    if weight.source is not None:
        own *= deltas.incoming[weight.layer][:, weight.source]
    own *= mean_weights(len(rows), np.dtype(np.float64), None if given is None else given[rows])
    return own
