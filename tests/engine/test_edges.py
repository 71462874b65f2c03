"""Numbers and networks at their edges: where the reference gives a number so does every engine, and NaN is none."""

from typing import Any

import numpy as np
import pytest

from backlight.engine import Stretch
from backlight.network import Activation, Dense, Network
from backlight.training import Adam
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, HIDDEN, Problem

LARGE = np.array([-1e4, -700.0, -100.0, -20.0, -1e-5, 0.0, 1e-5, 20.0, 85.0, 100.0, 700.0, 1e4])


def given_z(output: str, loss: str, dtype: Any) -> Problem:
    """A network whose pre-activations are its inputs: pairs of large numbers, and other pairs for another group."""
    z = np.stack(np.meshgrid(LARGE, LARGE), axis=-1).reshape(-1, 2)
    z = np.hstack([z, z[::-1]]) if output == cases.GROUPED else z
    width = z.shape[1]
    network = Network([Dense(width, width), cases.ending(output, width)], dtype=dtype)
    network.layers[0].W[...] = np.eye(width)  # type: ignore[union-attr]
    return Problem(network, loss, z.astype(dtype), cases.LOSSES[loss].targets(output, len(z), width, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_outputs_of_large_numbers_are_those_of_the_reference(output, loss, dtype):
    native, reference = (given_z(output, loss, dtype).session(engine=engine) for engine in ("native", "reference"))
    rows = np.arange(len(LARGE) ** 2)
    (own, outputs), (expected, known) = (s.losses(s.examples) for s in (native, reference))
    deltas, asked = native.deltas(rows).deltas[0], reference.deltas(rows).deltas[0]
    # the native engine takes outputs below the normal numbers for 0, whose logarithm poisson cannot have
    normal = ~((known > 0) & (known < np.finfo(known.dtype).tiny)).any(axis=1)
    for got, true in ((own, expected), (outputs, known), (deltas, asked)):
        _alike(got[normal], true[normal])


def _alike(got: Any, expected: Any) -> None:
    """Finite where the reference is, and then close; not finite where it is not."""
    tolerance, tiny = (2e-5, 1e-37) if got.dtype == np.float32 else (1e-11, 1e-300)  # exp(z) multiplies roundings by z
    finite = np.isfinite(expected)
    assert np.array_equal(np.isfinite(got), finite)
    np.testing.assert_allclose(got[finite], expected[finite], rtol=tolerance, atol=tiny)
    assert np.array_equal(np.isnan(got), np.isnan(expected))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_layers_of_large_numbers_are_those_of_the_reference(hidden, dtype):
    network = Network([Dense(2, 2), Activation(hidden), Dense(2, 2)], seed=1, dtype=dtype)
    network.layers[0].W[...] = np.eye(2)  # type: ignore[union-attr]
    z = np.stack(np.meshgrid(LARGE, LARGE), axis=-1).reshape(-1, 2).astype(dtype)
    p, rows = Problem(network, "absolute", z, np.full(z.shape, 0.7)), np.arange(len(z))
    native, reference = (p.session(engine=engine).deltas(rows) for engine in ("native", "reference"))
    _alike(native.incoming[2], reference.incoming[2])
    near = 1e-6 if dtype == "float32" else 1e-14  # 1 - a² loses what a rounds
    for index in (0, 2):
        np.testing.assert_allclose(native.deltas[index], reference.deltas[index], rtol=2e-5, atol=near)


# NaN ------------------------------------------------------------------------------------------------------------------


@EVERY_ENGINE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("hidden", cases.ACTIVATIONS)
@pytest.mark.parametrize("layer", [0, 1])
def test_a_weight_that_is_no_number_is_noticed_before_anything_moves(engine, dtype, hidden, layer):
    network = Network.mlp(5, 21, 3, hidden=hidden, seed=1, dtype=dtype)
    list(network.dense_layers())[layer][1].W[2, 3] = np.nan
    before = network.params.copy()
    p = Problem(network, "cross_entropy", cases.some((9, 5)).astype(dtype), np.arange(9) % 3)
    session = p.session(engine=engine)
    advance = session.advance(Stretch(np.arange(9), 9, 0, 1, 0, 0, 0.1))
    assert (len(advance.objectives), advance.finite) == (0, False)
    assert network.params.tobytes() == before.tobytes()
    assert not np.isfinite(session.losses(session.examples)[0]).any()


@EVERY_ENGINE
@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
@pytest.mark.parametrize("where", ["last of a vector", "first"])
def test_every_output_and_loss_passes_on_what_is_no_number(engine, output, loss, where):
    network = Network([Dense(5, 21), cases.ending(output, 21)], seed=1)
    network.layers[0].b[0 if where == "first" else 15] = np.nan  # type: ignore[union-attr]
    y = cases.LOSSES[loss].targets(output, 9, 21, 1)
    session = Problem(network, loss, cases.some((9, 5)).astype(np.float32), y).session(engine=engine)
    assert np.isnan(session.losses(session.examples)[0]).all()
    assert not session.advance(Stretch(np.arange(9), 4, 0, 1, 0, 0, 0.1)).finite


@pytest.mark.parametrize("bad", [np.inf, -np.inf])
@pytest.mark.parametrize("hidden", cases.ACTIVATIONS)
def test_an_infinite_weight_does_what_it_does_in_the_reference(hidden, bad):
    found = []
    for engine in cases.ENGINES:
        network = Network.mlp(5, 21, 3, hidden=hidden, seed=1, dtype="float64")
        network.layers[0].W[2, 3] = bad  # type: ignore[union-attr]
        session = Problem(network, "cross_entropy", cases.some((9, 5)), np.arange(9) % 3).session(engine=engine)
        advance = session.advance(Stretch(np.arange(9), 9, 0, 1, 0, 0, 0.1))
        found.append((advance.finite, np.isfinite(session.losses(session.examples)[0]).tolist()))
    assert found[0] == found[1]


# shapes ---------------------------------------------------------------------------------------------------------------


def _compared(network: Network, n: int = 9) -> None:
    y = cases.some((n, network.outputs), 2)
    p, rows = Problem(network, "squared", cases.some((n, network.inputs), 1), y), np.arange(n)
    native, reference = (p.session(engine=engine).gradients(rows) for engine in ("native", "reference"))
    for own, expected in zip(native, reference, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-10, atol=1e-12 * np.abs(expected).max())


def test_a_hundred_layers():
    layers = [part for _ in range(100) for part in (Dense(3, 3), Activation("tanh"))]
    _compared(Network([*layers, Dense(3, 2)], seed=1, dtype="float64"))


def test_forty_activations_in_a_row():
    layers = [Activation(name) for _ in range(10) for name in ("tanh", "sigmoid", "softplus", "elu")]
    _compared(Network([Dense(3, 5), *layers, Dense(5, 2)], seed=1, dtype="float64"))


@pytest.mark.parametrize("widths", [(1, 1), (1, 1, 1), (1, 200, 1), (200, 1, 200), (3000, 2, 3), (2, 2500, 2)])
@pytest.mark.parametrize("n", [1, 2, 4, 5, 9, 70])
def test_widths_at_their_edges(widths, n):
    _compared(Network.mlp(*widths, hidden="tanh", output="identity", seed=1, dtype="float64"), n)


@EVERY_ENGINE
def test_no_rows_have_no_outputs(engine):
    p = Problem(Network.mlp(3, 4, 2, seed=1), "cross_entropy", cases.some((9, 3)).astype(np.float32), np.arange(9) % 2)
    session, none = p.session(engine=engine), np.empty(0, np.int64)
    assert session.outputs(session.examples.source, none).shape == (0, 2)
    assert [part.shape for part in session.losses(session.examples, none)] == [(0,), (0, 2)]


@pytest.mark.parametrize("eps", [0.0, 1e-50])
@pytest.mark.parametrize("batch_size", [4, 16])
def test_adam_without_its_eps_is_finite_where_the_reference_is(eps, batch_size):
    x, found = cases.some((16, 8), 3).astype(np.float32), []
    for engine in ("native", "reference"):
        network = Network.mlp(8, 5, 3, hidden="tanh", output="softmax", seed=1)
        p = Problem(network, "cross_entropy", x, np.arange(16) % 3)
        session = p.session(batch_size, optimizer=Adam(eps=eps), engine=engine, record_examples=True)
        seen = session.advance(Stretch(np.arange(16), batch_size, 0, 16 // batch_size, 0, 0, 0.01)).examples
        assert seen is not None
        found.append(np.concatenate([network.params, seen.squared_norms]))
    np.testing.assert_allclose(found[0], found[1], rtol=2e-3, atol=1e-5)
