"""Penalties, clipping, smoothed labels, averages and accumulation, as a trainer has them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.training import (
    EndRecord,
    EpochRecord,
    Momentum,
    StepsRecord,
    Trainer,
    read_checkpoint,
    replay,
    write_checkpoint,
)
from tests import cases
from tests.training.made import X, Y, classifier

GOLDEN = Path(__file__).parents[1] / "golden" / "regularization.npz"
EVERY_ENGINE = pytest.mark.parametrize("engine", cases.ENGINES)

WAYS: dict[str, dict[str, Any]] = {
    "l2": {"optimizer": Momentum(0.9), "lr": 0.1, "l2": 0.02},
    "l2 in adam": {"optimizer": "adam", "lr": 0.05, "l2": 0.02},
    "l1": {"optimizer": "sgd", "lr": 0.5, "l1": 0.002},
    "clipped": {"optimizer": Momentum(0.5), "lr": 0.5, "l1": 0.001, "clip": 0.1},
    "smoothed": {"optimizer": "adam", "lr": 0.05, "label_smoothing": 0.1},
    "averaged": {"optimizer": Momentum(0.9), "lr": 0.1},
}


def fifty_steps(golden: Any, engine: str, **how: Any) -> Any:
    """A training of the golden file, driven to its end."""
    network = Network.mlp(4, 5, 3, hidden="tanh", dtype="float64")
    network.params[...] = golden["start"]
    training = Trainer(network, batch_size="full", epochs=50, engine=engine, **how).start(golden["x"], golden["y"])
    list(training.records())
    return training


@EVERY_ENGINE
@pytest.mark.parametrize("way", WAYS)
def test_fifty_steps_end_where_pytorch_ends(engine, way):
    with np.load(GOLDEN, allow_pickle=False) as golden:
        found = fifty_steps(golden, engine, **WAYS[way]).network.params
        np.testing.assert_allclose(found, golden[way], rtol=1e-8, atol=1e-10)  # the promise is 1e-6


@EVERY_ENGINE
def test_averages_are_those_of_pytorch_without_the_weight_of_its_first(engine):
    """PyTorch's average begins as the first step's parameters; ours gives these the weight of one step's."""
    with np.load(GOLDEN, allow_pickle=False) as golden:
        training = fifty_steps(golden, engine, **WAYS["averaged"], average=0.9)
        expected = (golden["average"] - 0.9**50 * golden["first"]) / (1 - 0.9**50)
        np.testing.assert_allclose(training.network.params, expected, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(training.state().params, golden["averaged"], rtol=1e-8, atol=1e-10)


# averages in a training -----------------------------------------------------------------------------------------------


@EVERY_ENGINE
def test_validation_and_the_best_weights_are_those_of_the_averages(engine):
    network, averages = classifier(dtype="float64"), {}
    trainer = Trainer(network, lr=0.05, batch_size=10, epochs=4, engine=engine, average=0.8, evaluate_untrained=True)
    training = trainer.start(X, Y, validation=(X, Y))
    for record in training.records():
        if isinstance(record, EpochRecord):
            assert record.validation is not None
            average = training.state().average
            assert average is not None
            averages[record.epoch] = average
            other = network.copy()
            other.params[...] = average
            assert record.validation["loss"] == pytest.approx(other.losses(other.forward(X), Y).mean(), rel=1e-9)
    assert isinstance(record, EndRecord)
    assert record.best_epoch is not None
    assert np.array_equal(network.params, averages[record.best_epoch])
    state = training.state()
    assert state.average is not None
    assert not np.array_equal(state.params, state.average)
    assert np.array_equal(state.average, averages[4])


@EVERY_ENGINE
def test_averaging_changes_no_bits_of_the_training_itself(engine):
    found = []
    for average in (None, 0.9):
        network = classifier()
        training = Trainer(network, batch_size=10, epochs=3, engine=engine, average=average).start(
            X, Y, validation=(X, Y)
        )
        list(training.records())
        found.append(training.state().params.tobytes())
    assert found[0] == found[1]


@EVERY_ENGINE
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])  # without arrays of its own, and with
def test_a_training_goes_on_from_a_checkpoint_to_the_same_bits(tmp_path, engine, optimizer):
    how: dict[str, Any] = {"average": 0.9, "l2": 0.01, "clip": 0.2, "label_smoothing": 0.1, "accumulate": 2}

    def started() -> Any:
        network = classifier(dropout=0.2)
        trainer = Trainer(network, optimizer=optimizer, batch_size=4, epochs=3, engine=engine, **how)
        return trainer.start(X, Y)

    whole = started()
    list(whole.records())
    begun = started()
    begun.advance_to(5)
    write_checkpoint(tmp_path / "state", begun.state())
    resumed = started()
    resumed.restore(read_checkpoint(tmp_path / "state"))
    list(resumed.records())
    again = replay(started(), whole.step)
    state: Any
    for state in (resumed.state(), again):
        assert state.params.tobytes() == whole.state().params.tobytes()
        assert state.average.tobytes() == whole.state().average.tobytes()
    assert resumed.network.params.tobytes() == whole.network.params.tobytes()


def test_a_state_with_averages_does_not_fit_a_training_without():
    averaged, plain = (Trainer(classifier(), average=average).start(X, Y) for average in (0.9, None))
    for one, other in ((averaged, plain), (plain, averaged)):
        with pytest.raises(InputError, match="the state is that of another network or optimizer"):
            one.restore(other.state())


def test_a_training_that_fails_keeps_averages_as_well():
    network = Network.mlp(2, 4, 2, hidden="relu", output="identity", seed=0)
    x, y = np.eye(2, dtype=np.float32).repeat(8, axis=0), np.eye(2).repeat(8, axis=0)
    training = Trainer(network, optimizer="sgd", lr=30.0, batch_size=4, epochs=99, average=0.5).start(x, y)
    *_, end = training.records()
    assert isinstance(end, EndRecord)
    assert end.failed
    state = training.state()
    assert state.average is not None
    assert np.array_equal(network.params, state.average)
    assert np.isfinite(network.params).all()


# objectives and steps -------------------------------------------------------------------------------------------------


@EVERY_ENGINE
def test_records_tell_the_objective_and_validation_the_loss(engine):
    network = classifier(dtype="float64")
    before = network.copy()
    how: dict[str, Any] = {"l1": 0.01, "l2": 0.1, "label_smoothing": 0.2}
    trainer = Trainer(network, lr=1e-12, batch_size="full", epochs=1, engine=engine, **how)
    records = list(trainer.run(X, Y, validation=(X, Y)))
    W = np.concatenate([layer.W.ravel() for _, layer, _ in before.dense_layers()])
    k = before.outputs
    smooth = 0.8 * np.eye(k)[Y] + 0.2 / k
    smoothed = before.losses(before.forward(X), smooth).mean()
    objective = smoothed + 0.01 * abs(W).sum() + 0.05 * (W**2).sum()
    epoch = next(record for record in records if isinstance(record, EpochRecord))
    assert epoch.train["loss"] == pytest.approx(objective, rel=1e-8)
    assert epoch.validation is not None
    assert epoch.validation["loss"] == pytest.approx(before.losses(before.forward(X), Y).mean(), rel=1e-8)


@EVERY_ENGINE
def test_a_step_is_an_update_of_accumulated_batches(engine):
    found = []
    for batch_size, accumulate in ((4, 3), (12, 1)):
        network = classifier(dtype="float64", dropout=0.2)
        training = Trainer(network, batch_size=batch_size, accumulate=accumulate, epochs=2, engine=engine).start(X, Y)
        records = list(training.records())
        assert training.steps_per_epoch == -(-len(X) // 12)  # the remainder is a step as well
        assert {record.examples for record in records if isinstance(record, StepsRecord)} <= {
            *range(12, 99, 12),
            len(X),
        }
        found.append(network.params)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-10, atol=1e-12)


def test_more_batches_than_there_are_make_one_step_an_epoch():
    training = Trainer(classifier(), batch_size=10, accumulate=99, epochs=1).start(X, Y)
    assert training.steps_per_epoch == 1


# refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"l1": -1.0}, "l1 is -1.0; it must be a finite number of at least 0"),
        ({"l2": float("inf")}, "l2 is inf"),
        ({"l2": "much"}, "l2 is 'much'"),
        ({"clip": 0.0}, "clip is 0, so that nothing would be learnt; give a length above 0"),
        ({"clip": float("nan")}, "clip is nan"),
        ({"clip_examples": -0.5}, "clip_examples is -0.5"),
        ({"clip_examples": 0}, "clip_examples is 0, so"),
        ({"average": 1.0}, "average is 1.0; it must be a finite number of at least 0 and below 1"),
        ({"label_smoothing": 1.0}, "label_smoothing is 1.0; it must be a finite number of at least 0 and below 1"),
        (
            {"label_smoothing": 0.1, "loss": "squared"},
            "label_smoothing is for classes learnt with the loss cross_entropy",
        ),
        ({"accumulate": 0}, "accumulate is 0"),
        ({"accumulate": 1.5}, "accumulate is 1.5"),
        ({"accumulate": 2, "batch_size": "full"}, "accumulate adds up batches, and a full batch has all examples"),
    ],
)
def test_impossible_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        Trainer(classifier(), **settings)
