"""L-BFGS: full-batch descent along directions that know the curvature of the last steps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Advance, Clipping, Deltas, Examples, RowSource, Session, Stretch, ctrl_c_held_back
from backlight.errors import whole_number
from backlight.network.objective import mean_weights
from backlight.training.optimizers.line_search import Point, line_search

_CHUNK: Final = 8192
"""Rows after which Ctrl-C is heard."""

MINIMUM: Final = "a minimum was reached: no step makes the loss lower any more"


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory BFGS (Nocedal 1980; Liu and Nocedal 1989), with a line search by the strong Wolfe conditions.

    Each iteration goes along −H g, where H is what the last iterations' moves s and changes of the gradient y say about
    the inverse of the curvature. It needs the objective of all examples, has no learning rate, and knows no decay.

    Args:
        history: how many pairs of s and y are kept.

    Example:
        >>> moves, changes = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 0.0], [4.0, 0.0]])
        >>> LBFGS(2).direction(np.array([8.0, 1.0]), {"moves": moves, "changes": changes}).tolist()
        [-2.0, -0.25]
    """

    history: int = 10
    name: ClassVar[str] = "lbfgs"

    def __post_init__(self) -> None:
        whole_number("history", self.history, 1)

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """No pairs: `moves` s and `changes` y, each (history, size), the newest last, 0 where there is none."""
        return {name: np.zeros((self.history, size), dtype) for name in ("moves", "changes")}

    def direction(self, gradient: Floats, state: Mapping[str, Floats]) -> Floats:
        """−H g by the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4), in float64; −g without history."""
        pairs = [(s.astype(np.float64), y.astype(np.float64)) for s, y in zip(*state.values(), strict=True) if s.any()]
        q, shares = gradient.astype(np.float64), []
        for s, y in reversed(pairs):
            share = float(_dot(s, q) / _dot(s, y))
            q -= share * y
            shares.append(share)
        if pairs:
            s, y = pairs[-1]
            q *= _dot(s, y) / _dot(y, y)
        for (s, y), share in zip(pairs, reversed(shares), strict=True):
            q += (share - _dot(y, q) / _dot(s, y)) * s
        return -q


def _dot(a: Floats, b: Floats) -> float:
    """Σ a b, summed in pairs: a BLAS may sum otherwise on another day."""
    return float(np.sum(a * b))


class _StoppedError(Exception):
    """The iteration in progress is to be dropped."""


class LBFGSSession:
    """A session whose every step is an iteration of L-BFGS over all rows, on values and gradients of another session.

    Args:
        session: an engine's session on the examples.
        params: the network's parameters; the session and this one read and write this very array.
        optimizer: how much history is kept.
    """

    def __init__(self, session: Session, params: Floats, optimizer: LBFGS) -> None:
        self.program, self.examples, self.params, self.optimizer = session.program, session.examples, params, optimizer
        self.clipping, self.average = Clipping(), None
        self._session, self._state = session, optimizer.initial_state(params.size, params.dtype)
        self._stopped = False
        self._known: tuple[Floats, Point] | None = None

    @property
    def state(self) -> dict[str, Floats]:
        """`moves` and `changes`, each (history, size)."""
        return self._state

    def advance(self, stretch: Stretch) -> Advance:
        """Take iterations, each over all rows of the stretch's order; its learning rate does not matter."""
        objectives: list[float] = []
        finite, ended, self._stopped = True, None, False
        with ctrl_c_held_back(self.stop) as pressed, np.errstate(all="ignore"):
            while len(objectives) < stretch.count and finite and ended is None and not self._stopped:
                before = self.params.copy()
                try:
                    start = self._here(stretch.order)
                    finite = bool(np.isfinite(start.value) and np.isfinite(start.gradient).all())
                    if finite and self._iterate(stretch.order, start):
                        objectives.append(start.value)
                    elif finite:
                        ended = MINIMUM
                except _StoppedError:
                    self.params[...] = before
        return Advance(np.array(objectives), finite, bool(pressed), ended=ended)

    def stop(self) -> None:
        """Have `advance`, running in another thread or interrupted by a signal, drop its iteration and return."""
        self._stopped = True

    def _iterate(self, rows: Ints, start: Point) -> bool:
        """One iteration from here; False, with nothing changed, where no step makes the objective lower."""
        before = self.params.astype(np.float64)
        found = self._search(rows, before, start)
        if found is None and self._state["moves"].any():
            for array in self._state.values():
                array[...] = 0
            found = self._search(rows, before, start)
        if found is None:
            self.params[...] = before
            return False
        self._known = self.params.copy(), found
        s, y = self.params - before, found.gradient - start.gradient
        if _dot(s, y) > np.finfo(np.float64).eps * _dot(y, y):
            for array, newest in zip(self._state.values(), (s, y), strict=True):
                array[:-1] = array[1:].copy()
                array[-1] = newest
        return True

    def _search(self, rows: Ints, before: Floats, start: Point) -> Point | None:
        """Leave the parameters at a point that is lower by enough, and return it; None if there is none."""
        direction = self.optimizer.direction(start.gradient, self._state)
        slope = _dot(start.gradient, direction)
        if -slope <= np.finfo(self.params.dtype).eps * abs(start.value):
            return None

        def evaluate(at: float) -> Point:
            self.params[...] = before + at * direction
            value, gradient = self._evaluate(rows)
            return Point(at, value if np.isfinite(value) else np.inf, _dot(gradient, direction), gradient)

        first = 1.0 if self._state["moves"].any() else min(1.0, 1.0 / float(np.abs(start.gradient).sum()))
        found = line_search(evaluate, replace(start, slope=slope), first)
        if found is not None:
            self.params[...] = before + found.at * direction
        return found

    def _here(self, rows: Ints) -> Point:
        """Value and gradient at the parameters: known from the last line search, unless they are others now."""
        if self._known is None or not np.array_equal(self._known[0], self.params):
            value, gradient = self._evaluate(rows)
            self._known = self.params.copy(), Point(0.0, value, 0.0, gradient)
        return replace(self._known[1], at=0.0)

    def _evaluate(self, rows: Ints) -> tuple[float, Floats]:
        """The objective of the rows and its gradient (size,), penalties included, added up in float64."""
        total, gradient = 0.0, np.zeros(self.params.size)
        given = self.examples.sample_weight
        for first in range(0, len(rows), _CHUNK):
            if self._stopped:
                raise _StoppedError
            some = rows[first : first + _CHUNK]
            losses, grads = self._session.gradients(some)
            weights = mean_weights(len(some), np.dtype(np.float64), None if given is None else given[some])
            total += len(some) / len(rows) * _dot(weights, losses)
            gradient += len(some) / len(rows) * grads
        objective, params = self.program.objective, self.params.astype(np.float64)
        for part in self.program.weights:
            objective.add_penalty(params[part], gradient[part], np.empty_like(params[part]))
        return total + objective.penalty(params[part] for part in self.program.weights), gradient

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
