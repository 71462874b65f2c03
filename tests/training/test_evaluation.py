import numpy as np
import pytest

from backlight.engine import ENGINES
from backlight.errors import InputError
from backlight.network import Network
from backlight.scoring.metrics import measure
from backlight.training import Evaluation, evaluate
from tests.training.made import X, Y, classifier


@pytest.mark.parametrize("engine", ENGINES)
def test_a_network_is_measured_as_it_is(engine):
    network = classifier(dropout=0.5)  # nothing is dropped
    before = network.params.copy()
    got = evaluate(network, Evaluation(X, Y), engine=engine)
    outputs, losses = network.predict(X), network.losses(network.forward(X), Y)
    expected = measure(losses, outputs, Y)
    assert got["loss"] == pytest.approx(expected["loss"], rel=1e-6)  # roundings of float32
    assert {**got, "loss": 0} == {**expected, "loss": 0}
    assert np.array_equal(network.params, before)


def test_the_loss_and_the_units_can_be_chosen():
    network, y = Network.mlp(4, 2, output="identity"), X[:, :2]
    one = evaluate(network, Evaluation(X, y), "absolute")
    ten = evaluate(network, Evaluation(X, y, unit=10.0), "absolute")
    assert (
        one["loss"] == ten["loss"] == pytest.approx(float(np.abs(network.predict(X) - y).sum(axis=1).mean()), rel=1e-6)
    )
    assert ten["mae"] == pytest.approx(10 * one["mae"])


def test_examples_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="x has 3 columns, and the network takes 4 inputs"):
        evaluate(classifier(), Evaluation(X[:, :3], Y))
