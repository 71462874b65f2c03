"""A session that tries: it knows the objective where it stands, and goes back from what did not help."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Advance, StoppedError, Stretch, WholeSession


class SearchSession(WholeSession):
    """A session whose steps try other parameters and keep those at which the objective is lower."""

    _known: tuple[Floats, float] | None = None
    _here: float | None = None

    def advance(self, stretch: Stretch) -> Advance:
        """Take steps; the objective is measured anew if the parameters are others than they were left."""
        if self._known is not None and np.array_equal(self._known[0], self.params):
            self._here = self._known[1]
        else:
            self._here = None
        advance = super().advance(stretch)
        self._known = None if self._here is None else (self.params.copy(), self._here)
        return advance

    def here(self, rows: Ints) -> float:
        """The objective of the rows where the session stands."""
        if self._here is None:
            self._here = self.objective.value(rows)
        return self._here

    @contextmanager
    def trying(self, part: int | slice) -> Iterator[None]:
        """Within the block, parameters may be tried; a stop puts back those of the part."""
        before = np.array(self.params[part])
        try:
            yield
        except StoppedError:
            self.params[part] = before
            raise

    def keeps(self, rows: Ints, start: float) -> bool:
        """Whether the objective is lower at the parameters that are tried; if so, that is where the session stands."""
        value = self.objective.value(rows)
        if not value < start:
            return False
        self._here = value
        return True
