"""Steps over all examples at once: the objective of all of them, and what takes such steps on an engine's session."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from math import isfinite
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine.interruption import ctrl_c_held_back
from backlight.engine.rows import RowSource
from backlight.engine.seam import Advance, Clipping, Deltas, Examples, Session, Stretch
from backlight.network.objective import mean_weights

_CHUNK: Final = 8192
"""Rows after which Ctrl-C is heard."""


class StoppedError(Exception):
    """The step in progress is to be dropped."""


class WholeBatch(ABC):
    """A way of moving parameters whose every step looks at all examples, with no learning rate and no decay.

    Attributes:
        gradual: whether each step goes on from where the last one led, so that patience has something to wait for.
    """

    name: ClassVar[str]
    gradual: ClassVar[bool] = True

    @abstractmethod
    def open(self, session: Session, params: Floats, seed: int) -> Session:
        """A session that takes its steps, on values and gradients of an engine's session.

        Args:
            session: an engine's session on the examples.
            params: the network's parameters, which both sessions read and write.
            seed: of random draws.
        """

    def steps_per_epoch(self, size: int) -> int:
        """How many steps an epoch counts, of a network of so many parameters."""
        return 1

    def told(self, size: int) -> str | None:
        """What its steps and epochs are, in words, where that is not plain."""
        return None


class WholeObjective:
    """The objective of all rows as a function of the parameters, penalties included, added up in float64.

    Args:
        session: an engine's session on the examples.
        params: the network's parameters.

    Attributes:
        stopped: set to have an evaluation in progress end in `StoppedError`.
        evaluations: how many times all rows were passed forward.
    """

    def __init__(self, session: Session, params: Floats) -> None:
        self._session, self._params = session, params
        self.stopped = False
        self.evaluations = 0

    def value(self, rows: Ints) -> float:
        """The objective of the rows at the parameters as they are."""
        session, smoothed, total = self._session, self._session.program.objective.smoothing, 0.0
        for some in self._chunks(rows):
            losses = (session.gradients(some) if smoothed else session.losses(session.examples, some))[0]
            total += self._share(some, len(rows), losses)
        return total + self._penalty()

    def value_and_gradient(self, rows: Ints) -> tuple[float, Floats]:
        """The objective of the rows and its gradient (size,)."""
        total, gradient = 0.0, np.zeros(self._params.size)
        for some in self._chunks(rows):
            losses, grads = self._session.gradients(some)
            total += self._share(some, len(rows), losses)
            gradient += len(some) / len(rows) * grads
        program, params = self._session.program, self._params.astype(np.float64)
        for part in program.weights:
            program.objective.add_penalty(params[part], gradient[part], np.empty_like(params[part]))
        return total + self._penalty(), gradient

    def _chunks(self, rows: Ints) -> Iterator[Ints]:
        """The rows, a few thousand at a time; raises `StoppedError` before any of them if asked to."""
        for first in range(0, len(rows), _CHUNK):
            if self.stopped:
                raise StoppedError
            yield rows[first : first + _CHUNK]
        self.evaluations += 1

    def _share(self, some: Ints, count: int, losses: Floats) -> float:
        """What some of the rows add to the weighted mean of all losses."""
        given = self._session.examples.sample_weight
        if given is None:
            return float(np.sum(losses, dtype=np.float64)) / count
        return len(some) / count * dot(mean_weights(len(some), np.dtype(np.float64), given[some]), losses)

    def _penalty(self) -> float:
        program = self._session.program
        if not program.objective.l1 and not program.objective.l2:
            return 0.0
        return program.objective.penalty(self._params[part].astype(np.float64) for part in program.weights)


def dot(a: Floats, b: Floats) -> float:
    """Σ a b, summed in pairs: a BLAS may sum otherwise on another day."""
    return float(np.sum(a * b))


class WholeSession(ABC):
    """A session whose every step looks at all rows of the stretch's order, on an engine's losses and gradients.

    Args:
        session: an engine's session on the examples.
        params: the network's parameters; the session and this one read and write this very array.
        state: the method's arrays.

    Attributes:
        objective: of all rows, at the parameters as they are.
    """

    def __init__(self, session: Session, params: Floats, state: dict[str, Floats]) -> None:
        self.program, self.examples, self.params = session.program, session.examples, params
        self.clipping, self.average = Clipping(), None
        self.objective = WholeObjective(session, params)
        self._session, self._state = session, state

    @property
    def state(self) -> dict[str, Floats]:
        """The method's arrays."""
        return self._state

    @property
    def evaluations(self) -> int:
        """How many times all rows were passed forward."""
        return self.objective.evaluations

    @abstractmethod
    def step(self, rows: Ints, number: int) -> tuple[float, str | None]:
        """Take a step.

        Args:
            rows: all of them.
            number: how many steps were taken before.

        Returns:
            The objective before the step, or one that is not finite, with which no step is taken; and why there was no
            step to take, None if there was.

        Raises:
            StoppedError: it was broken off; everything is as it was before.
        """

    def advance(self, stretch: Stretch) -> Advance:
        """Take steps, each over all rows of the stretch's order; their learning rate does not matter."""
        objectives: list[float] = []
        finite, ended, self.objective.stopped = True, None, False
        with ctrl_c_held_back(self.stop) as pressed, np.errstate(all="ignore"), suppress(StoppedError):
            while len(objectives) < stretch.count and finite and ended is None and not self.objective.stopped:
                value, ended = self.step(stretch.order, stretch.step + len(objectives))
                finite = isfinite(value)
                if finite and ended is None:
                    objectives.append(value)
        return Advance(np.array(objectives), finite, bool(pressed), ended=ended)

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, drop its step and return."""
        self.objective.stopped = True

    def gradients(
        self,
        rows: Ints,
        epoch: int | None = None,
        *,
        frozen: frozenset[int] = frozenset(),
        clip_examples: bool = False,
    ) -> tuple[Floats, Floats]:
        """As the engine's session has them, and so all that follow."""
        return self._session.gradients(rows, epoch, frozen=frozen, clip_examples=clip_examples)

    def deltas(self, rows: Ints, epoch: int | None = None) -> Deltas:
        """Losses, outputs, incoming activations and deltas of the rows."""
        return self._session.deltas(rows, epoch)

    def outputs(self, source: RowSource, rows: Ints | None = None) -> Floats:
        """The network's outputs for rows of any source."""
        return self._session.outputs(source, rows)

    def losses(self, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
        """Losses and outputs of rows of any examples, nothing dropped."""
        return self._session.losses(examples, rows)
