"""Intervals: against resampling by a loop, and against how often they hold the truth."""

import time
from collections.abc import Callable
from math import lgamma
from typing import Any

import numpy as np
import pytest

from backlight.arrays import Ints
from backlight.randomness import Purpose, words
from backlight.scoring.intervals import f1_interval, mean_interval, quantity_intervals, share_interval
from backlight.scoring.metrics import confusion_matrix, macro_f1, regression_metrics
from backlight.scoring.resampling import GROUPS, group_counts, group_sums, groups_of, percentiles, resampled, weights


def bootstrap(count: int, score: Callable[[Ints], float], resamples: int = 2000) -> Any:
    """By definition: draw `count` of `count` examples with replacement, and score them."""
    rng = np.random.default_rng(0)
    found = [score(rng.integers(0, count, count)) for _ in range(resamples)]
    return np.quantile(found, [0.025, 0.975])


def holds(interval: Any, value: float) -> bool:
    return bool(interval[0] <= value <= interval[1])


def near(got: Any, expected: Any, part: float = 0.12) -> bool:
    """Both ends agree to a part of the width; the definition's own ends are known to about a twentieth of it."""
    width = expected[1] - expected[0]
    return np.allclose(got, expected, rtol=0, atol=part * width)


@pytest.mark.parametrize(("right", "count"), [(1, 3), (7, 10), (52, 53), (300, 1000), (9_700, 10_000)])
def test_a_share_has_the_percentiles_of_its_binomial(right, count):
    p, below = right / count, [0.0]
    for k in range(count + 1):
        log = lgamma(count + 1) - lgamma(k + 1) - lgamma(count - k + 1) + k * np.log(p) + (count - k) * np.log(1 - p)
        below.append(below[-1] + float(np.exp(log)))
    ends = tuple(next(k for k in range(count + 1) if below[k + 1] >= tail) / count for tail in (0.025, 0.975))
    assert share_interval(right, count) == ends


def test_all_right_or_all_wrong_is_not_certain():
    low, high = share_interval(50, 50)
    assert low**50 == pytest.approx(0.025)
    assert high == 1.0
    assert share_interval(0, 50) == (0.0, 1.0 - low)
    assert share_interval(1, 1) == (0.025, 1.0)


@pytest.mark.parametrize("count", [40, 700, 5_000])
def test_a_mean_by_definition(count):
    values = np.random.default_rng(1).exponential(size=count)
    assert near(mean_interval(values), bootstrap(count, lambda rows: values[rows].mean()))


@pytest.mark.parametrize("count", [60, 3_000])
def test_macro_f1_by_definition(count):
    rng = np.random.default_rng(2)
    y = rng.choice(3, count, p=[0.6, 0.3, 0.1])
    predicted = np.where(rng.random(count) < 0.2, rng.integers(0, 3, count), y)
    expected = bootstrap(count, lambda rows: macro_f1(confusion_matrix(y[rows], predicted[rows], 3)))
    assert near(f1_interval(y, predicted, 3), expected)


@pytest.mark.parametrize("wrong", [0, 3])
def test_macro_f1_of_a_part_without_a_class_lies_in_its_interval(wrong):
    y = np.arange(60) % 2
    predicted = np.where(np.arange(60) < wrong, 1 - y, y)
    score = macro_f1(confusion_matrix(y, predicted, 3))
    interval = f1_interval(y, predicted, 3)
    assert interval is not None
    assert holds(interval, score)
    assert interval[0] < score <= 2 / 3


@pytest.mark.parametrize("width", [1, 2])
@pytest.mark.parametrize("count", [60, 3_000])
def test_quantities_by_definition(width, count):
    rng = np.random.default_rng(3)
    y = rng.normal(size=(count, width)) + 100.0
    outputs, unit = y + rng.normal(size=(count, width)) * 0.4, np.arange(1.0, width + 1)
    got = quantity_intervals(outputs, y, unit)
    for name in ("rmse", "mae", "r2"):

        def score(rows, name=name):
            return regression_metrics(np.zeros(count), outputs[rows], y[rows], unit)[name]

        assert near(got[name], bootstrap(count, score, 800), 0.15), name


def test_intervals_hold_the_truth_about_nineteen_times_in_twenty():
    held, shares = 0, 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        held += holds(mean_interval(rng.exponential(size=150)), 1.0)
        shares += holds(share_interval(int((rng.random(150) < 0.9).sum()), 150), 0.9)
    assert 0.90 <= held / 300 <= 0.98
    assert 0.90 <= shares / 300 <= 0.99


def test_grouping_many_examples_leaves_no_trace_of_their_order():
    """Sorted examples would look better known than they are if neighbours were dealt to different groups in turn."""
    values = np.sort(np.random.default_rng(4).normal(size=20_000))
    found = mean_interval(values)
    assert found is not None
    assert (found[1] - found[0]) / (2 * 1.96 * values.std() / 20_000**0.5) == pytest.approx(1.0, abs=0.12)


def test_group_sums_and_counts_by_definition():
    rng = np.random.default_rng(5)
    count = 70_000  # more than a chunk
    values, codes = rng.random(count).astype(np.float32), rng.integers(-1, 3, count)
    groups = groups_of(0, count)
    ones = np.ones(count)
    sums = group_sums(count, lambda rows: [values[rows], ones[rows]])
    counts = group_counts([codes, codes], 3)
    for g in (0, 1, GROUPS - 1):
        assert sums[g, 0] == pytest.approx(values[groups == g].sum(dtype=np.float64))
        assert sums[g, 1] == (groups == g).sum()
        expected = [((groups == g) & (codes == k)).sum() for k in range(3)]
        assert counts[g].tolist() == expected * 2
    assert np.bincount(groups, minlength=GROUPS).std() == pytest.approx((count / GROUPS) ** 0.5, rel=0.1)


def test_weights_are_poisson():
    drawn = weights()
    for k in range(6):
        assert (drawn == k).mean() == pytest.approx(np.exp(-1.0) / np.prod(np.arange(1.0, k + 1)), abs=0.002)
    assert abs(np.corrcoef(drawn[:, :50].T) - np.eye(50)).max() < 0.17  # 1,225 pairs of 1,000 draws


def test_sums_of_resamples_are_exact_whatever_their_order():
    sums = np.random.default_rng(6).normal(size=(GROUPS, 2)) * [1e-12, 1e12]
    order = np.random.default_rng(7).permutation(GROUPS)
    whole = weights()
    expected = [sum(w * s for w, s in zip(whole[3, order], sums[order, d], strict=True)) for d in range(2)]
    np.testing.assert_allclose(resampled(sums)[3], expected, rtol=1e-8)
    _, exponents = np.frexp(np.abs(sums).max(axis=0))
    grid = np.rint(np.ldexp(sums, 40 - exponents)).astype(np.int64)
    exact = [sum(int(w) * int(s) for w, s in zip(whole[3, order], grid[order, d], strict=True)) for d in range(2)]
    assert np.ldexp(resampled(sums)[3], 40 - exponents).tolist() == exact


def test_the_same_bits_every_time():
    values = np.random.default_rng(8).random(3_000)
    first = mean_interval(values)
    weights.cache_clear()
    assert mean_interval(values) == first


def test_what_cannot_be_told():
    assert mean_interval(np.ones(1)) is None
    assert mean_interval(np.array([1.0, np.inf])) is None
    assert percentiles(np.array([1.0, np.nan, np.nan])) is None
    assert quantity_intervals(np.ones((1, 1)), np.ones((1, 1))) == {"rmse": None, "mae": None, "r2": None}
    assert quantity_intervals(np.full((9, 1), np.nan), np.ones((9, 1)))["rmse"] is None
    assert quantity_intervals(np.ones((9, 1)), np.zeros((9, 1)))["r2"] is None
    assert f1_interval(np.array([0, 1]), np.array([1, 1]), 1_001) is None


def test_everything_right_is_not_certain_for_f1_either():
    y = np.arange(30) % 3
    assert f1_interval(y, y, 3) == share_interval(30, 30)


def test_a_million_examples_take_less_than_a_second():
    values = np.random.default_rng(9).random(1_000_000, np.float32)
    y = (values * 10).astype(np.int64)
    weights()
    predicted = (y + (values < 0.05)) % 10
    started = time.process_time()
    assert mean_interval(values) is not None
    assert f1_interval(y, predicted, 10) is not None
    assert time.process_time() - started < 2.0


def test_words_are_the_streams_of_their_counters():
    whole = words(7, Purpose.RESAMPLING, 100_001)
    assert whole.dtype == np.uint32
    for first, count in ((0, 3), (4, 70_000), (99_996, 5)):
        assert (words(7, Purpose.RESAMPLING, count, first=first) == whole[first : first + count]).all()
    assert not (words(8, Purpose.RESAMPLING, 8) == whole[:8]).any()
    assert not (words(7, Purpose.RESAMPLING, 8, place=(1, 0)) == whole[:8]).any()
