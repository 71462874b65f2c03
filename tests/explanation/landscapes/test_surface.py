"""The surface is the cost by definition, whichever way it was measured."""

from typing import Any

import numpy as np
import pytest

from backlight.data.augment import Augmentation
from backlight.explanation.landscapes import surface as module
from backlight.explanation.landscapes.cost import Cost, costs_at
from backlight.explanation.landscapes.plane import Plane, random_plane
from backlight.explanation.landscapes.surface import surface
from backlight.training import Trainer, Training
from tests import cases
from tests.explanation.landscapes.made import cost_by_definition, networks, training_of

PLACES = np.array([[0.0, 0.0], [0.5, -1.0], [0.5, 0.25], [-1.0, 0.25], [1.5, 1.0]])
TOLERANCE = {"float32": 3e-6, "float64": 1e-12}


def plane_of(training: Training) -> Plane:
    network = training.network
    points = network.params + 0.1 * np.random.default_rng(0).normal(size=(3, network.params.size))
    plane = random_plane(network, [points], 1)
    plane.directions[...] += 0.1 * np.random.default_rng(1).normal(size=plane.directions.shape)  # biases too
    return plane


def agree(training: Training, engine: str = "auto") -> None:
    plane, cost = plane_of(training), Cost(training, engine, 2)
    measured = surface(cost, plane, PLACES)
    expected = [cost_by_definition(training, plane.at(u, v)) for u, v in PLACES.tolist()]
    name = str(training.network.dtype)
    np.testing.assert_allclose(measured, expected, rtol=TOLERANCE[name], atol=TOLERANCE[name])
    one_by_one = costs_at(cost, np.array([plane.at(u, v) for u, v in PLACES.tolist()]), "")
    np.testing.assert_allclose(one_by_one, expected, rtol=TOLERANCE[name], atol=TOLERANCE[name])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("engine", ["auto", "reference"])
@pytest.mark.parametrize("name", networks())
def test_the_fast_way_is_the_definition(name: str, engine: str, dtype: str) -> None:
    network = networks(dtype)[name]
    loss = "squared" if network.output == "identity" else "cross_entropy"
    agree(training_of(network, loss, network.output), engine)


@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_with_every_output_and_loss(output: str, loss: str) -> None:
    last = cases.ending(output, 6)
    from backlight.network import Activation, Dense, Network

    network = Network([Dense(8, 5), Activation("tanh"), Dense(5, 6), last], seed=3, dtype="float64")
    agree(training_of(network, loss, output))


def test_weights_of_examples_and_penalties_count_and_chance_does_not() -> None:
    network = networks()["dropped out"]
    weights = np.random.default_rng(2).random(40)
    given: dict[str, Any] = {"l1": 0.01, "l2": 0.1, "sample_weight": weights, "augment": Augmentation(noise=1.0)}
    agree(training_of(network, "cross_entropy", "softmax", label_smoothing=0.3, **given))
    agree(training_of(networks()["narrow"], "cross_entropy", "softmax", l2=0.1, freeze=2))


def test_examples_that_are_their_own_targets() -> None:
    from backlight.network import Network

    x = np.random.default_rng(0).integers(0, 256, (30, 9)).astype(np.uint8)
    training = Trainer(Network.mlp(9, 3, 9, output="logistic", seed=0, dtype="float64")).start(x, x)
    agree(training)


def test_some_examples_at_a_time_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    training = training_of(networks()["narrow"], "cross_entropy", "softmax")
    plane, cost = plane_of(training), Cost(training)
    whole = surface(cost, plane, PLACES)
    monkeypatch.setattr(module, "_CACHED", 10)
    np.testing.assert_allclose(surface(cost, plane, PLACES), whole, rtol=1e-12)


def test_the_number_of_threads_changes_no_bit() -> None:
    training = training_of(networks("float32")["narrow"], "cross_entropy", "softmax")
    plane = plane_of(training)
    one, two = (surface(Cost(training, threads=threads), plane, PLACES) for threads in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_nothing_of_the_training_is_changed_and_progress_is_told() -> None:
    training = training_of(networks()["narrow"], "cross_entropy", "softmax")
    before = training.state()
    told: list[tuple[str, int, int]] = []
    costs_at(Cost(training), np.tile(training.network.params + 1, (3, 1)), "three", lambda *what: told.append(what))
    assert told == [("three", 1, 3), ("three", 2, 3), ("three", 3, 3)]
    assert before.params.tobytes() == training.state().params.tobytes()


def test_a_failure_in_one_thread_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    training = training_of(networks()["narrow"], "cross_entropy", "softmax")
    cost = Cost(training, threads=2)

    def fail(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(cost, "weighted", fail)
    with pytest.raises(KeyboardInterrupt):
        surface(cost, plane_of(training), np.tile(PLACES, (100, 1)))
