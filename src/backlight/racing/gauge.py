"""The objective over the training examples, measured beside the race."""

import math
import time
from dataclasses import replace
from typing import Final

import numpy as np

from backlight.arrays import Floats
from backlight.data import Dataset
from backlight.engine import WholeObjective
from backlight.files import Settings
from backlight.network import Network

_FIRST, _FURTHER = 256, 16
_MARGIN: Final = 4.0
_TIMED: Final = 0.1


class Gauge:
    """Measures what any weights make of the training examples: of all of them, unless that takes too long.

    Args:
        settings: resolved; its network is where the race starts from.
        dataset: the data.
        most: the most seconds that a measurement may take; of more examples than that allows, evenly spaced ones stand
            for all.

    Attributes:
        rows: the training rows that are measured (m,).
        untrained: the parameters that everyone begins with (size,).
        start: the objective at these.
        seconds: what one pass forward over all training examples takes.
    """

    def __init__(self, settings: Settings, dataset: Dataset, most: float = math.inf) -> None:
        self._network = settings.network(dataset)
        self.untrained = self._network.params.copy()
        trained = dataset.rows["train"]
        trainer = replace(settings, optimizer="sgd", lr=None, batch_size=None, patience=None).trainer(self._network)
        training = trainer.start(dataset.x, dataset.y, rows=trained, sample_weight=dataset.weights)
        self._objective = WholeObjective(training.session, self._network.params)
        self.rows = trained[:_FIRST]
        self.seconds = self._timed(len(trained))
        while len(self.rows) < len(trained) and self.seconds < _MARGIN * most:
            self.rows = trained[: _FURTHER * len(self.rows)]
            self.seconds = self._timed(len(trained))
        if self.seconds > most:
            self.rows = trained[:: math.ceil(self.seconds / most)]
        self.start = self._objective.value(self.rows)

    @property
    def weights(self) -> int:
        """How many parameters the network has."""
        return self._network.learnt

    @property
    def network(self) -> str:
        """The network in words."""
        return str(self._network).removeprefix("Network ")

    def copy(self, params: Floats | None = None) -> Network:
        """A network of its own with parameters (size,): untrained unless given."""
        network = self._network.copy()
        network.params[...] = self.untrained if params is None else params
        return network

    def loss(self, params: Floats) -> float:
        """The objective of the rows at parameters (size,)."""
        if np.array_equal(params, self.untrained):
            return self.start
        self._network.params[...] = params
        return self._objective.value(self.rows)

    def _timed(self, count: int) -> float:
        """Seconds of a measurement of so many rows, from those that are measured now: the quickest of some."""
        begun, times = time.perf_counter(), [math.inf]
        while len(times) < 3 or time.perf_counter() - begun < _TIMED:
            started = time.perf_counter()
            self._objective.value(self.rows)
            times.append(time.perf_counter() - started)
            if times[-1] > _TIMED:
                break
        return min(times) * count / len(self.rows)
