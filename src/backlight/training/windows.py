"""Data that lies in a file and is mapped into memory: visited window by window, so that memory stays bounded."""

from typing import Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Examples, RowSource, Session
from backlight.randomness import Purpose, permutation, windowed_permutation

WINDOW_BYTES: Final = 1 << 27
"""How much of a mapped file is held in memory before it is let go of."""


def window(source: RowSource, rows: Ints | None = None) -> int:
    """How many rows of a mapped source are visited before it is let go of; 0 where rows need no windows.

    A page of the file is held for each of them, so that rows which are few and far between fill a window sooner.

    Args:
        source: where the rows lie.
        rows: which of them are visited; all unless given.
    """
    if not source.mapped or source.count * source.stride <= WINDOW_BYTES:
        return 0
    held = WINDOW_BYTES // source.stride
    if rows is not None and len(rows):
        held = held * len(rows) // (int(np.ptp(rows)) + 1)
    return max(1, held)


def epoch_order(source: RowSource, rows: Ints, seed: int, epoch: int) -> Ints:
    """The order in which an epoch visits the rows: a permutation drawn for it, within windows where there are any."""
    held = window(source, rows)
    if held:
        return rows[windowed_permutation(seed, len(rows), held, place=(epoch, 0))]
    return rows[permutation(seed, Purpose.SHUFFLING, len(rows), place=(epoch, 0))]


def losses_of(session: Session, examples: Examples, rows: Ints | None = None) -> tuple[Floats, Floats]:
    """Losses (n,) and outputs (n, outputs) of rows of any examples, letting go of every window that has been read."""
    held = window(examples.source)
    if not held:
        return session.losses(examples, rows)
    rows = np.arange(examples.source.count) if rows is None else rows
    parts = []
    for some in np.split(rows, np.flatnonzero(np.diff(rows // held)) + 1):
        parts.append(session.losses(examples, some))
        examples.source.release()
    return np.concatenate([losses for losses, _ in parts]), np.concatenate([outputs for _, outputs in parts])


class Visits:
    """Counts the rows that were read from a mapped source, and lets go of them once they fill a window."""

    def __init__(self, source: RowSource, rows: Ints) -> None:
        self._source, self._held, self._read = source, window(source, rows), 0

    def steps(self, count: int, batch_size: int) -> int:
        """How many of so many steps may be taken before the window is full; at least one."""
        if not self._held:
            return count
        return min(count, max(1, (self._held - self._read) // batch_size))

    def add(self, rows: int) -> None:
        """So many rows were read."""
        self._read += rows
        if self._held and self._read >= self._held:
            self._source.release()
            self._read = 0
