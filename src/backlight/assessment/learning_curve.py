"""The learning curve: how much better the network would be with twice the data.

The run's own training is repeated on 1/8, 1/4 and 1/2 of the training part, twice each: once on the first rows of a
random order, once on its last, so that the two halves share no row; every class keeps its share. Where five folds have
found how long the run was trained, five folds of each part find that for it. Through the errors goes

    error(m) = a m^(−b),  fitted by least squares to log error against log m

with m the number of training rows, and the change from m to 2 m is what it gives from all rows to twice as many. Its
95 % interval is from resamples of the measured examples and of the two trainings of each size. The error is 1 − the
score.

Source: Hestness et al., "Deep learning scaling is predictable, empirically", 2017, arXiv:1712.00409 (the power law).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats, Ints
from backlight.data import Classes, Dataset, Labels, Quantities, SeveralClasses, Target
from backlight.errors import InputError
from backlight.files import Settings
from backlight.files.scouting import for_fewer
from backlight.randomness import Purpose, permutation
from backlight.scoring.metrics import predicted_classes, right_labels
from backlight.scoring.resampling import RESAMPLES, group_sums, percentiles, resampled
from backlight.scoring.several import right_answers
from backlight.training import Evaluation, Outcomes, outcomes

FRACTIONS: Final = (1 / 8, 1 / 4, 1 / 2)
LEAST_ROWS: Final = 80


@dataclass(frozen=True)
class LearningCurve:
    """Scores by the number of training rows, and what twice the rows would give.

    Attributes:
        score: its name.
        rows: how many training rows, ascending; the last is the whole training part.
        scores: the score of each training, one or two for each number of rows.
        doubled: the score that the fit foretells for twice the rows.
        gain: by how much that is above what it gives for all rows.
        interval: the gain's 95 % interval, None where it cannot be told.
        exponent: b.
    """

    score: str
    rows: tuple[int, ...]
    scores: tuple[tuple[float, ...], ...]
    doubled: float
    gain: float
    interval: tuple[float, float] | None
    exponent: float


def learning_curve(
    settings: Settings,
    dataset: Dataset,
    score: str,
    whole: Outcomes,
    examples: Evaluation,
    say: Callable[[str], None] | None = None,
) -> LearningCurve:
    """Train on parts of the training rows, measure on the examples, and extrapolate to twice the rows.

    Args:
        settings: of the run, resolved.
        dataset: its data.
        score: what the run is scored by, as its metrics tell.
        whole: what the network of the run, trained on all rows, makes of the examples.
        examples: what is measured.
        say: told about each training.

    Raises:
        InputError: there are fewer than 80 training rows.
    """
    rows = dataset.rows["train"]
    if len(rows) < LEAST_ROWS:
        raise InputError(
            f"a learning curve needs at least {LEAST_ROWS} training rows, so that an eighth of them is enough to learn "
            f"from; there are {len(rows)}"
        )
    sizes, errors = [], []
    for fraction in FRACTIONS:
        chosen = [nested(rows, _strata(dataset), fraction, settings.seed, last=last) for last in (False, True)]
        sizes.append(len(chosen[0]))
        if say is not None:
            say(f"training twice on {sizes[-1]:,} of {len(rows):,} rows")
        errors.append([_errors(dataset.target, _trained(settings, dataset, part, examples)) for part in chosen])
    sizes.append(len(rows))
    errors.append([_errors(dataset.target, whole)])
    return fitted(score, sizes, errors)


def nested(rows: Ints, strata: Ints | None, fraction: float, seed: int, *, last: bool) -> Ints:
    """A fraction of the rows, of each stratum alike and at least one of each: the first or the last of a random order.

    Smaller fractions are parts of larger ones.

    Args:
        rows: row numbers (m,).
        strata: the class of each (m,), None for no classes.
        fraction: above 0, at most 1.
        seed: of the order.
        last: whether to take the last ones.

    Example:
        >>> rows, classes = np.arange(100), np.arange(100) % 2
        >>> small, large = (nested(rows, classes, part, 0, last=False) for part in (0.1, 0.5))
        >>> len(small), len(large), set(small.tolist()) <= set(large.tolist())
        (10, 50, True)
    """
    codes = np.zeros(len(rows), np.int64) if strata is None else np.asarray(strata, np.int64)
    order = permutation(seed, Purpose.RESAMPLING, len(rows), place=(2, 0))
    members = order[np.argsort(codes[order], kind="stable")]
    sizes = np.bincount(codes)
    rank = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    wanted = np.repeat(np.maximum(np.floor(sizes * fraction + 0.5), np.minimum(sizes, 1)), sizes)
    taken = rank >= np.repeat(sizes, sizes) - wanted if last else rank < wanted
    return np.sort(rows[members[taken]])


def fitted(score: str, rows: list[int], errors: Sequence[Sequence[NDArray[np.float64]]]) -> LearningCurve:
    """The curve of per-example errors (n,): for each number of rows, one array per training.

    Example:
        >>> flat = [[np.full(100, 0.4 * m**-0.5)] for m in (100, 200, 400, 800)]
        >>> found = fitted("r2", [100, 200, 400, 800], flat)
        >>> round(found.exponent, 6), round(found.doubled, 6) == round(1 - 0.4 * 1600**-0.5, 6)
        (0.5, True)
    """
    count = len(errors[0][0])
    columns = [np.ones(count), *(column for size in errors for column in size)]
    drawn = resampled(group_sums(count, lambda part: [column[part] for column in columns]))
    drawn = np.divide(drawn[:, 1:], drawn[:, :1], out=np.full(drawn[:, 1:].shape, np.nan), where=drawn[:, :1] > 0)
    picks = permutation(0, Purpose.RESAMPLING, RESAMPLES, place=(3, 0))
    means, chosen, start = [], [], 0
    for k, size in enumerate(errors):
        means.append(float(np.mean([column.mean() for column in size])))
        which = start + (picks >> k) % len(size)
        chosen.append(drawn[np.arange(RESAMPLES), which])
        start += len(size)
    least = 0.5 / count
    exponent, now, then = _doubling(rows, np.array([means]), least)
    _, before, after = _doubling(rows, np.stack(chosen, axis=1), least)
    return LearningCurve(
        score=score,
        rows=tuple(rows),
        scores=tuple(tuple(1.0 - float(column.mean()) for column in size) for size in errors),
        doubled=1.0 - float(then[0]),
        gain=float(now[0] - then[0]),
        interval=percentiles(before - after),
        exponent=float(exponent[0]),
    )


def _doubling(rows: list[int], errors: Floats, least: float) -> tuple[Any, Any, Any]:
    """The exponents (r,) of mean errors (r, sizes), and the errors fitted at all rows and at twice as many."""
    at = np.log(np.array(rows, np.float64))
    heights = np.log(np.maximum(errors, least))
    middle = heights.mean(axis=1)
    slope = (heights - middle[:, None]) @ (at - at.mean()) / ((at - at.mean()) ** 2).sum()
    now, then = (np.exp(middle + slope * (at[-1] + step - at.mean())) for step in (0.0, np.log(2.0)))
    return -slope, now, then


def _trained(settings: Settings, dataset: Dataset, rows: Ints, examples: Evaluation) -> Outcomes:
    """What a network that has learnt from some of the rows makes of the examples."""
    training = for_fewer(settings, dataset, rows).training(dataset, rows, dataset.rows["validation"])
    training.complete()
    return outcomes(training.network, examples, settings.loss, engine=settings.engine)


def _strata(dataset: Dataset) -> Array | None:
    return dataset.y[dataset.rows["train"]] if isinstance(dataset.target, Classes) else None


def _errors(target: Target, found: Outcomes) -> NDArray[np.float64]:
    """What each example adds to 1 − score (n,): whether it is wrong, or its squared error by the targets' variance."""
    outputs, y = found.outputs, found.y
    if isinstance(target, Classes):
        wrong = predicted_classes(outputs) != y
    elif isinstance(target, Quantities):
        known = y.reshape(len(y), -1).astype(np.float64)
        spread = np.maximum(known.var(axis=0), np.finfo(np.float64).tiny)
        squares: NDArray[np.float64] = (outputs - known) ** 2 / spread
        return np.asarray(squares.mean(axis=1), np.float64)
    elif isinstance(target, Labels):
        wrong = ~right_labels(outputs, y).all(axis=1)
    else:
        assert isinstance(target, SeveralClasses)
        wrong = ~right_answers(outputs, y, target.sizes).all(axis=1)
    return np.asarray(wrong, np.float64)
