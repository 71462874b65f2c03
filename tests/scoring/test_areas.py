"""Areas under ROC curves: DeLong's variance by loops over pairs, and how often the interval holds the truth."""

import time
from itertools import product
from math import erf

import numpy as np
import pytest

from backlight.scoring import areas as module
from backlight.scoring.areas import areas, class_rankings, deviations, least_area, together
from backlight.scoring.quality import class_quality, several_quality


def normal(seed: int, positives: int, negatives: int, apart: float) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two normal sides; their true AUC is Φ(apart / √2)."""
    rng = np.random.default_rng(seed)
    scores = np.concatenate([rng.normal(size=positives) + apart, rng.normal(size=negatives)])
    return scores, np.arange(positives + negatives) < positives


def test_the_variance_is_delongs():
    scores, positive = normal(0, 12, 20, 1.0)
    scores = scores.round(1)  # some are equal
    wins = np.zeros((12, 20))
    for i, j in product(range(12), range(20)):
        a, b = scores[positive][i], scores[~positive][j]
        wins[i, j] = 1.0 if a > b else 0.5 if a == b else 0.0
    variance = wins.mean(axis=1).var(ddof=1) / 12 + wins.mean(axis=0).var(ddof=1) / 20
    parts = deviations(scores, positive)
    assert parts @ parts == pytest.approx(variance)
    found = areas([(scores, positive)])
    assert found.mean == pytest.approx(wins.mean())
    assert found.interval is not None
    odds = [np.log(end / (1 - end)) for end in (found.interval[0], wins.mean(), found.interval[1])]
    half = 1.959964 * variance**0.5 / (wins.mean() * (1 - wins.mean()))
    assert np.diff(odds) == pytest.approx([half, half])


def test_two_classes_are_known_no_better_than_one():
    scores, positive = normal(1, 30, 40, 1.0)
    p = 1 / (1 + np.exp(-scores))
    both = areas(class_rankings(np.stack([1 - p, p], axis=1), positive.astype(int), 2))
    assert both.interval == pytest.approx(areas([(scores, positive)]).interval)
    flipped = areas([(-scores, positive)])
    assert both.interval == pytest.approx([1 - end for end in reversed(flipped.interval or ())])


@pytest.mark.parametrize(("positives", "negatives", "apart"), [(25, 50, 1.0), (60, 60, 2.0)])
def test_the_interval_holds_the_truth_about_nineteen_times_in_twenty(positives, negatives, apart):
    true, held = 0.5 + 0.5 * erf(apart / 2), 0
    for seed in range(300):
        interval = areas([normal(seed, positives, negatives, apart)]).interval
        assert interval is not None
        held += interval[0] <= true <= interval[1]
    assert 0.91 <= held / 300 <= 0.985


def test_the_mean_over_classes_spreads_as_often_drawn_ones_do():
    means, widths = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        y = rng.integers(0, 4, 120)
        found = areas(class_rankings(rng.normal(size=(120, 4)) + np.eye(4)[y], y, 4))
        assert found.mean is not None
        means.append(found.mean)
        widths.append(np.sqrt(found.parts @ found.parts))
    assert np.mean(widths) == pytest.approx(np.std(means), rel=0.15)


def test_all_ranked_rightly_is_not_certain():
    scores, positive = np.arange(30.0), np.arange(30) >= 20
    low, high = areas([(scores, positive)]).interval or (0, 0)
    assert (low, high) == (least_area(10, 20), 1.0)
    assert areas([(-scores, positive)]).interval == (0.0, 1 - low)
    assert areas([(scores, scores < 0)]).interval is None
    assert areas([(np.zeros(30), positive)]).interval == (0.5, 0.5)
    single = areas([(np.array([3.0, 1.0, 2.0, 4.0]), np.array([True, False, False, False]))])
    assert single.interval is not None


@pytest.mark.parametrize(("positives", "negatives"), [(10, 42), (30, 30), (5, 200)])
def test_an_area_as_low_as_the_end_is_seldom_taken_for_1(positives, negatives):
    apart = next(step / 100 for step in range(1000) if 0.5 + 0.5 * erf(step / 200) >= least_area(positives, negatives))
    rng, draws = np.random.default_rng(7), 4_000
    least = (rng.normal(size=(draws, positives)) + apart).min(axis=1)
    assert (least > rng.normal(size=(draws, negatives)).max(axis=1)).mean() < 0.03


def test_evenly_spaced_rows_of_many_tell_the_variance(monkeypatch):
    scores, positive = normal(3, 8_000, 12_000, 1.0)
    order = np.random.default_rng(4).permutation(20_000)
    some = deviations(scores[order], positive[order])
    monkeypatch.setattr(module, "MOST", 20_000)
    whole = deviations(scores, positive)
    assert (len(some), len(whole)) == (10_000, 20_000)
    assert some @ some == pytest.approx(whole @ whole, rel=0.05)


def test_reports_have_it():
    rng = np.random.default_rng(5)
    y = rng.integers(0, 3, (90, 2))
    outputs = np.concatenate([rng.normal(size=(90, 3)) + np.eye(3)[y[:, k]] for k in range(2)], axis=1)
    found = several_quality(np.ones(90), outputs, y, [("p", "abc"), ("q", "abc")])
    assert found["auc"] == pytest.approx(np.mean([question["auc"] for question in found["questions"]]))
    parts = [areas(class_rankings(outputs[:, 3 * k : 3 * k + 3], y[:, k], 3)) for k in range(2)]
    assert found["intervals"]["auc"] == list(together(parts).interval or ())
    wide, narrow = (low_high[1] - low_high[0] for low_high in (parts[0].interval or (0, 0), found["intervals"]["auc"]))
    assert narrow < wide  # two questions tell more than one
    one = class_quality(np.ones(90), outputs[:, :3], y[:, 0], "abc")
    low, high = one["intervals"]["auc"]
    assert low < one["auc"] < high


def test_many_examples_take_little_longer_than_their_auc():
    scores, positive = normal(6, 300_000, 300_000, 1.0)
    started = time.process_time()
    assert areas([(scores, positive)]).interval is not None
    assert time.process_time() - started < 1.0
