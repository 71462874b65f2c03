"""When numbers blow up, the run ends with the last good weights and says which layer's did first."""

import re
from typing import Any

import numpy as np
import pytest

from backlight.network import Dense, Network
from backlight.training import EndRecord, Trainer, Training, loop, replay
from tests.training.made import X, Y, blocks, classifier, finished, regressor, same_state

TARGETS = X[:, :2] * 3


def diverging(**settings: Any) -> Trainer:
    defaults: dict[str, Any] = {"optimizer": "sgd", "lr": 1e4, "batch_size": 7, "epochs": 50}
    return Trainer(regressor(), **defaults | settings)


@pytest.mark.parametrize("settings", [{}, {"lr": 3.0}, {"batch_size": "full"}, {"optimizer": "momentum", "lr": 50.0}])
@pytest.mark.parametrize("seconds", [0.0, 1e9])
def test_a_learning_rate_that_is_too_large(monkeypatch, settings, seconds):
    """Whatever the size of the blocks, the same step is found, and its weights are the ones that replay gives."""
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", seconds)
    trainer = diverging(**settings)
    training = trainer.start(X, TARGETS)
    records, end = finished(training)
    assert end.failed
    assert end.best_epoch is None
    step = end.step
    assert re.fullmatch(
        rf"the loss was no longer a finite number at step {step + 2}: the .* of layer \d .*; "
        rf"the weights of step {step} were kept; try a smaller learning rate than {trainer.lr:g}",
        end.reason,
    )
    assert end.epoch == step // training.steps_per_epoch
    assert np.isfinite(trainer.network.params).all()
    assert training.state().step == step
    assert np.array_equal(training.state().params, trainer.network.params)
    again = diverging(**settings)
    assert same_state(replay(again.start(X, TARGETS), step), training.state())
    rows = training.stretch(step, 1).rows()
    losses = again.network.losses(again.network.forward(X[rows]), TARGETS[rows])
    assert np.isfinite(losses).all()
    assert all(record.step <= step + 1 for record in blocks(records))


def first_by_definition(training: Training, end: EndRecord) -> str:
    """The kept weights' backward pass, last layer first; then the step is taken; then the next batch's forward pass."""
    network, rows = training.network, training.stretch(end.step, 1).rows()
    with np.errstate(all="ignore"):
        backward = network.backward(network.forward(X[rows]), TARGETS[rows])
        for index, _, place in reversed(list(network.dense_layers())):
            delta = backward.errors[index]
            assert delta is not None
            if not np.isfinite(delta).all():
                return f"the errors of layer {index}"
            if not np.isfinite(backward.gradient()[place]).all():
                return f"the gradients of layer {index}"
        training.session.advance(training.stretch(end.step, 1))
        for index, _, place in network.dense_layers():
            if not np.isfinite(network.params[place]).all():
                return f"the weights of layer {index}"
        for index, out in enumerate(network.forward(X[training.stretch(end.step + 1, 1).rows()]).outs):
            if not np.isfinite(out).all():
                return f"the {'activations' if index % 2 else 'pre-activations'} of layer {index}"
    return "the outputs of layer 4"


@pytest.mark.parametrize("lr", [3.0, 1e4, 1e10, 1e14, 1e19, 1e25, 1e30, 1e38])
def test_the_layer_that_is_named_is_the_first(lr):
    training = diverging(lr=lr).start(X, TARGETS)
    _, end = finished(training)
    assert end.failed
    assert f": {first_by_definition(training, end)} " in end.reason


def test_the_outcome_does_not_depend_on_the_size_of_blocks(monkeypatch):
    ends = []
    for seconds in (0.0, 1e9, 1e-4):
        monkeypatch.setattr(loop, "_BLOCK_SECONDS", seconds)
        trainer = diverging(lr=3.0)
        _, end = finished(trainer.start(X, TARGETS))
        ends.append((end.reason, end.step, trainer.network.params.tobytes()))
    assert len(set(ends)) == 1


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("index", [0, 2, 4])
def test_a_layer_with_bad_weights_is_named(bad, index):
    trainer = diverging(lr=0.01)
    layer = trainer.network.layers[index]
    assert isinstance(layer, Dense)
    layer.W[0, 0] = bad
    records, end = finished(trainer.start(X, TARGETS))
    assert len(records) == 1
    assert (end.failed, end.step, end.epoch) == (True, 0, 0)
    assert f"the weights of layer {index} blew up first; the weights of step 0 were kept" in end.reason


def test_pre_activations_that_overflow_are_named():
    network = Network.mlp(4, 3, 2, hidden="relu", output="identity")
    network.params[...] = 3e38
    _, end = finished(Trainer(network, lr=0.01).start(np.abs(X) + 2, TARGETS))
    assert "the pre-activations of layer 0 blew up first" in end.reason


def test_activations_that_overflow_are_named():
    network = Network.mlp(4, 3, 2, hidden="exponential", output="identity")
    network.params[...] = 100.0
    _, end = finished(Trainer(network, lr=0.01).start(np.abs(X) + 2, TARGETS))
    assert "the activations of layer 1 blew up first" in end.reason


def test_errors_that_overflow_on_the_way_back_are_named():
    """The last layer's weights are so large that delta overflows below it, though the outputs do not."""
    network = Network.mlp(4, 3, 3, 2, hidden="identity", output="identity")
    for (_, layer, _), scale in zip(network.dense_layers(), (1e-20, 1.0, 1e30), strict=True):
        layer.W[...] = scale
    _, end = finished(Trainer(network, optimizer="sgd", lr=0.01, batch_size="full").start(X, TARGETS))
    assert "at step 2: the errors of layer 1 blew up first; the weights of step 0 were kept" in end.reason


def test_outputs_whose_squares_overflow_are_named():
    network = Network.mlp(4, 2, output="identity")
    network.params[...] = 1e25
    _, end = finished(Trainer(network, lr=0.01).start(X, TARGETS))
    assert "the outputs of layer 0 grew so large that the loss overflowed" in end.reason


@pytest.mark.parametrize("stop_at", range(4))
def test_a_training_resumed_just_before_it_fails_fails_as_well(monkeypatch, stop_at):
    monkeypatch.setattr(loop, "_BLOCK_SECONDS", 0.0)
    _, end = finished(diverging(lr=3.0).start(X, TARGETS))
    steps = min(end.step - 2 + stop_at, end.step + 1)  # up to the last step whose objective was finite
    first = diverging(lr=3.0).start(X, TARGETS)
    first.advance_to(steps)
    assert first.step == steps
    trainer = diverging(lr=3.0)
    _, again = finished(trainer.start(X, TARGETS, state=first.state()))
    assert again.failed
    assert f"at step {end.step + 2}" in again.reason
    assert again.step == max(end.step, steps)
    assert np.isfinite(trainer.network.params).all()


def test_the_best_weights_stay_in_the_state():
    """A run that diverges late still knows its best epoch."""
    x = X.copy()
    network = classifier()
    training = Trainer(network, lr=0.1, epochs=50, batch_size="full").start(x, Y, validation=(x.copy(), Y))
    stream = training.records()
    for record in stream:
        if record.step == 5:
            training.session.examples.source.array[0, 0] = np.nan  # the data go bad under the training
    assert record.failed  # type: ignore[union-attr]
    state = training.state()
    assert state.best_params is not None
    assert state.best_epoch is not None
    assert state.best_epoch <= state.step
    assert np.isfinite(state.best_params).all()
