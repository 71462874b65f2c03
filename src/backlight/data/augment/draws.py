"""What is drawn for augmentation: numbers that depend on seed, row, epoch and kind alone."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.randomness import PhiloxBlock, Purpose, Words, stream_key


class Kind(IntEnum):
    """What numbers are drawn for; each kind has counters of its own."""

    MAP = 0
    FIELD = 1
    NOISE = 2
    ERASE = 3
    COLUMN = 4


@dataclass(frozen=True)
class Chance:
    """The draws of some rows in an epoch.

    The counters of Philox are (row, epoch, kind, place), its key that of (seed, augmentation).

    Attributes:
        seed: of the run.
        epoch: from 0.
        rows: row numbers (n,) of the whole data set.

    Example:
        >>> words = Chance(0, 3, np.array([7, 9])).words(Kind.MAP, 6)
        >>> bool((words[1] == Chance(0, 3, np.array([9])).words(Kind.MAP, 6)[0]).all())
        True
    """

    seed: int
    epoch: int
    rows: Ints

    def words(self, kind: Kind, count: int) -> Words:
        """Words of 32 bits (n, count), in the order of their counters."""
        return self._drawn(kind, -(-count // 4)).reshape(len(self.rows), -1)[:, :count]

    def uniforms(self, kind: Kind, count: int) -> NDArray[np.float64]:
        """Numbers (n, count) between 0 and 1, the middles of 2³² equal parts."""
        return (self.words(kind, count).astype(np.float64) + 0.5) * 2.0**-32

    def parts(self, kind: Kind, counters: int, dtype: type[np.uint8] | type[np.uint16]) -> tuple[Ints, Ints]:
        """The words of so many counters, cut into smaller numbers, the lowest bits first.

        Returns:
            Those of the first and second word of every counter (n, m), and those of the third and fourth.
        """
        words = self._drawn(kind, counters).astype("<u4")
        small = np.dtype(dtype).newbyteorder("<")
        low, high = (np.ascontiguousarray(half).view(small) for half in (words[:, :, :2], words[:, :, 2:]))
        return low.reshape(len(self.rows), -1), high.reshape(len(self.rows), -1)

    def _drawn(self, kind: Kind, counters: int) -> Words:
        """All words (n, counters, 4)."""
        block = PhiloxBlock((len(self.rows), counters))
        key, rows = stream_key(self.seed, Purpose.AUGMENTATION), self.rows.astype(np.uint64)[:, None]
        return np.stack(block.draw(key, rows, self.epoch, int(kind), np.arange(counters, dtype=np.uint64)), axis=2)
