"""One weight at a time: its definition written out, and the promise that no step raises the objective."""

from typing import Any

import numpy as np
import pytest

from backlight.network import Network
from backlight.randomness import Purpose, permutation
from backlight.training import Trainer, Training
from tests import cases
from tests.training.made import X, Y, classifier, epochs, finished, same_state, stop_within

both_orders = pytest.mark.parametrize("order", ["one-weight", "one-weight=random"])
every_engine = pytest.mark.parametrize("engine", cases.ENGINES)


def start(order: str = "one-weight", *, weights: Any = None, dtype: Any = "float32", **given: Any) -> Training:
    trainer = Trainer(classifier(dtype=dtype), optimizer=order, **{"epochs": 3, **given})
    return trainer.start(X, Y, sample_weight=weights)


def objective(network: Network, params: Any, weights: Any, *, l2: float = 0.0, smoothing: float = 0.0) -> float:
    """The mean loss by its definition, with the penalty."""
    network.params[...] = params
    p = network.predict(X).astype(np.float64)
    targets = (1.0 - smoothing) * np.eye(3)[Y] + smoothing / 3
    losses = -(targets * np.log(p)).sum(axis=1)
    squares = sum(float((layer.W**2).sum()) for _, layer, _ in network.dense_layers())
    return float((weights / weights.mean() * losses).mean() + l2 / 2 * squares)


@every_engine
@both_orders
@pytest.mark.parametrize("given", [{}, {"l2": 0.1}, {"label_smoothing": 0.3}], ids=str)
def test_the_search_is_its_definition_written_out(engine, order, given):
    weights = np.linspace(0.5, 2.0, len(X))
    training = start(order, engine=engine, weights=weights, dtype="float64", seed=3, **given)
    finished(training)
    network, moves = classifier(dtype="float64"), np.full(training.network.params.size, 0.5)
    at = network.params.copy()

    def cost(params: Any) -> float:
        return objective(network, params, weights, l2=given.get("l2", 0.0), smoothing=given.get("label_smoothing", 0.0))

    lowest = cost(at)
    for epoch in range(3):
        drawn = permutation(3, Purpose.SEARCHING, at.size, place=(epoch, 0))
        for which in drawn if order.endswith("random") else range(at.size):
            for move in (moves[which], -moves[which]):
                tried = at.copy()
                tried[which] += move
                if cost(tried) < lowest:
                    at, lowest, moves[which] = tried, cost(tried), 2.0 * move
                    break
            else:
                moves[which] *= 0.5
    np.testing.assert_allclose(training.network.params, at, rtol=1e-12)
    np.testing.assert_allclose(training.state().optimizer["moves"], moves, rtol=1e-12)


@every_engine
@both_orders
def test_no_step_raises_the_objective(engine, order):
    training = start(order, engine=engine)
    rows, costs = np.arange(len(X)), []
    session: Any = training.session
    for step in range(1, 3 * training.steps_per_epoch + 1):
        costs.append(session.objective.value(rows))
        training.advance_to(step)
    costs.append(session.objective.value(rows))
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < 0.7 * costs[0]


def test_an_epoch_tries_every_weight_once_and_says_the_mean_objective():
    training = start(epochs=2)
    records, end = finished(training)
    size = training.network.params.size
    assert (training.steps_per_epoch, training.examples_per_epoch, end.step) == (size, size * len(X), 2 * size)
    again, costs = start(epochs=2), []
    for step in range(1, size + 1):
        costs.append(again.session.objective.value(np.arange(len(X))))  # type: ignore[attr-defined]
        again.advance_to(step)
    assert epochs(records)[0]["train"]["loss"] == pytest.approx(np.mean(costs), rel=1e-12)


@both_orders
def test_same_seed_same_bits_for_any_number_of_threads(order):
    ends = []
    for threads in (1, 2, 3):
        training = start(order, threads=threads, engine="auto")
        finished(training)
        ends.append(training.state())
    assert same_state(ends[0], ends[1])
    assert same_state(ends[0], ends[2])


@both_orders
def test_another_seed_draws_another_order(order):
    ends = []
    for seed in (0, 1):
        training = start(order, seed=seed, epochs=1)
        finished(training)
        ends.append(training.state().params)
    assert np.array_equal(ends[0], ends[1]) == (order == "one-weight")


def test_a_stopped_step_is_dropped():
    training = start()
    training.advance_to(5)
    kept, session = training.state(), training.session
    stop_within(session, "value")
    advance = session.advance(training.stretch(5, 4))
    assert len(advance.objectives) == 0
    assert same_state(training.state(), kept)
