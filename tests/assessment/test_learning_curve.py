from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from backlight.assessment.learning_curve import fitted, learning_curve, nested
from backlight.errors import InputError
from backlight.files import evaluation, scouting
from backlight.training import outcomes
from tests.assessment.made import arrays, made
from tests.files.test_scouting import table

ROWS = [100, 200, 400, 800]


@pytest.mark.parametrize("last", [False, True])
def test_parts_are_nested_and_keep_the_share_of_every_class(last):
    rows = np.arange(1000, 2000)
    classes = np.random.default_rng(0).choice(3, 1000, p=[0.7, 0.25, 0.05])
    parts = [nested(rows, classes, fraction, 3, last=last) for fraction in (1 / 8, 1 / 4, 1 / 2, 1.0)]
    for small, large in pairwise(parts):
        assert set(small.tolist()) < set(large.tolist())
    for fraction, part in zip((1 / 8, 1 / 4, 1 / 2), parts, strict=False):
        shares = np.bincount(classes[part - 1000]) / np.bincount(classes)
        np.testing.assert_allclose(shares, fraction, atol=0.02)
        assert (np.diff(part) > 0).all()
    assert parts[-1].tolist() == rows.tolist()


def test_the_two_halves_share_no_row_and_a_rare_class_is_in_every_part():
    rows, classes = np.arange(200), np.r_[np.zeros(199, int), 1]
    halves = [nested(rows[:198], None, 0.5, 0, last=last) for last in (False, True)]
    assert sorted(np.concatenate(halves).tolist()) == list(range(198))
    assert all(199 in nested(rows, classes, 1 / 8, 0, last=last) for last in (False, True))


@pytest.mark.parametrize("exponent", [0.1, 0.5, 1.0])
def test_a_power_law_is_found_again(exponent):
    errors = [[np.full(50, 0.3 * (m / 100) ** -exponent)] * 2 for m in ROWS]
    found = fitted("accuracy", ROWS, errors)
    now, then = (0.3 * (m / 100) ** -exponent for m in (800, 1600))
    assert found.exponent == pytest.approx(exponent)
    assert found.gain == pytest.approx(now - then)
    assert found.doubled == pytest.approx(1 - then)
    assert found.interval == pytest.approx((found.gain, found.gain))


def test_the_interval_holds_the_true_gain():
    true, held, widths = 800**-0.5 - 1600**-0.5, 0, []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        errors = [[(rng.random(400) < m**-0.5).astype(float) for _ in range(2 if m < 800 else 1)] for m in ROWS]
        found = fitted("accuracy", ROWS, errors)
        assert found.interval is not None
        held += found.interval[0] <= true <= found.interval[1]
        widths.append(found.interval[1] - found.interval[0])
    assert held >= 54
    assert np.mean(widths) < 2 * true  # and it says something


def test_no_mistakes_and_no_progress_are_no_trouble():
    perfect = fitted("accuracy", ROWS, [[np.zeros(50)]] * 4)
    assert (perfect.gain, perfect.exponent) == (0.0, 0.0)
    worse = fitted("accuracy", ROWS, [[np.full(50, share)] for share in (0.1, 0.2, 0.3, 0.4)])
    assert worse.gain < 0


def test_trained_with_the_runs_own_settings(tmp_path):
    conduct = made(tmp_path, "moons", epochs=10)
    run, dataset, model = conduct.run, conduct.dataset, conduct.model
    assert model is not None
    examples = evaluation(dataset.target, *dataset.part("test"))
    said: list[str] = []
    found = outcomes(model.network, examples, model.loss)
    curve = learning_curve(run.settings, dataset, "accuracy", found, examples, said.append)
    assert curve.rows == (88, 176, 350, 700)
    assert [len(scores) for scores in curve.scores] == [2, 2, 2, 1]
    assert curve.scores[-1][0] == pytest.approx(model.metrics["test"]["accuracy"])
    assert said == [f"training twice on {m} of 700 rows" for m in (88, 176, 350)]
    rows = nested(dataset.rows["train"], dataset.y[dataset.rows["train"]], 1 / 4, 0, last=True)
    network = run.settings.network(dataset)
    watched = evaluation(dataset.target, *dataset.part("validation"))
    for _ in run.settings.trainer(network).run(dataset.x, dataset.y, rows=rows, validation=watched):
        pass
    again = (network.predict(examples.x).argmax(axis=1) == examples.y).mean()
    assert curve.scores[1][1] == pytest.approx(again)
    assert curve == learning_curve(run.settings, dataset, "accuracy", found, examples)


def test_parts_of_a_scouted_run_find_their_own_epochs(tmp_path, monkeypatch):
    monkeypatch.setattr(scouting, "best_epoch", lambda settings, dataset, rows: (len(rows) // 10, 0.5))
    conduct = made(tmp_path, table(tmp_path / "t.csv", 120), target=("kind",), epochs=200)
    settings, dataset = conduct.run.settings, conduct.dataset
    assert (settings.scouted, settings.epochs, len(dataset.rows["train"])) == (True, 10, 102)
    examples = evaluation(dataset.target, *dataset.part("test"))
    found = outcomes(conduct.network, examples, settings.loss)
    curve = learning_curve(settings, dataset, "accuracy", found, examples)
    train = dataset.rows["train"]
    rows = nested(train, dataset.y[train], 1 / 2, 0, last=False)
    again = replace(settings, epochs=len(rows) // 10).training(dataset, rows, np.arange(0))
    assert again.complete().epoch == 5
    assert curve.scores[2][0] == pytest.approx((again.network.predict(examples.x).argmax(axis=1) == examples.y).mean())
    untold = learning_curve(replace(settings, scouted=False), dataset, "accuracy", found, examples)
    assert untold.scores[0] != curve.scores[0]  # 10 epochs, not 1


@pytest.mark.parametrize("kind", ["quantities", "labels"])
def test_other_targets(kind, tmp_path):
    x = np.random.default_rng(0).normal(size=(300, 2))
    y = x**2 if kind == "quantities" else (x > 0).astype(int)
    conduct = made(tmp_path, arrays(tmp_path / "a.npz", y, x), epochs=5)
    model, dataset = conduct.model, conduct.dataset
    assert model is not None
    examples = evaluation(dataset.target, *dataset.part("test"))
    score = {"quantities": "r2", "labels": "exact"}[kind]
    found = outcomes(model.network, examples, model.loss)
    curve = learning_curve(conduct.run.settings, dataset, score, found, examples)
    assert curve.score == score == model.metrics["test"]["score"]
    assert curve.scores[-1][0] == pytest.approx(model.metrics["test"][curve.score], abs=1e-5)


def test_too_few_rows_are_refused(tmp_path):
    conduct = made(tmp_path, arrays(tmp_path / "a.npz", np.arange(60) % 2), epochs=1)
    examples = evaluation(conduct.dataset.target, *conduct.dataset.part("test"))
    found = outcomes(conduct.network, examples)
    with pytest.raises(InputError, match="at least 80 training rows"):
        learning_curve(conduct.run.settings, conduct.dataset, "accuracy", found, examples)
