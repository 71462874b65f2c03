"""How close a mini-batch's mean gradient comes to that of all examples, against its size and its time."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import FloatName, Floats
from backlight.engine import Session
from backlight.errors import InputError, whole_number
from backlight.explanation.moment import Moment
from backlight.explanation.passes import check_examples, gradient_session, in_precision, precision_for
from backlight.plots import Block, Curve, Heading, Table, Text, number
from backlight.plots.shown import Shown
from backlight.randomness import Purpose, check_seed, permutation

SIZES: Final = (1, 10, 100, 1_000, 10_000)
_GOOD: Final = 0.9


@dataclass(frozen=True)
class BatchSize:
    """Batches of one size.

    Attributes:
        size: how many examples.
        drawn: how many batches were drawn.
        cosine: the mean cosine between a batch's gradient and the full one.
        spread: its standard deviation over the drawn batches.
        least: the smallest.
        length: the mean ratio of the gradients' lengths, ‖batch‖ / ‖full‖.
        seconds: the median time of one gradient.
    """

    size: int
    drawn: int
    cosine: float
    spread: float
    least: float
    length: float
    seconds: float


@dataclass(frozen=True, repr=False)
class BatchAgreement(Shown):
    """How close the mean gradient of a mini-batch comes to that of all examples.

    Attributes:
        when: the moment, in words.
        count: n, how many examples there are.
        norm: the length of the full gradient, ‖∂objective/∂θ‖.
        sizes: one entry per size of batch; the last is all examples.
        seed: of the drawn batches.
        precision: "float64" or "float32", in which the gradients were computed.
    """

    when: str
    count: int
    norm: float
    sizes: tuple[BatchSize, ...]
    seed: int
    precision: FloatName

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"How close a mini-batch comes to all {self.count:,} examples, {self.when}"

    def blocks(self) -> list[Block]:
        """The agreement as blocks: a table, and the cosine against size and time."""
        cosines = tuple(entry.cosine for entry in self.sizes)
        rows = tuple(
            (f"{e.size:,}", e.cosine, e.spread, e.least, e.length, f"{number(1e3 * e.seconds)} ms") for e in self.sizes
        )
        columns = ("examples", "cosine", "its spread", "the least", "length ÷ full length", "time of a gradient")
        powers: list[tuple[str, list[float]]] = [
            ("examples in the batch, as a power of ten", [entry.size for entry in self.sizes]),
            ("milliseconds per gradient, as a power of ten", [1e3 * entry.seconds for entry in self.sizes]),
        ]
        curves = [
            Curve(tuple(np.log10(values).tolist()), cosines, labels=(label, "cosine with the full gradient"))
            for label, values in powers
        ]
        return [
            Heading(self.title, 1),
            Text(self.sentence),
            Table(columns, rows),
            *curves,
            Text("A cosine of 1 is the same direction, of 0 a right angle.", "note"),
        ]

    @property
    def sentence(self) -> str:
        """The smallest batch that does nearly as well as all examples, in words."""
        full = self.sizes[-1]
        chosen = next((entry for entry in self.sizes[:-1] if entry.cosine >= _GOOD), None)
        if chosen is None:
            return f"No smaller batch that was drawn reaches a cosine of {_GOOD} with the gradient of all examples."
        return (
            f"The gradient of {chosen.size:,} examples has a cosine of {number(chosen.cosine)} with that of all "
            f"{full.size:,}, and takes {number(full.seconds / chosen.seconds)} times less time."
        )


def batch_agreement(
    moment: Moment,
    x: Any,
    y: Any,
    sizes: Sequence[int] = SIZES,
    repeats: int = 5,
    seed: int = 0,
    *,
    precision: FloatName | None = None,
) -> BatchAgreement:
    """Draw mini-batches, and compare the direction of their mean gradients with that of all examples.

        cosine = g_batch · g / (‖g_batch‖ ‖g‖), and 0 where either gradient is 0

    A batch is the beginning of a random order of the examples, drawn anew for each; no example is in it twice.
    Precision is chosen as for `wishes_for_weight`.

    Args:
        moment: the network; nothing of it is changed.
        x: inputs (n, i).
        y: class indices (n,) or targets (n, j).
        sizes: examples per batch; those of n or more are left out, for all n come last anyway.
        repeats: batches per size.
        seed: of the drawn batches.
        precision: "float64" or "float32"; chosen by the size of the work unless given.

    Raises:
        InputError: a size or the repeats are no whole numbers above 0, or x or y does not fit.

    Example:
        >>> from backlight import Network
        >>> from backlight.explanation import open_moment
        >>> moment = open_moment(Network.mlp(2, 3, 2, seed=0))
        >>> told = batch_agreement(moment, np.eye(2).repeat(4, axis=0), [0, 0, 0, 0, 1, 1, 1, 1], sizes=[1, 4])
        >>> [entry.size for entry in told.sizes], round(told.sizes[-1].cosine, 12)
        ([1, 4, 8], 1.0)
    """
    examples = check_examples(moment, x, y)
    count = examples.source.count
    wanted = sorted({whole_number("a batch size", size, 1) for size in sizes})
    if not wanted:
        raise InputError("sizes is empty; give at least one size of batch")
    whole_number("repeats", repeats, 1)
    check_seed(seed)
    used = precision or precision_for(moment, count)
    session = gradient_session(in_precision(moment, used), moment.loss, examples)
    session.gradients(np.arange(min(count, 2)))  # the first pass takes memory, which is not what is timed
    everything, seconds = _timed(session, np.arange(count))
    found = []
    for place, size in enumerate(size for size in wanted if size < count):
        orders = (permutation(seed, Purpose.CHECKING, count, place=(place, r)) for r in range(repeats))
        found.append(_compare(size, [_timed(session, order[:size]) for order in orders], everything))
    found.append(_compare(count, [(everything, seconds)], everything))
    return BatchAgreement(moment.when, count, float(np.linalg.norm(everything)), tuple(found), seed, used)


def _timed(session: Session, rows: Any) -> tuple[Floats, float]:
    started = time.perf_counter()
    gradient = session.gradients(rows)[1]
    seconds = time.perf_counter() - started
    return gradient.astype(np.float64), seconds


def _compare(size: int, batches: list[tuple[Floats, float]], full: Floats) -> BatchSize:
    norm = float(np.linalg.norm(full))
    lengths = np.array([np.linalg.norm(gradient) for gradient, _ in batches])
    dots = np.array([np.vdot(gradient, full) for gradient, _ in batches])
    products = lengths * norm
    cosines = np.divide(dots, products, out=np.zeros_like(dots), where=products > 0)
    return BatchSize(
        size=size,
        drawn=len(batches),
        cosine=float(cosines.mean()),
        spread=float(cosines.std()),
        least=float(cosines.min()),
        length=float(lengths.mean()) / norm if norm else 0.0,
        seconds=float(np.median([seconds for _, seconds in batches])),
    )
