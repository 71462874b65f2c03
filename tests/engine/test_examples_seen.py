"""What `record_examples` tells: each example's loss and squared gradient norm, when it was visited."""

from typing import Any

import numpy as np
import pytest

from backlight.engine import Stretch, native, reference
from backlight.network import Draws
from backlight.training import Trainer
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem
from tests.training.made import X, Y, classifier

pytestmark = EVERY_ENGINE
MODULES: dict[str, Any] = {"native": native, "reference": reference}
LAYERS = ("deep", "dropout", "activation gelu", "dense", "dropout before activation", "layer norm")
ROWS, SEED = 23, 5


def by_definition(p: Problem, params: Any, rows: Any, epoch: int, frozen: frozenset[int]) -> tuple[Any, Any]:
    """Losses, and squared norms of gradients that are multiplied out example by example."""
    network = p.network.copy()
    network.params[...] = params
    backward = network.backward(network.forward(p.x[rows], Draws(SEED, epoch, rows)), p.y[rows], p.loss)
    norms = np.zeros(len(rows))
    for index, grads in enumerate(backward.grads):
        if grads is not None and index not in frozen:
            norms += sum((part.reshape(len(rows), -1) ** 2).sum(axis=1) for part in grads.per_example())
    return backward.losses, norms


def epoch_of(p: Problem, engine: str, batch_size: int, frozen: frozenset[int], weight: Any = None) -> None:
    """An epoch of recorded steps; every step is compared with the definition at the parameters it began with."""
    kept, count, order = p.network.params.copy(), -(-ROWS // batch_size), np.arange(ROWS)[::-1]
    session = p.session(batch_size, engine=engine, seed=SEED, record_examples=True, weight=weight)
    advance = session.advance(Stretch(order, batch_size, 0, count, 3, 0, 0.2, frozen=frozen))
    seen = advance.examples
    assert seen is not None
    assert seen.losses.shape == seen.squared_norms.shape == (ROWS,)
    other = Problem(p.network.copy(), p.loss, p.x, p.y)
    other.network.params[...] = kept
    steps = other.session(batch_size, engine=engine, seed=SEED, weight=weight)
    for step in range(count):
        stretch = Stretch(order, batch_size, step, 1, 3, step, 0.2, frozen=frozen)
        losses, norms = by_definition(p, other.network.params, stretch.rows(), 3, frozen)
        part = seen.part(step * batch_size, (step + 1) * batch_size)
        np.testing.assert_allclose(part.losses, losses, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(part.squared_norms, norms, rtol=1e-10, atol=1e-12)
        assert not steps.record_examples  # type: ignore[attr-defined]
        assert steps.advance(stretch).examples is None
    assert np.array_equal(other.network.params, p.network.params)  # looking changes no bits


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("batch_size", [23, 8, 4, 3, 1])  # the last batch holds 23, 7, 3, 2, 1 examples
def test_what_is_seen_is_what_every_example_said(engine, layers, batch_size):
    epoch_of(problem(layers), engine, batch_size, frozenset())


@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_every_output_and_loss(engine, output, loss):
    epoch_of(problem("deep", output, loss), engine, 8, frozenset())


@pytest.mark.parametrize("frozen", [{0}, {0, 2}, {2}, {8}, {0, 2, 4, 6, 8, 10}, {4, 10}])
def test_frozen_layers_do_not_count(engine, frozen):
    epoch_of(problem("deep"), engine, 8, frozenset(frozen))


def test_sample_weights_do_not_count(engine):
    epoch_of(problem("dropout"), engine, 8, frozenset(), weight=np.arange(ROWS) / 7)


@pytest.mark.parametrize("batch_size", [23, 9, 8, 4])
def test_batches_in_chunks(monkeypatch, engine, batch_size):
    monkeypatch.setattr(MODULES[engine], "CHUNK", 4)
    epoch_of(problem("dropout"), engine, batch_size, frozenset())


def test_wide_layers_of_several_panels(engine):
    p = problem("dense")
    network = type(p.network).mlp(5, 70, 45, 3, hidden="tanh", seed=2, dtype="float64")
    epoch_of(Problem(network, p.loss, p.x, p.y), engine, 8, frozenset())


def test_after_a_dropped_step_only_finished_ones_are_told(engine):
    p = problem("dense", "identity", "squared")
    p.x[9, 2] = 1e200
    session = p.session(4, engine=engine, record_examples=True)
    advance = session.advance(Stretch(np.arange(ROWS), 4, 0, 6, 0, 0, 0.001))
    assert (len(advance.objectives), advance.finite) == (2, False)
    assert advance.examples is not None
    assert advance.examples.losses.shape == advance.examples.squared_norms.shape == (8,)


# in a training --------------------------------------------------------------------------------------------------------


def test_a_training_keeps_what_was_seen_last_by_row(engine):
    network, rows = classifier(dtype="float64", dropout=0.2), np.arange(3, 30)
    trainer = Trainer(network, batch_size=10, epochs=2, seed=SEED, engine=engine, record_examples=True)
    training = trainer.start(X, Y, rows=rows)
    assert training.seen is None
    p = Problem(network.copy(), "cross_entropy", X, Y)
    for step in range(6):
        stretch = training.stretch(step, 1)
        expected = by_definition(p, network.params, stretch.rows(), step // 3, frozenset())
        training.advance_to(step + 1)
        assert training.seen is not None
        for seen, known in zip((training.seen.losses, training.seen.squared_norms), expected, strict=True):
            np.testing.assert_allclose(seen[stretch.rows()], known, rtol=1e-10)
            assert np.isnan(seen[:3]).all()
            assert np.isnan(seen[3:]).sum() == max(0, 27 - 10 * (step + 1))


def test_recording_changes_no_bits_of_a_training(engine):
    found = []
    for record_examples in (False, True):
        network = classifier(dropout=0.2)
        trainer = Trainer(network, batch_size=7, epochs=3, engine=engine, record_examples=record_examples)
        training = trainer.start(X, Y)
        list(training.records())
        assert (training.seen is not None) == record_examples
        found.append(network.params.tobytes())
    assert found[0] == found[1]
