"""Normalisation in training: running statistics, frozen layers, batches of one, and what is refused."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.arrays import Floats
from backlight.engine import Stretch, native, reference
from backlight.errors import InputError
from backlight.network import BatchNorm, Draws, Network, Trace
from backlight.training import SGD
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem
from tests.engine.test_definition import close

pytestmark = EVERY_ENGINE
NORMED = [name for name in cases.LAYERS if "norm" in name]
ROWS, SEED = 23, 5
GOLDEN = Path(__file__).parents[1] / "golden" / "normalisation.npz"


class Twice:
    """An optimizer that the compiled engine does not know."""

    name, rule, weight_decay = "twice", None, 0.0

    def initial_state(self, size: int, dtype: Any) -> dict[str, Floats]:
        return {}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        np.multiply(grads, -2.0 * lr, out=updates)


def trained(network: Network, rows: Any, epoch: int, frozen: frozenset[int]) -> "tuple[Trace, list[BatchNorm]]":
    """A pass in training by the layers' own forward; and the layers that learn statistics from it."""
    x = cases.some((ROWS, cases.INPUTS), 1)[rows]
    outs, caches, learning, out = [], [], [], x
    for index, layer in enumerate(network.layers):
        still = isinstance(layer, BatchNorm) and index - 1 in frozen
        out, cache = layer.forward(out, None if still else Draws(SEED, epoch, rows), index)
        outs.append(out)
        caches.append(cache)
        learning += [layer] if isinstance(layer, BatchNorm) and not still else []
    return Trace(x, tuple(outs), tuple(caches)), learning


def stepped(p: Problem, network: Network, rows: Any, epoch: int, weight: Any, frozen: frozenset[int]) -> Floats:
    """The gradient of a step by definition; the network's running statistics are brought up to date."""
    trace, learning = trained(network, rows, epoch, frozen)
    given = None if weight is None else weight[rows]
    coupled = {"sample_weight": given} if network.coupled else {}
    backward = network.backward(trace, p.y[rows], p.loss, **coupled)
    gradient = backward.gradient(None if coupled else given)
    for layer in learning:
        cache: Any = trace.caches[network.layers.index(layer)]
        layer.learn_statistics(cache)
    return gradient


def follows(engine: str, p: Problem, batch_size: int, case: cases.OptimizerCase, **given: Any) -> None:
    """Two epochs of steps, compared with the definition after each.

    The gradient of a bias in front of batch normalisation is 0 but for rounding, some 1e-16, of which optimizers that
    divide by eps make steps.
    """
    eps = getattr(case.optimizer, "eps", None)
    atol = 1e-14 * case.lr / eps + 1e-10 if eps and p.network.coupled else 1e-10
    weight, frozen = given.get("weight"), given.get("frozen", frozenset())
    session = p.session(batch_size, optimizer=case.optimizer, seed=SEED, engine=engine, weight=weight)
    network, count = p.network.copy(), -(-ROWS // batch_size)
    gradients: list[Any] = []
    weights, learnt = np.zeros(network.params.size, bool), np.zeros(network.params.size, bool)
    for index, layer, place in network.dense_layers():
        weights[place.start : place.start + layer.W.size] = True
        learnt[place] = index not in frozen
    for index, norm, place in network.norm_layers():
        learnt[place.start : place.start + 2 * norm.units] = index - 1 not in frozen
    order = np.arange(ROWS)[::-1]
    for step in range(2 * count):
        epoch, first = divmod(step, count)
        stretch = Stretch(order, batch_size, first, 1, epoch, step, case.lr, frozen=frozen)
        gradients.append(stepped(p, network, stretch.rows(), epoch, weight, frozen))
        decay = case.lr * case.optimizer.weight_decay * network.params * weights
        network.params[learnt] += (case.update(gradients, case.lr) - decay)[learnt]
        assert session.advance(stretch).finite
        np.testing.assert_allclose(p.network.params, network.params, rtol=1e-9, atol=atol)
    assert session.program.size == network.params.size


@pytest.mark.parametrize("layers", NORMED)
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS)
def test_steps_follow_the_definition_with_every_optimizer(engine, layers, optimizer):
    follows(engine, problem(layers), 5, cases.OPTIMIZERS[optimizer])


@pytest.mark.parametrize("layers", NORMED)
@pytest.mark.parametrize("batch_size", [23, 11, 4, 2, 1])  # the last batch holds 23, 1, 3, 1, 1 examples
def test_batches_of_every_size(engine, layers, batch_size):
    follows(engine, problem(layers), batch_size, cases.OPTIMIZERS["momentum"])


@pytest.mark.parametrize("layers", NORMED)
@pytest.mark.parametrize("frozen", [{0}, {4}, {0, 4}])
def test_frozen_layers_keep_their_bits_and_their_statistics(engine, layers, frozen):
    frozen = {2 if k == 4 and layers == "both norms" else k for k in frozen}
    p = problem(layers)
    kept = p.network.copy()
    follows(engine, p, 5, cases.OPTIMIZERS["adam with decay"], frozen=frozenset(frozen))
    for index in frozen:
        for k, place in enumerate(kept.places()):
            if k in (index, index + 1):
                assert np.array_equal(p.network.params[place], kept.params[place])


@pytest.mark.parametrize("layers", NORMED)
def test_sample_weights_count_in_the_objective_and_not_in_the_statistics(engine, layers):
    follows(engine, problem(layers), 5, cases.OPTIMIZERS["sgd"], weight=np.arange(ROWS) % 4 / 1.5)


@pytest.mark.parametrize("layers", NORMED)
def test_an_optimizer_of_ones_own(engine, layers):
    own: Any = Twice()
    follows(engine, problem(layers), 5, cases.OptimizerCase(own, 0.1, lambda gs, lr: -2.0 * lr * gs[-1]))


@pytest.mark.parametrize("layers", NORMED)
def test_looking_leaves_the_statistics_alone(engine, layers):
    p = problem(layers)
    kept, session = p.network.params.copy(), p.session(engine=engine)
    for epoch in (None, 0):
        _, gradient = session.gradients(np.arange(ROWS), epoch)
        session.deltas(np.arange(ROWS), epoch)
        assert not any(gradient[place].any() for place in p.network.statistics)
    session.losses(session.examples)
    assert np.array_equal(p.network.params, kept)


@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_fifty_steps_are_those_of_pytorch_running_statistics_included(engine, norm, optimizer):
    """A bias in front of batch normalisation has a gradient of 0, of which Adam makes steps of 1e-11."""
    with np.load(GOLDEN, allow_pickle=False) as file:
        golden = dict(file)
    network = Network.mlp(4, 5, 6, 3, hidden="tanh", norm=norm, dtype="float64")
    network.params[...] = golden[f"{norm}/start"]
    p = Problem(network, "cross_entropy", golden["x"], golden["y"])
    session = p.session(8, engine=engine, optimizer=cases.OPTIMIZERS[optimizer].optimizer)
    for step in range(50):
        rows = np.arange(8) + step % 3 * 6
        session.advance(Stretch(rows, 8, 0, 1, 0, step, 0.1 if optimizer == "sgd" else 0.01))
    np.testing.assert_allclose(network.params, golden[f"{norm}/{optimizer}"], rtol=1e-9, atol=1e-9)
    losses, _ = session.losses(session.examples)
    np.testing.assert_allclose(losses, golden[f"{norm}/{optimizer}/losses"], rtol=1e-9, atol=1e-9)


def test_a_step_that_is_not_finite_moves_no_statistics(engine):
    p = problem("batch norm", "identity", "squared")
    p.y[9, 2] = 1e200
    for optimizer in (SGD(), Twice()):
        session = p.session(4, engine=engine, optimizer=optimizer)
        advance = session.advance(Stretch(np.arange(ROWS), 4, 0, 2, 0, 0, 0.001))
        kept = p.network.params.copy()
        assert advance.finite
        assert not session.advance(Stretch(np.arange(ROWS), 4, 2, 1, 0, 2, 0.001)).finite
        assert np.array_equal(p.network.params, kept)


@pytest.mark.parametrize("layers", NORMED)
def test_a_normalised_batch_passes_whole_however_small_the_chunks_are(engine, monkeypatch, layers):
    found = []
    for chunk in (4096, 3):
        monkeypatch.setattr({"native": native, "reference": reference}[engine], "CHUNK", chunk)
        p = problem(layers)
        session = p.session(9, engine=engine, seed=SEED)
        session.advance(Stretch(np.arange(ROWS), 9, 0, 3, 0, 0, 0.1))
        found.append([p.network.params, *session.gradients(np.arange(9), 1), *session.gradients(np.arange(ROWS))])
    for got, expected in zip(*found, strict=True):
        close(got, expected)


def test_what_batch_normalisation_cannot_do_is_refused(engine, monkeypatch):
    p = problem("batch norm")
    with pytest.raises(InputError, match="examples cannot be recorded while batch normalisation makes"):
        p.session(5, engine=engine, record_examples=True)
    session = p.session(5, engine=engine)
    for asked in (session.gradients, session.deltas):
        with pytest.raises(InputError, match="6 rows are to pass as one batch in training, and the session was opened"):
            asked(np.arange(6), 0)
    monkeypatch.setattr("backlight.engine.seam._MOST_COUPLED", 70)
    assert p.session(10, engine=engine) is not None
    with pytest.raises(
        InputError, match=r"passes the 11 examples of a batch at once, .* possible for up to 10: choose"
    ):
        p.session(11, engine=engine)
