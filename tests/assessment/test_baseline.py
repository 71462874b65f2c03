"""What ignores the inputs, beside a network whose weights are all zero."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backlight.assessment.baseline import baseline
from backlight.data import Classes, Labels, Quantities, SeveralClasses
from backlight.network import Network
from backlight.training import Evaluation, evaluate


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def constant(outputs: np.ndarray, output: str) -> Network:
    """A network that always answers the same."""
    network = Network.mlp(1, len(outputs), output=output, dtype="float64", seed=0)
    network.params[...] = 0.0
    inverse: dict[str, Callable[[Any], Any]] = {
        "softmax": np.log,
        "logistic": lambda p: np.log(p / (1 - p)),
        "exponential": np.log,
        "sigmoid": lambda p: np.log(p / (1 - p)),
        "identity": lambda p: p,
    }
    network.params[-len(outputs) :] = inverse[output](outputs)
    return network


@pytest.mark.parametrize(("loss", "output"), [("cross_entropy", "softmax"), ("squared", "sigmoid")])
def test_classes(loss, output, rng):
    learnt, y = rng.choice(3, 100, p=[0.2, 0.5, 0.3]), rng.integers(0, 3, 40)
    target = Classes(("a", "b", "c"))
    got = baseline(target, learnt, Evaluation(None, y), loss)
    shares = np.bincount(learnt) / 100
    expected = evaluate(constant(shares, output), Evaluation(np.zeros((40, 1)), y), loss)
    assert got.what == "always 'b'"
    assert set(got.metrics) == {"loss", "accuracy", "macro_f1"}
    for name, value in got.metrics.items():
        assert value == pytest.approx(expected[name]), name
    assert got.metrics["accuracy"] == (y == 1).mean()


def test_a_class_that_training_never_saw_costs_much_and_not_infinitely_much():
    got = baseline(Classes(("a", "b")), np.zeros(9, int), Evaluation(None, np.array([1])), "cross_entropy")
    assert 10 < got.metrics["loss"] < 20


@pytest.mark.parametrize(
    ("loss", "output"), [("squared", "identity"), ("huber", "identity"), ("poisson", "exponential")]
)
def test_quantities(loss, output, rng):
    learnt, y = rng.exponential(size=(101, 2)), rng.exponential(size=(40, 2))
    got = baseline(Quantities(("p", "q"), (0.0, 0.0), (1.0, 1.0)), learnt, Evaluation(None, y, 3.0), loss)
    expected = evaluate(constant(learnt.mean(axis=0), output), Evaluation(np.zeros((40, 1)), y, 3.0), loss)
    for name in ("loss", "rmse", "r2"):
        assert got.metrics[name] == pytest.approx(expected[name], rel=1e-5), name
    median = np.abs(np.median(learnt, axis=0) - y).mean() * 3.0
    assert got.metrics["mae"] == pytest.approx(median)


def test_labels(rng):
    learnt, y = (rng.random((100, 2)) < [0.2, 0.7]).astype(float), (rng.random((30, 2)) < 0.5).astype(float)
    got = baseline(Labels(("p", "q")), learnt, Evaluation(None, y, labels=True), "cross_entropy")
    examples = Evaluation(np.zeros((30, 1)), y, labels=True)
    expected = evaluate(constant(learnt.mean(axis=0), "logistic"), examples, "cross_entropy")
    assert got.metrics == {name: pytest.approx(value) for name, value in expected.items()}


def test_several_questions():
    target = SeveralClasses((Classes(("a", "b")), Classes(("x", "y", "z"))))
    learnt = np.array([[0, 2], [0, 2], [1, 0]])
    got = baseline(target, learnt, Evaluation(None, np.array([[0, 2], [0, 1], [1, 1], [1, 2]])), "cross_entropy")
    assert got.what == "always 'a, z'"
    assert got.metrics == {"accuracy": 0.5, "exact": 0.25}


def test_it_is_the_best_that_ignores_the_inputs(rng):
    learnt = rng.choice(3, 200, p=[0.2, 0.5, 0.3])
    examples = Evaluation(np.zeros((200, 1)), learnt)
    got = baseline(Classes(("a", "b", "c")), learnt, examples, "cross_entropy").metrics["loss"]
    for _ in range(50):
        other = rng.dirichlet([2.0, 5.0, 3.0])
        assert evaluate(constant(other, "softmax"), examples)["loss"] >= got - 1e-12
