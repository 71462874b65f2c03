"""Every engine computes what `Network.forward` and `Network.backward` define."""

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backlight.engine import Examples, Stretch, native, reference, row_source
from backlight.network import Dense, Draws, Network
from backlight.network.trace import Backward, Trace
from backlight.training import SGD
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, problem, problems

pytestmark = EVERY_ENGINE

quick = settings(deadline=None, max_examples=50)
MODULES = {"native": native, "reference": reference}


def definition(p: Problem, rows: np.ndarray, epoch: int | None, seed: int = 0) -> tuple[Trace, Backward]:
    draws = None if epoch is None else Draws(seed, epoch, rows)
    trace = p.network.forward(p.x[rows], draws)
    return trace, p.network.backward(trace, p.y[rows], p.loss)


def close(got: np.ndarray, expected: np.ndarray, least: float = 0.01) -> None:
    """Equal up to the order in which products are summed and the last bits of exp and its kin.

    1e-12 in float64, 2e-5 of the largest in float32: in either, up to some 200 roundings in a row. Where all of them
    are below `least`, hardly more than the roundings of outputs and errors may be left of them.
    """
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    tolerance = 2e-5 if got.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max(initial=least))


def at_least(p: Problem) -> float:
    """`least` for a network: of examples that are alike, once normalised, hardly more than roundings may be left."""
    return 1.0 if any(p.network.norm_layers()) else 0.01


def agrees(engine: str, p: Problem, rows: np.ndarray, epoch: int | None, seed: int) -> None:
    session = p.session(batch_size=len(rows), seed=seed, engine=engine)
    trace, backward = definition(p, rows, epoch, seed)
    least = at_least(p)
    losses, gradient = session.gradients(rows, epoch)
    close(losses, backward.losses)
    close(gradient, backward.gradient(), least)
    found = session.deltas(rows, epoch)
    close(found.losses, backward.losses)
    close(found.outputs, trace.out)
    dense = [k for k, layer in enumerate(p.network.layers) if isinstance(layer, Dense)]
    assert sorted(found.deltas) == sorted(found.incoming) == dense
    for index in dense:
        grads = backward.dense(index)
        close(found.incoming[index], grads.a, least)
        close(found.deltas[index], grads.delta, least)
    trace, backward = definition(p, rows, None)
    losses, outputs = session.losses(session.examples, rows)
    close(losses, backward.losses)
    close(outputs, trace.out)
    close(session.outputs(row_source(p.x), rows), trace.out)


@pytest.mark.parametrize("layers", cases.LAYERS)
@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_every_layer_output_and_loss(engine, layers, output, loss):
    p = problem(layers, output, loss)
    agrees(engine, p, np.array([3, 0, 22, 3, 7]), epoch=4, seed=5)
    agrees(engine, p, np.arange(23), epoch=None, seed=5)


@quick
@given(problems(), st.data())
def test_drawn_networks_in_float64(engine, p, data):
    count = len(p.x)
    rows = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=64)))
    # a batch of one row several times is normalised to roundings about 0, where a rounding decides which side of a kink
    assume(not p.network.coupled or len(rows) == 1 or np.ptp(p.x[rows], axis=0).any())
    agrees(engine, p, rows, data.draw(st.sampled_from([None, 0, 3])), data.draw(st.integers(0, 2**64 - 1)))


@quick
@given(problems("float32"))
def test_drawn_networks_in_float32(engine, p):
    agrees(engine, p, np.arange(len(p.x)), 0, 0)


@quick
@given(problems(), st.data())
def test_sample_weights(engine, p, data):
    count = len(p.x)
    weight = np.array(data.draw(st.lists(st.floats(0, 5), min_size=count, max_size=count)))
    rows = np.array(data.draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=20)))
    assume(not p.network.coupled or len(rows) == 1 or np.ptp(p.x[rows], axis=0).any())
    losses, gradient = p.session(20, weight=weight, engine=engine).gradients(rows, 1)
    trace = p.network.forward(p.x[rows], Draws(0, 1, rows))
    backward = p.network.backward(trace, p.y[rows], p.loss, sample_weight=weight[rows])
    close(losses, backward.losses)  # the losses themselves are not weighted
    close(gradient, backward.gradient(), at_least(p))


@pytest.mark.parametrize("rows", [np.arange(23), np.arange(22, -1, -1), np.array([5] * 7), np.array([0])])
@pytest.mark.parametrize("weighted", [False, True])
def test_batches_above_the_chunk_are_added_up(engine, monkeypatch, rows, weighted):
    p, weight = problem("dropout"), np.arange(23) / 7 if weighted else None
    whole = p.session(seed=3, weight=weight, engine=engine)
    monkeypatch.setattr(MODULES[engine], "CHUNK", 3)
    monkeypatch.setattr(MODULES[engine], "_EVALUATION_CHUNK", 4)
    parts = p.session(seed=3, weight=weight, engine=engine)
    for array, other in zip(parts.gradients(rows, 2), whole.gradients(rows, 2), strict=True):
        close(array, other)
    got, expected = parts.deltas(rows, 2), whole.deltas(rows, 2)
    close(got.outputs, expected.outputs)
    for index in expected.deltas:
        close(got.deltas[index], expected.deltas[index])
        close(got.incoming[index], expected.incoming[index])
    close(parts.losses(parts.examples, rows)[0], whole.losses(whole.examples, rows)[0])
    close(parts.outputs(row_source(p.x)), whole.outputs(row_source(p.x)))


@pytest.mark.parametrize("batch_size", [23, 8, 1])
def test_steps_in_chunks_are_the_same_steps(engine, monkeypatch, batch_size):
    params, objectives = [], []
    for chunk in (4096, 3):
        monkeypatch.setattr(MODULES[engine], "CHUNK", chunk)
        p = problem("dropout")
        count = -(-23 // batch_size)
        session = p.session(batch_size, seed=3, engine=engine)
        advance = session.advance(Stretch(np.arange(23)[::-1], batch_size, 0, count, 0, 0, 0.3))
        assert advance.finite
        params.append(p.network.params.copy())
        objectives.append(advance.objectives)
    close(params[1], params[0])
    close(objectives[1], objectives[0])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("source", ["uint8", "float32", "float64", "int16", "float16", "bool"])
def test_sources_of_every_dtype_mean_the_same_numbers(engine, dtype, source):
    p = problem(dtype=dtype)
    x = (np.abs(p.x) * 100).astype(source)
    same = Problem(p.network, p.loss, p.network.as_inputs(x), p.y)
    for got, expected in zip(
        Problem(p.network, p.loss, x, p.y).session(engine=engine).gradients(np.arange(23)),
        same.session(engine=engine).gradients(np.arange(23)),
        strict=True,
    ):
        close(got, expected)


@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
def test_a_memory_map_is_read_like_an_array(engine, tmp_path, source):
    p = problem()
    x = (np.abs(p.x) * 100).astype(source)
    np.save(tmp_path / "x.npy", x)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    rows = np.array([5, 2, 9])
    expected = Problem(p.network, p.loss, x, p.y).session(engine=engine).gradients(rows)
    session = Problem(p.network, p.loss, mapped, p.y).session(engine=engine)
    assert np.shares_memory(session.examples.source.array, mapped)
    for got, want in zip(session.gradients(rows), expected, strict=True):
        assert np.array_equal(got, want)


def test_a_session_measures_examples_other_than_its_own(engine):
    p = problem()
    session = p.session(4, engine=engine)
    x = np.array([[0, 51, 255, 3, 1]] * 9, np.uint8)
    y = np.arange(9) % 3
    losses, outputs = session.losses(Examples(row_source(x), y))
    trace = p.network.forward(x)
    close(losses, p.network.losses(trace, y))
    close(outputs, trace.out)
    close(session.outputs(row_source(x.astype(np.float32)), np.array([8, 0])), p.network.predict(x.astype(float))[:2])
    close(session.gradients(np.arange(4))[0], definition(p, np.arange(4), None)[1].losses)  # and then its own again


def test_targets_of_one_output_may_be_whole_numbers(engine):
    network = cases.network_of("dense", "logistic", outputs=1)
    p = Problem(network, "cross_entropy", cases.some((8, 5)), np.array([0, 1, 1, 0, 1, 0, 0, 1]))
    agrees(engine, p, np.arange(8), None, 0)


def test_measuring_disturbs_nothing(engine):
    p = problem("dropout")
    session, other = (Problem(p.network.copy(), p.loss, p.x, p.y) for _ in range(2))
    one, two = session.session(7, seed=1, engine=engine), other.session(7, seed=1, engine=engine)
    before = session.network.params.copy()
    one.gradients(np.arange(7), 0)
    one.deltas(np.arange(7), 1)
    one.losses(one.examples)
    one.outputs(row_source(p.x))
    assert np.array_equal(session.network.params, before)
    for each in (one, two):
        each.advance(Stretch(np.arange(23), 7, 0, 4, 0, 0, 0.1))
    assert np.array_equal(session.network.params, other.network.params)


def test_what_is_handed_out_is_not_overwritten(engine):
    p = problem()
    session = p.session(7, engine=engine)
    first = session.gradients(np.arange(7))[1]
    kept = first.copy()
    session.gradients(np.arange(7, 14))
    assert np.array_equal(first, kept)


def test_the_session_trains_the_networks_own_parameters(engine):
    p = problem()
    session = p.session(engine=engine)
    start, gradient = p.network.params.copy(), definition(p, np.arange(23), 0)[1].gradient()
    advance = session.advance(Stretch(np.arange(23), 23, 0, 1, 0, 0, 0.5))
    close(p.network.params, start - 0.5 * gradient)
    close(
        advance.objectives,
        np.array([definition(Problem(_at(p.network, start), *(p.loss, p.x, p.y)), np.arange(23), 0)[1].losses.mean()]),
    )


def _at(network: Network, params: np.ndarray) -> Network:
    other = network.copy()
    other.params[...] = params
    return other


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_steps_follow_the_optimizers_definition(engine, name):
    case = cases.OPTIMIZERS[name]
    p = problem("dropout")
    session = p.session(5, optimizer=case.optimizer, seed=2, engine=engine)
    params: Any = p.network.params.copy()
    gradients: list[Any] = []
    weights = np.zeros(len(params), bool)
    for _, layer, place in p.network.dense_layers():
        weights[place.start : place.start + layer.W.size] = True
    order = np.arange(23)[::-1]
    for step in range(10):
        rows = order[step % 5 * 5 : step % 5 * 5 + 5]
        gradients.append(
            definition(Problem(_at(p.network, params), p.loss, p.x, p.y), rows, step // 5, 2)[1].gradient()
        )
        decay = case.lr * case.optimizer.weight_decay * params * weights
        params = params + case.update(gradients, case.lr) - decay
    for epoch in range(2):
        assert session.advance(Stretch(order, 5, 0, 5, epoch, 5 * epoch, case.lr)).finite
    np.testing.assert_allclose(p.network.params, params, rtol=1e-9, atol=1e-11)  # ten steps amplify roundings


def test_a_step_that_is_not_finite_is_dropped_before_its_update(engine):
    p = problem()
    p.x[9, 2] = 1e200
    p = Problem(Network.mlp(5, 4, 3, output="identity", dtype="float64"), "squared", p.x, cases.some((23, 3)))
    session = p.session(4, optimizer=SGD(), engine=engine)
    advance = session.advance(Stretch(np.arange(23), 4, 0, 6, 0, 0, 0.01))
    assert not advance.finite
    assert len(advance.objectives) == 2  # row 9 is in the third batch
    assert np.isfinite(p.network.params).all()
