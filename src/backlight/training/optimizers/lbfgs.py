"""L-BFGS: full-batch descent along directions that know the curvature of the last steps."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Session, StoppedError, WholeBatch, WholeSession, dot
from backlight.errors import whole_number
from backlight.training.optimizers.line_search import Point, line_search

MINIMUM: Final = "a minimum was reached: no step makes the loss lower any more"


@dataclass(frozen=True)
class LBFGS(WholeBatch):
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

    def open(self, session: Session, params: Floats, seed: int) -> "LBFGSSession":
        """A session whose steps are iterations; nothing in them is drawn."""
        return LBFGSSession(session, params, self)

    def direction(self, gradient: Floats, state: Mapping[str, Floats]) -> Floats:
        """−H g by the two-loop recursion (Nocedal and Wright 2006, algorithm 7.4), in float64; −g without history."""
        pairs = [(s.astype(np.float64), y.astype(np.float64)) for s, y in zip(*state.values(), strict=True) if s.any()]
        q, shares = gradient.astype(np.float64), []
        for s, y in reversed(pairs):
            share = float(dot(s, q) / dot(s, y))
            q -= share * y
            shares.append(share)
        if pairs:
            s, y = pairs[-1]
            q *= dot(s, y) / dot(y, y)
        for (s, y), share in zip(pairs, reversed(shares), strict=True):
            q += (share - dot(y, q) / dot(s, y)) * s
        return -q


class LBFGSSession(WholeSession):
    """Iterations of L-BFGS.

    Args:
        session: an engine's session on the examples.
        params: the network's parameters.
        optimizer: how much history is kept.
    """

    def __init__(self, session: Session, params: Floats, optimizer: LBFGS) -> None:
        super().__init__(session, params, optimizer.initial_state(params.size, params.dtype))
        self.optimizer = optimizer
        self._known: tuple[Floats, Point] | None = None

    def step(self, rows: Ints, number: int) -> tuple[float, str | None]:
        """One iteration."""
        before = self.params.copy()
        try:
            start = self._here(rows)
            finite = bool(np.isfinite(start.value) and np.isfinite(start.gradient).all())
            taken = finite and self._iterate(rows, start)
        except StoppedError:
            self.params[...] = before
            raise
        return start.value if finite else np.nan, None if taken or not finite else MINIMUM

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
        if dot(s, y) > np.finfo(np.float64).eps * dot(y, y):
            for array, newest in zip(self._state.values(), (s, y), strict=True):
                array[:-1] = array[1:].copy()
                array[-1] = newest
        return True

    def _search(self, rows: Ints, before: Floats, start: Point) -> Point | None:
        """Leave the parameters at a point that is lower by enough, and return it; None if there is none."""
        direction = self.optimizer.direction(start.gradient, self._state)
        slope = dot(start.gradient, direction)
        if -slope <= np.finfo(self.params.dtype).eps * abs(start.value):
            return None

        def evaluate(at: float) -> Point:
            self.params[...] = before + at * direction
            value, gradient = self.objective.value_and_gradient(rows)
            return Point(at, value if np.isfinite(value) else np.inf, dot(gradient, direction), gradient)

        first = 1.0 if self._state["moves"].any() else min(1.0, 1.0 / float(np.abs(start.gradient).sum()))
        found = line_search(evaluate, replace(start, slope=slope), first)
        if found is not None:
            self.params[...] = before + found.at * direction
        return found

    def _here(self, rows: Ints) -> Point:
        """Value and gradient at the parameters: known from the last line search, unless they are others now."""
        if self._known is None or not np.array_equal(self._known[0], self.params):
            value, gradient = self.objective.value_and_gradient(rows)
            self._known = self.params.copy(), Point(0.0, value, 0.0, gradient)
        return replace(self._known[1], at=0.0)
