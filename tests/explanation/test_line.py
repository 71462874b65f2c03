"""Integrated gradients along a line, against their definition, and against everything that could spoil the sum."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backlight.arrays import Floats
from backlight.explanation import line
from backlight.explanation.line import integrated_gradients
from backlight.network import Activation, Dense, Network
from backlight.network.activations import ACTIVATIONS, OUTPUTS
from backlight.network.layers import Layer
from tests import cases
from tests.explanation.made import HIDDEN

INPUTS = 5


def _network(hidden: str, output: str, scale: float = 1.5, *, units: int = 9, seed: int = 1) -> Network:
    network = Network.mlp(INPUTS, units, units, 3, hidden=hidden, output=output, seed=seed, dtype="float64")
    for _, dense, _ in network.dense_layers():
        dense.W *= scale
        dense.b[...] = cases.some(dense.b.shape, seed + dense.incoming, 0.5)
    return network


def _ends(seed: int = 0, size: float = 1.0, inputs: int = INPUTS) -> tuple[Floats, Floats]:
    start, end = cases.some((2, inputs), seed, size)
    return start, end


def _change(network: Network, start: Floats, end: Floats, output: int) -> float:
    before, after = network.predict(np.stack([start, end]))[:, output]
    return float(after - before)


def _by_definition(network: Network, start: Floats, end: Floats, output: int, points: int = 30_000) -> Floats:
    """A plain Riemann sum over the middles of many equal pieces; slopes measured, without any backward pass."""
    t = (np.arange(points) + 0.5) / points
    x, h = start + t[:, None] * (end - start), 1e-5
    shares = []
    for i, step in enumerate(end - start):
        nudge = np.zeros(len(start))
        nudge[i] = h
        slopes = (network.predict(x + nudge) - network.predict(x - nudge))[:, output] / (2 * h)
        shares.append(step * slopes.mean())
    return np.array(shares)


def test_the_rules_integrate_polynomials_exactly() -> None:
    for weights, degree in ((line._KRONROD, 11), (line._GAUSS, 5)):
        for power in range(degree + 1):
            exact = 2 / (power + 1) if power % 2 == 0 else 0.0
            assert weights @ line._NODES**power == pytest.approx(exact, abs=1e-15)
        assert abs(weights @ line._NODES ** (degree + 1) - 2 / (degree + 2)) > 1e-5


@pytest.mark.parametrize("output", OUTPUTS)
def test_shares_are_those_of_the_definition_for_every_output(output: str) -> None:
    network, (start, end) = _network("relu", output, 0.7), _ends(3)
    found = integrated_gradients(network, start, end, 1).shares
    expected = _by_definition(network, start, end, 1)
    np.testing.assert_allclose(found, expected, atol=3e-4 * np.abs(expected).max())


@pytest.mark.parametrize("hidden", HIDDEN)
def test_shares_are_those_of_the_definition_for_every_hidden_layer(hidden: str) -> None:
    network, (start, end) = _network(hidden, "softmax"), _ends(4)
    found = integrated_gradients(network, start, end, 2).shares
    expected = _by_definition(network, start, end, 2)
    np.testing.assert_allclose(found, expected, atol=3e-4 * np.abs(expected).max())


def test_a_linear_network_gives_weight_times_difference() -> None:
    network = Network([Dense(INPUTS, 3)], seed=0, dtype="float64")
    start, end = _ends()
    found = integrated_gradients(network, start, end, 1)
    np.testing.assert_allclose(found.shares, network.state_dict()["0.weight"][1] * (end - start), rtol=1e-13)


def test_a_logistic_unit_shares_its_change_out_in_proportion_to_its_weights() -> None:
    network = Network.mlp(INPUTS, 1, output="logistic", seed=0, dtype="float64")
    start, end = _ends(1, 5.0)
    pull = network.state_dict()["0.weight"][0] * (end - start)
    expected = pull / pull.sum() * _change(network, start, end, 0)
    np.testing.assert_allclose(integrated_gradients(network, start, end, 0).shares, expected, rtol=1e-9)


@given(
    hidden=st.sampled_from(HIDDEN),
    output=st.sampled_from(["softmax", "logistic", "identity", "exponential", "relu"]),
    scale=st.floats(0.5, 6.0),
    seed=st.integers(0, 10_000),
)
def test_shares_add_up_to_the_change(hidden: str, output: str, scale: float, seed: int) -> None:
    network, (start, end) = _network(hidden, output, 1.0 if output == "exponential" else scale, seed=seed), _ends(seed)
    shared = integrated_gradients(network, start, end, 0)
    whole = _change(network, start, end, 0)
    rounding = np.abs(network.predict(np.stack([start, end]))[:, 0]).max() + np.abs(shared.shares).sum()
    assert abs(shared.shares.sum() - whole) <= 1e-6 * abs(whole) + 1e-12 * rounding + 1e-30
    assert shared.points < 30_000


def test_every_kink_is_a_cut() -> None:
    """Between two cuts of a network of ReLUs, the pre-activation of the output is linear."""
    network, (start, end) = _network("relu", "identity", units=40), _ends(2, 3.0)
    cuts = line._knots(line._Line.between(network, start, end - start, 0))
    assert len(cuts) > 30
    t = cuts[:-1, None] + np.diff(cuts)[:, None] * np.array([0.1, 0.5, 0.9])
    z = network.predict(start + t.reshape(-1, 1) * (end - start))[:, 0].reshape(t.shape)
    np.testing.assert_allclose((z[:, 0] + z[:, 2]) / 2, z[:, 1], atol=1e-12 * np.abs(z).max())


def test_a_steep_change_is_not_missed() -> None:
    network = Network.mlp(1, 2, output="softmax", seed=0, dtype="float64")
    network.params[:] = [0, 1e5, 0, -0.3711e5]
    shared = integrated_gradients(network, np.zeros(1), np.ones(1), 1)
    assert shared.shares[0] == pytest.approx(1.0, rel=1e-9)


def test_kinks_behind_a_curved_layer_are_found_as_well() -> None:
    layers: list[Layer] = [Dense(INPUTS, 20), Activation("tanh"), Dense(20, 20), Activation("relu"), Dense(20, 2)]
    network, (start, end) = Network(layers, seed=2, dtype="float64"), _ends(5, 3.0)
    shared = integrated_gradients(network, start, end, 1)
    assert shared.points < 2000
    assert shared.shares.sum() == pytest.approx(_change(network, start, end, 1), rel=1e-9)
    expected = _by_definition(network, start, end, 1)
    np.testing.assert_allclose(shared.shares, expected, atol=3e-4 * np.abs(expected).max())


def test_where_nothing_changes_nothing_is_shared_out() -> None:
    network, (start, _) = _network("relu", "softmax"), _ends()
    assert not integrated_gradients(network, start, start, 0).shares.any()


def test_opposite_shares_of_a_change_of_almost_nothing_are_exact() -> None:
    network = Network.mlp(2, 1, output="identity", seed=0, dtype="float64")
    network.params[:] = [1.0, -1.0 + 1e-9, 0.0]
    shares = integrated_gradients(network, np.zeros(2), np.ones(2), 0).shares
    np.testing.assert_allclose(shares, [1.0, -1.0 + 1e-9], rtol=1e-14)
    assert shares.sum() == pytest.approx(1e-9, rel=1e-5)


@pytest.mark.parametrize("hidden", ["relu", "elu"])
def test_memory_may_be_as_small_as_one_likes(hidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network, (start, end) = _network(hidden, "softmax", 2.0), _ends(6, 2.0)
    at_once = integrated_gradients(network, start, end, 1)
    monkeypatch.setattr(line, "_ELEMENTS", 30)
    bit_by_bit = integrated_gradients(network, start, end, 1)
    assert bit_by_bit.points == at_once.points
    np.testing.assert_allclose(bit_by_bit.shares, at_once.shares, rtol=1e-12)


def test_a_wrong_derivative_shows_in_the_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (start, end) = _network("tanh", "softmax"), _ends()
    right = Activation.slope
    monkeypatch.setattr(Activation, "slope", lambda layer, cache: 1.001 * right(layer, cache))
    monkeypatch.setattr(line, "_MOST_POINTS", (500, 500))
    shares = integrated_gradients(network, start, end, 0).shares
    whole = _change(network, start, end, 0)
    assert abs(shares.sum() - whole) > 1e-4 * abs(whole)


def test_a_kink_that_is_overlooked_costs_points_and_is_mended(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (start, end) = _network("relu", "identity", units=40), _ends(2, 3.0)
    known = integrated_gradients(network, start, end, 0)
    monkeypatch.setitem(ACTIVATIONS, "relu", _without_kinks("relu"))
    searched = integrated_gradients(network, start, end, 0)
    assert searched.points > 5 * known.points
    np.testing.assert_allclose(searched.shares, known.shares, atol=1e-7 * np.abs(known.shares).max())


def test_halving_ends_where_the_points_are_used_up(monkeypatch: pytest.MonkeyPatch) -> None:
    network, (start, end) = _network("relu", "identity", units=40), _ends(2, 3.0)
    monkeypatch.setitem(ACTIVATIONS, "relu", _without_kinks("relu"))
    monkeypatch.setattr(line, "_MOST_POINTS", (500, 500))
    shared = integrated_gradients(network, start, end, 0)
    assert shared.points <= 500
    whole = _change(network, start, end, 0)
    assert 1e-6 * abs(whole) < abs(shared.shares.sum() - whole) < 0.05 * abs(whole)


def _without_kinks(name: str) -> Any:
    function = ACTIVATIONS[name]
    return type(function)(function.name, function.value, function.slope, (), function.scratch)
