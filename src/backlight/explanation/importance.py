"""Which columns a model needs: how much worse it gets where a column's cells are shuffled among the rows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats, Ints
from backlight.data import PARTS
from backlight.engine import Examples
from backlight.engine.threads import Threads
from backlight.errors import InputError, nearest, whole_number
from backlight.explanation.moment import Moment, Subject, open_moment
from backlight.explanation.passes import check_examples
from backlight.network import Network, Trace
from backlight.network.layers import Cache, Dense, DenseCache
from backlight.plots import Bars, Block, Gallery, Heading, Picture, Table, Text, number
from backlight.plots.blocks import Cell
from backlight.plots.shown import Shown
from backlight.randomness import Purpose, permutation
from backlight.scoring.metrics import measure
from backlight.scoring.several import name_questions

_ROWS: Final = 15
_SQUARES: Final = 5
_CHUNK: Final = 1024
_WORK: Final = 1e11
_MEMORY: Final = 6e7
_FEWEST: Final = 1000
_SIDE: Final = 7
_WORDS: Final = {"accuracy": "accuracy", "r2": "R²"}


@dataclass(frozen=True)
class ColumnImportance:
    """How much a model needs one column.

    Attributes:
        column: its name; of an image, a square of pixels.
        drop: by how much the score falls where the column is shuffled; None where there is no score.
        drop_spread: the standard deviation of the drop over the repeats.
        rise: by how much the loss rises.
        rise_spread: the standard deviation of the rise over the repeats; None for one repeat, as for the drop.
    """

    column: str
    drop: float | None
    drop_spread: float | None
    rise: float
    rise_spread: float | None


@dataclass(frozen=True, repr=False)
class Importance(Shown):
    """Which columns a model needs.

    Attributes:
        when: the moment, in words.
        part: which examples it was measured on.
        rows: how many of them.
        of: how many there are; where they are more, rows were drawn.
        score: "accuracy" or "r2".
        value: the score with all columns as they are; None for an r2 of targets that are all the same.
        loss: the mean loss with all columns as they are.
        repeats: how often each column was shuffled.
        columns: the most needed first, by the drop of the score, and where these are equal by the rise of the loss.
    """

    when: str
    part: str
    rows: int
    of: int
    score: str
    value: float | None
    loss: float
    repeats: int
    columns: tuple[ColumnImportance, ...]
    pictures: tuple[Picture, ...] = field(repr=False, default=(), compare=False)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Which {'places' if self.pictures else 'columns'} the model needs, {self.when}"

    def blocks(self) -> list[Block]:
        """The importance as blocks."""
        word, rows = _WORDS[self.score], f"{self.rows:,} examples"
        rows = rows if self.rows == self.of else f"{rows} drawn from {self.of:,}"
        score = "" if self.value is None else f"{word} {number(self.value)}, "
        shuffled = "Each square of pixels is" if self.pictures else "The cells of each column are"
        times = "times" if self.repeats > 1 else "time"
        told = (
            f"On {self.part} ({rows}): {score}loss {number(self.loss)}. {shuffled} shuffled among these "
            f"examples, {self.repeats} {times}; what is lost is what the model draws from there."
        )
        how = (
            f"A fall within its spread, or below 0, is chance: that {'place' if self.pictures else 'column'} is not "
            "needed. Of several that say the same, each can stand in for the others, so all seem less important than "
            "they are together."
        )
        shown = self.columns[: _SQUARES if self.pictures else _ROWS]
        names = tuple(row.column for row in shown)
        if self.value is None:
            bars = Bars(names, tuple(row.rise for row in shown), "the loss rises by")
        else:
            bars = Bars(names, tuple(row.drop or 0.0 for row in shown), f"the {word} falls by")
        cells: tuple[tuple[Cell, ...], ...] = tuple(
            (row.column, row.drop, row.drop_spread, row.rise, row.rise_spread) for row in shown
        )
        table = Table(
            ("place" if self.pictures else "column", f"{word} falls by", "±", "loss rises by", "±"),
            cells,
            signed=(1, 3),
        )
        rest = len(self.columns) - len(shown)
        more = [Text(f"The other {rest:,} are needed less.", "note")] if rest else []
        pictures = [Gallery(self.pictures)] if self.pictures else []
        return [Heading(self.title, 1), Text(told), *pictures, bars, table, *more, Text(how, "note")]


def importance(
    subject: Subject,
    x: Any = None,
    y: Any = None,
    *,
    at: str | int | None = None,
    part: str | None = None,
    repeats: int = 5,
    seed: int = 0,
) -> Importance:
    """Measure how much worse a model gets where the cells of one column are shuffled among the rows.

    A column's one-hot and missing-value inputs are shuffled together. Images are shuffled square by square, about seven
    to a side. All columns of a repeat are shuffled in the same order. Only what a column changes in the first layer is
    computed again, in float32. Where rows × columns × repeats would take more than about 10¹¹ multiplications, or
    rows × (inputs + first units) more than 6·10⁷ numbers, fewer rows are drawn, but not fewer than 1,000.

    Args:
        subject: a network, a run, a run's folder, or an opened moment; nothing of it is changed.
        x: inputs (n, i); a part of the run's data unless given.
        y: class indices (n,) or targets (n, j), given with x.
        at: for a run: 0, a step, "best" (the default) or "last".
        part: of the run's data: "test", "validation" or "train"; the first of these that has rows unless given.
        repeats: how often each column is shuffled.
        seed: of the shuffling.

    Raises:
        InputError: x or y does not fit, a part has fewer than two rows, or there is no such part or moment.

    Source: Breiman, "Random forests", Machine Learning 45, 2001; Fisher, Rudin and Dominici, "All models are wrong, but
        many are useful", JMLR 20, 2019.

    Example:
        >>> network = Network.mlp(2, 2, seed=0)
        >>> network.params[:] = [3, 0, -3, 0, 0, 0]
        >>> x = np.array([[1, 5], [-1, 6], [1, 7], [-1, 8]], np.float32)
        >>> told = importance(network, x, [0, 1, 0, 1])
        >>> [row.column for row in told.columns], told.columns[1].drop
        (['x0', 'x1'], 0.0)
    """
    whole_number("repeats", repeats, 1)
    moment = open_moment(subject, at)
    examples, called = _examples(moment, x, y, part)
    groups = _groups(moment)
    of = examples.source.count
    if of < 2:
        raise InputError(f"{called} has {of} {'row' if of == 1 else 'rows'}, and shuffling needs at least 2; give more")
    count = _affordable(moment.network, of, len(groups), repeats)
    rows = np.arange(of) if count == of else np.sort(permutation(seed, Purpose.PERMUTING, of, place=(0, 1))[:count])
    measured = _Measured.of(moment, examples, rows)
    orders = [permutation(seed, Purpose.PERMUTING, count, place=(repeat, 0)) for repeat in range(repeats)]
    plain = measured.metrics()
    score = "accuracy" if "accuracy" in plain else "r2"
    value, loss = plain[score], plain["loss"]
    found = []
    for name, inputs in groups:
        with Threads().limited():
            shuffled = [measured.metrics(measured.shuffled(inputs, order)) for order in orders]
        rises = np.array([metrics["loss"] for metrics in shuffled]) - loss
        drop, drop_spread = None, None
        if value is not None:
            drops = value - np.array([metrics[score] for metrics in shuffled])
            drop, drop_spread = float(drops.mean()), _spread(drops)
        found.append(ColumnImportance(name, drop, drop_spread, float(rises.mean()), _spread(rises)))
    ranked = sorted(found, key=lambda row: (-(row.drop or 0.0), -row.rise))
    pictures = _pictures(moment, groups, found, _WORDS[score])
    return Importance(moment.when, called, count, of, score, value, loss, repeats, tuple(ranked), pictures)


def _spread(values: Floats) -> float | None:
    """The standard deviation of draws, with n − 1 in the denominator."""
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _examples(moment: Moment, x: Any, y: Any, part: str | None) -> tuple[Examples, str]:
    """The examples to measure on, checked, and what they are called."""
    if (x is None) != (y is None):
        raise InputError("x and y go together; give both, or neither for a part of the run's data")
    if x is not None:
        if part is not None:
            raise InputError("part chooses from the run's own data; leave it out where x and y are given")
        return check_examples(moment, x, y), "the given examples"
    rows = moment.dataset.rows
    if part is None:
        part = next(name for name in reversed(PARTS) if len(rows[name]))
    if part not in PARTS:
        raise InputError(f"there is no part {part!r}; {nearest(part, list(PARTS))}")
    if not len(rows[part]):
        raise InputError(f"the run's data have no {part} part; choose another, or give x and y")
    return check_examples(moment, *moment.dataset.part(part)), f"the {part} part"


def _groups(moment: Moment) -> list[tuple[str, Ints]]:
    """What is shuffled together: the inputs of each original column; of images, squares of pixels."""
    if moment.image is not None:
        return _squares(moment.image)
    spans = [(name, i, i + 1) for i, name in enumerate(moment.inputs)]
    if moment.run is not None:
        spans = list(moment.dataset.inputs.spans)
    return [(name, np.arange(first, end)) for name, first, end in spans]


def _squares(shape: tuple[int, ...]) -> list[tuple[str, Ints]]:
    """Squares of an image (height, width), or (height, width, 3) with colours, about seven to its longer side."""
    height, width = shape[:2]
    side = max(1, round(max(height, width) / _SIDE))
    places = np.arange(int(np.prod(shape))).reshape(shape)
    found: list[tuple[str, Ints]] = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            inside = places[top : top + side, left : left + side]
            bottom, right = top + len(inside) - 1, left + inside.shape[1] - 1
            name = f"pixel {top},{left}" if side == 1 else f"pixels {top},{left} to {bottom},{right}"
            found.append((name, inside.reshape(-1)))
    return found


def _pictures(
    moment: Moment, groups: Sequence[tuple[str, Ints]], found: Sequence[ColumnImportance], word: str
) -> tuple[Picture, ...]:
    """The squares of an image, each as bright as it is needed."""
    if moment.image is None:
        return ()
    drops, rises = np.zeros((2, moment.network.inputs))
    for (_, inputs), row in zip(groups, found, strict=True):
        drops[inputs], rises[inputs] = row.drop or 0.0, row.rise
    return (
        Picture(_plain(drops, moment.image), signed=True, caption=f"the {word} falls by"),
        Picture(_plain(rises, moment.image), signed=True, caption="the loss rises by"),
    )


def _plain(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Values (i,) of which all colours of a pixel have the same, as (height, width)."""
    height, width = shape[:2]
    return values.reshape(height, width, -1)[:, :, 0]


def _affordable(network: Network, rows: int, groups: int, repeats: int) -> int:
    """How many of the rows can be measured in bounded time and memory."""
    first, *later = [dense for _, dense, _ in network.dense_layers()]
    each = repeats * (first.size + groups * (sum(dense.size for dense in later) + 8 * first.units))
    return min(rows, max(_FEWEST, int(_WORK / each)), max(_FEWEST, int(_MEMORY / (first.incoming + first.units))))


@dataclass(frozen=True)
class _Measured:
    """Rows at hand, as the first layer sees them.

    Attributes:
        moment: whose targets and units are used.
        network: a copy in float32.
        columns: the inputs, one row per input (i, n).
        weights: of the first layer, one row per input (i, j).
        z: the first layer's pre-activations (n, j).
        y: the targets.
    """

    moment: Moment
    network: Network
    columns: Floats
    weights: Floats
    z: Floats
    y: Array

    @classmethod
    def of(cls, moment: Moment, examples: Examples, rows: Ints) -> "_Measured":
        network = moment.network.copy("float32")
        x = network.as_inputs(examples.source.array[rows])
        first = network.layers[0]
        assert isinstance(first, Dense)
        z, _ = first.forward(x)
        columns, weights = np.ascontiguousarray(x.T), np.ascontiguousarray(first.W.T)
        return cls(moment, network, columns, weights, z, examples.targets(rows))

    def shuffled(self, inputs: Ints, order: Ints) -> tuple[Floats, Floats]:
        """What changes where some inputs are put in another order: their changes (k, n), and their weights (k, j)."""
        cells = self.columns[inputs]
        return cells[:, order] - cells, self.weights[inputs]

    def metrics(self, change: tuple[Floats, Floats] | None = None) -> dict[str, Any]:
        """The metrics of the rows, with some inputs changed."""
        losses = np.empty(len(self.z), np.float32)
        outputs = np.empty((len(self.z), self.network.outputs), np.float32)
        for first in range(0, len(self.z), _CHUNK):
            place = slice(first, first + _CHUNK)
            z = self.z[place] if change is None else self.z[place] + change[0][:, place].T @ change[1]
            trace = self._from_z(z)
            outputs[place], losses[place] = trace.out, self.network.losses(trace, self.y[place], self.moment.loss)
        quantities = self.moment.quantities
        unit = 1.0 if quantities is None else np.asarray(quantities.std)
        questions = name_questions(self.network.sizes)
        return measure(losses, outputs, self.y, unit, labels=self.moment.labels, questions=questions)

    def _from_z(self, z: Floats) -> Trace:
        """The forward pass from the first layer's pre-activations on."""
        outs: list[Floats] = [z]
        caches: list[Cache] = [DenseCache(z)]
        for layer in self.network.layers[1:]:
            out, cache = layer.forward(outs[-1])
            outs.append(out)
            caches.append(cache)
        return Trace(z, tuple(outs), tuple(caches))
