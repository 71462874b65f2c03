"""Measuring examples that are their own targets, some at a time: neither outputs nor targets are ever held whole."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.engine import Examples, Session
from backlight.scoring.reconstruction import Reconstructions

AT_ONCE: Final = 1 << 22
"""How many numbers are read at once."""


def reconstructed(session: Session, examples: Examples, rows: Ints | None = None) -> Reconstructions:
    """How well a session's network gives examples back.

    Args:
        session: of the network.
        examples: that are their own targets.
        rows: which of them (m,); all unless given.
    """
    rows = np.arange(examples.source.count) if rows is None else rows
    losses = np.empty(len(rows), session.program.dtype)
    squares, spreads = np.empty(len(rows)), np.empty(len(rows))
    middle = mean_of(examples, rows)
    for place, some in parts(examples, rows):
        losses[place], outputs = session.losses(examples, some)
        targets = examples.targets(some)
        squares[place] = ((outputs - targets) ** 2).mean(axis=1)
        spreads[place] = ((targets - middle) ** 2).mean(axis=1)
        examples.source.release()
    return Reconstructions(losses, squares, spreads)


def mean_of(examples: Examples, rows: Ints) -> Floats:
    """The mean example (i,) of some rows."""
    total = np.zeros(examples.source.width)
    for _, some in parts(examples, rows):
        total += examples.targets(some).sum(axis=0)
        examples.source.release()
    return total / len(rows)


def parts(examples: Examples, rows: Ints) -> Iterator[tuple[slice, Ints]]:
    """The rows, so many at a time that their inputs are few numbers; and where they stand among all."""
    size = max(1, AT_ONCE // examples.source.width)
    for first in range(0, len(rows), size):
        yield slice(first, first + size), rows[first : first + size]
