"""How well scores rank: the areas under the ROC curves of classes, labels or questions, their mean, and its interval.

The interval needs no resampling. With V_i the share of the other side that example i is ranked rightly against, the
mean of V over the n₊ positives is the AUC, and so is its mean over the n₋ negatives, and

    variance = Σ_positives (V_i − AUC)² / (n₊ (n₊ − 1)) + Σ_negatives (V_i − AUC)² / (n₋ (n₋ − 1))

For a mean over classes, what an example adds to each of them is added up before it is squared, for the classes are
ranked on the same examples. The ends are those of a normal interval of log(AUC / (1 − AUC)), so that none lies
outside 0 to 1. Where all is ranked rightly the variance is 0 and says nothing; the lower end of a class is then the
least AUC that lies no further from 1 than 1.96 of the standard deviations that it would have itself (see `least_area`).

Sources: DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating
characteristic curves", 1988; Pepe, "The statistical evaluation of medical tests for classification and prediction",
2003, section 5.2 (the logarithm of the odds); Newcombe, "Confidence intervals for an effect size measure based on the
Mann-Whitney statistic", part 2, 2006 (method 5, the lower end).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats, Ints
from backlight.scoring.classes import auc
from backlight.scoring.resampling import Interval

MOST: Final = 10_000
"""Of more examples, so many evenly spaced ones tell the variance, to 1 %."""

_NORMAL: Final = 1.959964  # 95 % of a normal variable lies within so many standard deviations


@dataclass(frozen=True)
class Areas:
    """The AUC of each class, and what is known of their mean.

    Attributes:
        each: the AUC of each class; None where it has none.
        mean: over the classes that have one; None where none has.
        parts: what examples add to the mean's deviation (m,): their squares add up to its variance.
        least: the lower end of its interval where all is ranked rightly.
    """

    each: tuple[float | None, ...]
    mean: float | None
    parts: NDArray[np.float64]
    least: float

    @property
    def interval(self) -> Interval | None:
        """The 95 % interval of the mean; None where there is no mean."""
        if self.mean is None:
            return None
        if self.mean in (0.0, 1.0):
            return (self.least, 1.0) if self.mean else (0.0, 1.0 - self.least)
        slope = self.mean * (1.0 - self.mean)
        middle, half = math.log(self.mean / (1.0 - self.mean)), _NORMAL * math.sqrt(self.parts @ self.parts) / slope
        low, high = (0.5 + 0.5 * math.tanh((middle + step) / 2) for step in (-half, half))
        return min(low, self.mean), max(high, self.mean)


def areas(rankings: Iterable[tuple[Floats, Array]]) -> Areas:
    """The areas of several rankings of the same examples.

    Args:
        rankings: scores (n,), and whether each example is positive (n,).

    Example:
        >>> scores, y = np.array([0.1, 0.4, 0.35, 0.8, 0.6, 0.9]), np.array([0, 0, 1, 1, 0, 1])
        >>> found = areas([(scores, y == 1)])
        >>> low, high = found.interval
        >>> round(found.mean, 3), round(low, 2), round(high, 2)
        (0.778, 0.17, 0.98)
    """
    each: list[float | None] = []
    known, ends = list[NDArray[np.float64]](), list[float]()
    for scores, positive in rankings:
        each.append(auc(scores, positive))
        if each[-1] is not None:
            positives = int(np.count_nonzero(positive))
            ends.append(least_area(positives, len(scores) - positives))
            parts = deviations(scores, positive)
            known = [known[0] + parts] if known else [parts]
    if not known:
        return Areas(tuple(each), None, np.empty(0), 0.0)
    return Areas(tuple(each), _mean(each), known[0] / len(ends), sum(ends) / len(ends))


def together(found: Sequence[Areas]) -> Areas:
    """The mean over several questions about the same examples of their mean areas.

    Example:
        >>> one = areas([(np.array([0.1, 0.4, 0.3, 0.8]), np.array([False, False, True, True]))])
        >>> together([one, one]).interval == one.interval
        True
    """
    known = [one for one in found if one.mean is not None]
    each = tuple(one.mean for one in found)
    if not known:
        return Areas(each, None, np.empty(0), 0.0)
    parts = np.mean([one.parts for one in known], axis=0)
    return Areas(each, _mean(each), parts, sum(one.least for one in known) / len(known))


def class_rankings(outputs: Floats, y: Ints, classes: int) -> Iterator[tuple[Floats, Array]]:
    """Each class against all others, by that class's own output; a single output is that of class 1.

    Example:
        >>> areas(class_rankings(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), 2)).each
        (1.0, 1.0)
    """
    for k in range(classes):
        single = outputs.shape[1] == 1
        yield np.ascontiguousarray(outputs[:, 0 if single else k]), y == (1 if single else k)


def least_area(positives: int, negatives: int) -> float:
    """The lower end of the 95 % interval of an AUC of 1: the A with (1 − A)² = 1.96² variance(A).

        variance(A) = A (1 − A) / (n₊ n₋) (1 + N ((1 − A) / (2 − A) + A / (1 + A))),  N = (n₊ + n₋) / 2 − 1

    Args:
        positives: n₊, at least 1.
        negatives: n₋, at least 1.

    Source: Newcombe, 2006, method 5; the variance is Hanley and McNeil's of 1982, of both sides alike.

    Example:
        >>> round(least_area(1, 1), 3), round(least_area(20, 30), 3), round(least_area(2000, 3000), 4)
        (0.207, 0.916, 0.9992)
    """
    low, high = 0.0, 1.0
    for _ in range(50):
        a = (low + high) / 2
        shape = 1 + ((positives + negatives) / 2 - 1) * ((1 - a) / (2 - a) + a / (1 + a))
        beyond = (1 - a) * positives * negatives > _NORMAL**2 * a * shape
        low, high = (a, high) if beyond else (low, a)
    return low


def deviations(scores: Floats, positive: Array) -> NDArray[np.float64]:
    """What examples add to the deviation of an AUC (m,): of at most 10,000 of them; the squares add up to the variance.

    Args:
        scores: (n,), finite.
        positive: (n,), whether each example is.
    """
    count = len(scores)
    rows = np.arange(min(count, MOST)) * count // min(count, MOST)
    scores, positive = scores[rows], positive[rows].astype(bool)
    parts = np.zeros(len(rows))
    for side in (positive, ~positive):
        own, others = scores[side], np.sort(scores[~side])
        if len(own) > 1 and len(others):
            below = np.searchsorted(others, own, "left") + np.searchsorted(others, own, "right")
            shares = below / (2 * len(others))
            parts[side] = (shares - shares.mean()) / math.sqrt(len(own) * (len(own) - 1))
    parts[~positive] *= -1.0  # a negative is ranked rightly against the positives above it
    return parts * math.sqrt(len(rows) / count)


def _mean(each: Iterable[float | None]) -> float:
    known = [value for value in each if value is not None]
    return sum(known) / len(known)
