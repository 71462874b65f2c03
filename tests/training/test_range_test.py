"""The range test: its rates, its rule, and that it leaves nothing behind."""

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.training import Trainer, range_test
from tests import cases
from tests.training.made import X, Y, classifier


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("name", ["sgd", "nesterov", "adagrad", "rmsprop", "adam"])
def test_losses_are_those_of_steps_at_rising_rates(engine, name):
    trainer = Trainer(classifier(), optimizer=name, batch_size=7, engine=engine, patience=5, schedule="cosine", lr=0.3)
    found = range_test(trainer, X, Y)
    rates = 1e-6 * 10.0 ** (np.arange(len(found.rates)) / 20)
    np.testing.assert_allclose(found.rates, rates, rtol=1e-9)
    training = Trainer(classifier(), optimizer=name, batch_size=7, engine=engine).start(X, Y)
    losses = []
    for step, rate in enumerate(rates):
        rows = training.stretch(step, 1).rows()
        losses.append(training.session.gradients(rows, step // 5)[0].mean())
        training.rates.lr = float(rate)
        training.advance_to(step + 1)
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4)


def test_the_rule():
    found = range_test(Trainer(classifier(), batch_size=7), X, Y)
    for k in range(len(found.losses)):
        weights = 0.9 ** np.arange(k, -1, -1)
        assert found.smoothed[k] == pytest.approx(np.average(found.losses[: k + 1], weights=weights))
    smoothed = np.array(found.smoothed)
    enough = smoothed[0] - 0.9 * (smoothed[0] - smoothed.min())
    assert found.chosen == pytest.approx(found.rates[int(np.argmax(smoothed <= enough))] / 5, rel=0.05)
    assert len(f"{found.chosen:.10g}".strip("0.").replace(".", "")) <= 2


def test_it_ends_when_the_loss_explodes():
    network = Network.mlp(4, 8, 1, output="identity", seed=1)
    found = range_test(Trainer(network, optimizer="sgd", batch_size=10), X, X[:, 0] + 1)
    assert len(found.rates) < 141
    assert np.isfinite(found.losses).all()


def test_the_network_keeps_its_weights_and_the_same_seed_finds_the_same():
    network = classifier(dropout=0.2)
    before = network.params.copy()
    one, other = (range_test(Trainer(network, seed=3, threads=threads), X, Y) for threads in (1, 2))
    assert np.array_equal(network.params, before)
    assert one == other
    assert one != range_test(Trainer(network, seed=4), X, Y)


def test_rows_and_weights_are_those_of_the_training():
    weights = np.linspace(0.1, 2.0, 30)
    some = range_test(Trainer(classifier()), X, Y, rows=np.arange(12), sample_weight=weights)
    assert some == range_test(Trainer(classifier()), X[:12], Y[:12], sample_weight=weights[:12])


def test_what_has_no_rate_is_refused():
    with pytest.raises(InputError, match="lbfgs has no learning rate that could be found; leave out lr"):
        range_test(Trainer(classifier(), optimizer="lbfgs"), X, Y)
    network = Network.mlp(4, 1, output="identity", seed=1)
    with pytest.raises(InputError, match="the loss of the untrained network is not a finite number"):
        range_test(Trainer(network), 1e30 * X, X[:, 0])
