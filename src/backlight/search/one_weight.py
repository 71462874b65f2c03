"""One weight at a time: move it, and keep the move if the objective is lower."""

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Session, WholeBatch
from backlight.errors import InputError
from backlight.randomness import Purpose, permutation
from backlight.search.session import SearchSession

ORDERS: Final = ("cyclic", "random")

_FIRST: Final = 0.5
_LONGER: Final = 2.0
_SHORTER: Final = 0.5


@dataclass(frozen=True)
class OneWeight(WholeBatch):
    """Search along one weight, or bias, after the other (Hooke and Jeeves 1961, its exploratory moves).

    A weight w is tried at w + s; if the objective of all examples is not lower there, at w − s; if it is not lower
    there either, w stays. A move that helped doubles its own s, and keeps its direction; where none helped s is halved.
    Each weight has its own s, which begins at 0.5. The objective never rises.

    Args:
        order: "cyclic", as the parameters lie in memory, or "random", an order drawn anew in every epoch.

    Raises:
        InputError: there is no such order.

    Example:
        >>> OneWeight("random").steps_per_epoch(size=41)
        41
    """

    order: str = "cyclic"
    name: ClassVar[str] = "one-weight"

    def __post_init__(self) -> None:
        if self.order not in ORDERS:
            raise InputError(f"the order of one-weight is {self.order!r}; it must be {' or '.join(ORDERS)}")

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """`moves`: what each parameter is to be moved by next (size,)."""
        return {"moves": np.full(size, _FIRST, dtype)}

    def open(self, session: Session, params: Floats, seed: int) -> "OneWeightSession":
        """A session whose steps each try one weight."""
        return OneWeightSession(session, params, self, seed)

    def told(self, size: int) -> str:
        """What an epoch is, in words.

        Example:
            >>> OneWeight("random").told(1210)
            '1,210 weights, each tried once an epoch, in random order'
        """
        return f"{size:,} weights, each tried once an epoch, in {self.order} order"

    def steps_per_epoch(self, size: int) -> int:
        """Every parameter is tried once."""
        return size


class OneWeightSession(SearchSession):
    """Steps that each try one weight; arguments as for `OneWeight.open`."""

    def __init__(self, session: Session, params: Floats, search: OneWeight, seed: int) -> None:
        super().__init__(session, params, search.initial_state(params.size, params.dtype))
        self._search, self._seed = search, seed
        self._order: tuple[int, Ints] = (-1, np.arange(params.size))

    def step(self, rows: Ints, number: int) -> tuple[float, str | None]:
        """Try one weight at two places at most."""
        start = self.here(rows)
        epoch, place = divmod(number, self.params.size)
        which = int(self._ordered(epoch)[place])
        before, moves = self.params[which], self._state["moves"]
        with self.trying(which):
            for move in (moves[which], -moves[which]) if np.isfinite(start) else ():
                self.params[which] = before + move
                if self.keeps(rows, start):
                    moves[which] = _LONGER * move
                    return start, None
        self.params[which] = before
        moves[which] *= _SHORTER
        return start, None

    def _ordered(self, epoch: int) -> Ints:
        """The parameters in the order in which an epoch tries them."""
        if self._search.order == "random" and self._order[0] != epoch:
            self._order = epoch, permutation(self._seed, Purpose.SEARCHING, self.params.size, place=(epoch, 0))
        return self._order[1]
