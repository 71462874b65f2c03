"""Autoencoders in training: measured by definition, with neither outputs nor targets held whole."""

import numpy as np
import pytest

from backlight import Evaluation, Network, Trainer, evaluate
from backlight.errors import InputError
from backlight.scoring.reconstruction import Reconstructions, reconstruction_quality
from backlight.training import EpochRecord, reconstruction
from backlight.training.evaluation import reconstructions
from tests import cases

X = (255 * np.clip(np.abs(cases.some((60, 12), 1)) / 3, 0, 1)).astype(np.uint8)


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("at_once", [1 << 22, 40])
def test_metrics_by_definition(monkeypatch, engine, at_once):
    monkeypatch.setattr(reconstruction, "AT_ONCE", at_once)
    network = Network.mlp(12, 5, 12, output="logistic", seed=1)
    rows = np.arange(3, 50, 2)
    found = evaluate(network, Evaluation(X, X, rows=rows), engine=engine)
    x = X[rows] / 255
    outputs = network.predict(X[rows]).astype(np.float64)
    losses = -(x * np.log(outputs) + (1 - x) * np.log(1 - outputs)).sum(axis=1)
    assert found["loss"] == pytest.approx(losses.mean(), rel=1e-5)
    assert found["rmse"] == pytest.approx(np.sqrt(((outputs - x) ** 2).mean()), rel=1e-5)
    spread = ((x - x.mean(axis=0)) ** 2).sum()
    assert found["r2"] == pytest.approx(1 - ((outputs - x) ** 2).sum() / spread, rel=1e-5)


@pytest.mark.parametrize("engine", cases.ENGINES)
def test_training_with_the_inputs_is_training_with_targets_like_them(engine):
    """The same bits, and the same best epoch, with validation measured after every epoch."""
    kept = []
    for y in (X, np.multiply(X, np.float32(1 / 255))):
        network = Network.mlp(12, 5, 12, output="logistic", dropout=0.1, seed=1)
        trainer = Trainer(network, lr=0.05, batch_size=8, epochs=4, seed=3, engine=engine)
        records = list(trainer.run(X, y, rows=np.arange(40), validation=Evaluation(X, y, rows=np.arange(40, 60))))
        losses = [r.validation["loss"] for r in records if isinstance(r, EpochRecord) and r.validation is not None]
        kept.append((network.params.tobytes(), losses, getattr(records[-1], "best_epoch", None)))
    assert kept[0][0] == kept[1][0]
    assert kept[0][1] == pytest.approx(kept[1][1])
    assert kept[0][2] == kept[1][2]


def test_intervals_hold_the_metrics():
    squares, spreads = np.abs(cases.some((300,), 4)) / 10, 1 + np.abs(cases.some((300,), 5))
    told = reconstruction_quality(Reconstructions(squares, squares, spreads))
    assert told["score"] == "r2"
    assert told["interval"][0] < told["r2"] < told["interval"][1]
    assert told["intervals"]["rmse"][0] < told["rmse"] < told["intervals"]["rmse"][1]


def test_examples_that_are_all_the_same_have_no_r2():
    x = np.ones((5, 3), np.float32)
    found = reconstruction_quality(reconstructions(Network.mlp(3, 3, output="identity"), Evaluation(x, x)))
    assert found["r2"] is None
    assert found["interval"] is None


def test_inputs_that_no_loss_can_judge_are_refused():
    x = np.array([[0.5, 2.0], [0.1, 0.2]], np.float32)
    with pytest.raises(InputError, match=r"y is 2.0 in row 0 .* expected a probability \(0 to 1\) for cross_entropy"):
        next(Trainer(Network.mlp(2, 2, output="logistic")).run(x, x))
    with pytest.raises(InputError, match=r"y has shape \(2, 2\); expected"):
        next(Trainer(Network.mlp(2, 3, output="identity")).run(x, x))
