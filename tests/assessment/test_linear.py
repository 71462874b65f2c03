from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.assessment import linear
from backlight.assessment.linear import linear_model, spread
from backlight.data import Dataset
from backlight.files import Settings, evaluation, load_for
from backlight.files.scouting import best_epoch
from backlight.training import Evaluation
from tests.assessment.made import arrays, made


def resolved(data: str | Path, **given: Any) -> tuple[Settings, Dataset, Evaluation]:
    settings = Settings(str(data), **given)
    dataset = load_for(settings)
    return settings.resolved(dataset), dataset, evaluation(dataset.target, *dataset.part("test"))


def test_it_is_the_runs_own_network_without_hidden_layers(tmp_path):
    settings, dataset, examples = resolved("penguins", dropout=0.3, weight_decay=0.1)
    found = linear_model(settings, dataset, examples)
    assert found is not None
    conduct = made(tmp_path, "penguins", layers=(), lr=0.01, patience=5, epochs=200)
    assert conduct.model is not None
    for name in ("loss", "accuracy", "macro_f1", "auc", "interval"):
        assert found.metrics[name] == conduct.model.metrics["test"][name], name
    assert found.metrics["epochs"] == conduct.run.history()[-1]["epoch"]


def test_a_linear_quantity_is_learnt_and_a_bend_is_not(tmp_path):
    x = np.random.default_rng(0).normal(size=(500, 2))
    straight = linear_model(*resolved(arrays(tmp_path / "a.npz", x @ [[1.0], [-2.0]] + 3.0, x)))
    bent = linear_model(*resolved(arrays(tmp_path / "b.npz", np.abs(x[:, :1]), x)))
    assert straight is not None
    assert bent is not None
    assert straight.metrics["r2"] > 0.999
    assert bent.metrics["r2"] < 0.1


def test_least_squares_is_reached():
    settings, dataset, examples = resolved("digits")
    found = linear_model(settings, dataset, examples)
    assert found is not None
    assert 0.95 < found.metrics["accuracy"] < 0.99  # scikit-learn's logistic regression: 0.974


def test_a_run_that_is_linear_has_none():
    assert linear_model(*resolved("moons", layers=())) is None


def test_without_validation_it_is_trained_all_the_same():
    found = linear_model(*resolved("moons", validation=0.0))
    assert found is not None
    assert found.metrics["accuracy"] > 0.8


def test_without_validation_five_folds_end_it(tmp_path):
    x = np.random.default_rng(0).normal(size=(80, 10))
    noisy = (x[:, 0] + np.random.default_rng(1).normal(size=80) > 0).astype(int)
    settings, dataset, examples = resolved(arrays(tmp_path / "a.npz", noisy, x), validation=0.0)
    found = linear_model(settings, dataset, examples)
    assert found is not None
    bare = replace(settings, layers=(), lr=0.01, patience=5)
    best = best_epoch(bare, dataset, dataset.rows["train"])
    assert best is not None
    assert found.metrics["epochs"] == best[0] < 200
    training = replace(bare, epochs=best[0], patience=None).training(dataset, dataset.rows["train"], np.arange(0))
    training.complete()
    right = training.network.predict(examples.x).argmax(axis=1) == examples.y
    assert found.metrics["accuracy"] == pytest.approx(right.mean())


def test_many_rows_without_validation_have_all_epochs(monkeypatch):
    monkeypatch.setattr(linear, "SMALL", 300)
    monkeypatch.setattr(linear, "MOST_EPOCHS", 7)
    found = linear_model(*resolved("moons", validation=0.0))
    assert found is not None
    assert found.metrics["epochs"] == 7


def test_the_same_bits_every_time():
    assert linear_model(*resolved("moons")) == linear_model(*resolved("moons"))


def test_many_rows_are_thinned_and_the_record_says_so(monkeypatch):
    monkeypatch.setattr(linear, "MOST_VISITS", 1_500)
    monkeypatch.setattr(linear, "_LEAST_ROWS", 100)
    found = linear_model(*resolved("moons"))
    assert found is not None
    assert found.metrics["rows"] == 300
    assert found.metrics["epochs"] <= 5
    assert found.what.startswith("no hidden layer, 300 rows, ")


@pytest.mark.parametrize(("count", "most"), [(10, 3), (7, 7), (1_000_003, 1_000), (5, 9)])
def test_spread_rows_are_even(count, most):
    chosen = spread(np.arange(count) * 2, most)
    assert len(chosen) == min(count, most)
    assert len(set(np.diff(chosen).tolist())) <= 2


@pytest.mark.oracle
def test_as_good_as_scikit_learns_logistic_regression():
    models = pytest.importorskip("sklearn.linear_model")
    settings, dataset, examples = resolved("digits")
    found = linear_model(settings, dataset, examples)
    assert found is not None
    score = models.LogisticRegression(max_iter=2000).fit(*dataset.part("train")).score(examples.x, examples.y)
    assert found.metrics["accuracy"] == pytest.approx(score, abs=0.012)
