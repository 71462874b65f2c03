"""Combinations of weights: all of them, in order, with the best kept; and random ones."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from backlight.network import Network
from backlight.search import Combinations, RandomCombinations
from backlight.training import Trainer, Training
from tests import cases
from tests.training.made import X, Y, classifier, epochs, finished, stop_within

every_engine = pytest.mark.parametrize("engine", cases.ENGINES)
VALUES = (-1.0, -0.5, 0.0, 0.5, 1.0)


def line(engine: str, *, best: Any = (0.5, -1.0, 0.5), **given: Any) -> Training:
    """Three weights, w1 x1 + w2 x2 + b, and targets that one combination of the grid gives without error."""
    network = Network.mlp(2, 1, output="identity", seed=0)
    targets = X[:, :2] @ np.array(best[:2], np.float32) + np.float32(best[2])
    method = "combinations=" + ":".join(map(str, VALUES))
    return Trainer(network, optimizer=method, engine=engine, **{"epochs": 50, **given}).start(X[:, :2], targets)


@every_engine
@pytest.mark.parametrize("best", [(0.5, -1.0, 0.5), (-1.0, -1.0, -1.0), (1.0, 1.0, 1.0), (0.0, 0.5, 0.0)])
def test_the_best_of_all_combinations_is_found(engine, best):
    training = line(engine, best=best)
    _, end = finished(training)
    assert training.network.params.tolist() == list(best)
    assert (end.reason, end.step) == ("every combination was tried", 125)


@every_engine
def test_of_targets_that_no_combination_gives_the_best_is_that_of_a_loop(engine):
    training = line(engine, best=(0.3, -0.8, 0.1))
    finished(training)
    targets = X[:, :2] @ [0.3, -0.8] + 0.1
    every = list(product(VALUES, repeat=3))
    losses = [np.mean((X[:, :2] @ values[:2] + values[2] - targets) ** 2) for values in every]
    assert tuple(training.network.params.tolist()) == every[int(np.argmin(losses))]


def test_the_candidates_are_all_combinations_in_order():
    grid = Combinations((2.0, -3.0))
    found = [tuple(grid.candidate(k, 3, 0).tolist()) for k in range(8)]  # type: ignore[union-attr]
    assert found == list(product((2.0, -3.0), repeat=3))
    assert grid.candidate(8, 3, 0) is None
    assert grid.count(200_000) == 2**200_000


@pytest.mark.parametrize(("size", "values"), [(1, 5), (3, 5), (9, 3), (2, 1000), (1, 2000), (40, 2), (3, 1001)])
def test_an_epoch_divides_all_combinations_and_stays_short(size, values):
    grid = Combinations(tuple(map(float, range(values))))
    steps = grid.steps_per_epoch(size)
    assert grid.count(size) % steps == 0
    assert steps <= max(1000, values)
    assert steps * values > 1000 or steps == grid.count(size)


def test_many_small_epochs_are_told_and_end_with_the_last_combination():
    records, end = finished(line("auto"))
    told = epochs(records)
    assert [record["step"] for record in told] == [125]
    assert (end.epoch, end.step) == (1, 125)


def random(**given: Any) -> Training:
    return Trainer(classifier(), optimizer="random=2", **{"epochs": 1, **given}).start(X, Y)


@every_engine
def test_the_best_of_the_draws_is_kept(engine):
    training = random(engine=engine)
    session: Any = training.session
    best, network = np.inf, classifier()
    rows = np.arange(len(X))
    training.advance_to(200)
    kept = training.network.params.copy()
    for step in range(200):
        network.params[...] = training.network.params[...] = RandomCombinations(2.0).candidate(step, kept.size, 0)
        value = session.objective.value(rows)
        if value < best:
            best, lowest = value, network.params.copy()
    assert kept.tolist() == lowest.tolist()


@pytest.mark.parametrize("make", [random, line], ids=["random", "grid"])
def test_same_seed_same_bits_however_it_is_cut(make):
    given = {"engine": "auto"}
    whole = make(**given)
    whole.advance_to(100)
    parts = make(**given)
    for step in (1, 17, 18, 64, 100):
        state = parts.state()
        parts = make(**given)
        parts.restore(state)
        parts.advance_to(step)
    assert parts.network.params.tobytes() == whole.network.params.tobytes()
    assert parts.state().objective_sum == pytest.approx(whole.state().objective_sum)


@pytest.mark.parametrize("method", ["random=50", "combinations=-50:50"])
def test_a_start_that_is_better_than_all_that_is_tried_is_kept(method):
    network = classifier()
    finished(Trainer(network, optimizer="lbfgs", epochs=20).start(X, Y))
    training = Trainer(network, optimizer=method, epochs=1).start(X, Y)
    before = training.network.params.copy()
    training.advance_to(20)
    assert training.network.params.tolist() == before.tolist()


def test_a_stopped_try_is_dropped():
    training = random()
    training.advance_to(5)
    kept, session = training.network.params.copy(), training.session
    stop_within(session, "value")
    assert len(session.advance(training.stretch(5, 4)).objectives) == 0
    assert np.array_equal(training.network.params, kept)


def test_a_combination_whose_loss_is_no_number_is_never_kept():
    x = X[:, :2].copy()
    x[0] = 3e38
    network = Network.mlp(2, 1, output="identity", init="small_normal", seed=0)
    network.params[...] = 0.0
    trainer = Trainer(network, optimizer="combinations=-1e30:0", epochs=9)
    training = trainer.start(x, np.zeros(len(x), np.float32))
    _, end = finished(training)
    assert not end.failed
    assert network.params.tolist() == [0.0, 0.0, 0.0]
