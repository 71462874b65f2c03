"""The cost at any place in the space of parameters, measured over all examples."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from backlight.arrays import FloatName, Floats, Ints
from backlight.engine import Session, Task, compile_program, open_session
from backlight.explanation.landscapes.walks import Told, quiet
from backlight.network import Network
from backlight.training import SGD, Training

_NUMBERS: Final = 1 << 22
"""How many numbers are read at once."""


class Cost:
    """The cost of any parameters of a training's network: its objective over all its examples, nothing left to chance.

        cost = Σ_n weights_n loss_n + l1 Σ|W| + ½ l2 Σ W²

    The examples are those that it learns from, with their weights. Nothing is dropped, varied or smoothed, and batch
    normalisation takes its running statistics. The penalties are those of the layers that learn.

    Args:
        training: nothing of it is changed.
        engine: "auto", "native" or "reference".
        threads: how many the engine may use; its own choice if None.

    Example:
        >>> from backlight import Network, Trainer
        >>> network = Network.mlp(2, 3, 2, seed=0)
        >>> training = Trainer(network).start(np.eye(2, dtype=np.float32), np.array([0, 1]))
        >>> measured = Cost(training).at(network.params)
        >>> abs(measured - training.session.losses(training.session.examples)[0].mean()) < 1e-7
        np.True_
    """

    def __init__(self, training: Training, engine: str = "auto", threads: int | None = None) -> None:
        self.network, self.examples, self.rows = training.network.copy(), training.session.examples, training.rows
        self.objective = replace(training.session.program.objective, smoothing=0.0)
        self.frozen, self.engine, self.threads = training.plan.frozen, engine, threads
        self.dtype: FloatName = "float32" if self.network.dtype == np.float32 else "float64"
        self._session = self.session(self.network, threads)

    def session(self, network: Network, threads: int | None) -> Session:
        """A session that measures a network with this loss, on any examples."""
        program = compile_program(network, self.objective.loss)
        task = Task(program, network.params, self.examples, SGD(), batch_size=1, seed=0, threads=threads)
        return open_session(self.engine, task)

    def at(self, params: Floats) -> float:
        """The cost of parameters (size,)."""
        self.network.params[...] = params
        total = sum(
            self.weighted(self._session.losses(self.examples, rows)[0], rows)
            for rows in self.chunks(self.network.inputs + self.network.outputs, _NUMBERS)
        )
        return total / len(self.rows) + self.penalty(self.network.params)

    def penalty(self, params: Floats) -> float:
        """The penalties of parameters (size,)."""
        learning = [(dense, place) for index, dense, place in self.network.dense_layers() if index not in self.frozen]
        return self.objective.penalty(
            params[place.start : place.start + dense.units * dense.incoming] for dense, place in learning
        )

    def weighted(self, losses: Floats, rows: Ints) -> float:
        """The sum of losses (m,) of rows (m,), each times its example's weight."""
        weights = self.examples.sample_weight
        if weights is None:
            return float(losses.sum(dtype=np.float64))
        return float(np.dot(losses.astype(np.float64), weights[rows]))

    def chunks(self, width: int, numbers: int) -> Iterator[Ints]:
        """The rows, so many at a time that with so many numbers each they are few numbers."""
        size = max(1, numbers // width)
        for start in range(0, len(self.rows), size):
            yield self.rows[start : start + size]
            self.examples.source.release()


def costs_at(cost: Cost, points: Floats, what: str, told: Told = quiet) -> Floats:
    """The costs (k,) of several points (k, size)."""
    costs = np.empty(len(points))
    for k, point in enumerate(points):
        costs[k] = cost.at(point)
        told(what, k + 1, len(points))
    return costs
