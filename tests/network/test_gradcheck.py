from dataclasses import replace

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Activation, Dense, Draws, Dropout, Network, gradcheck
from backlight.network.activations import ACTIVATIONS
from backlight.network.layers import DenseGrads, Layer
from backlight.network.losses import FUSED, LOSSES
from backlight.network.objective import Objective
from tests import cases

X = cases.some((6, cases.INPUTS), 1)


def targets(output: str, loss: str, outputs: int = cases.OUTPUTS) -> cases.Float64s:
    return cases.LOSSES[loss].targets(output, len(X), outputs, 2)


@pytest.mark.parametrize("layers", cases.LAYERS)
@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_every_layer_with_every_output_and_loss(layers, output, loss):
    network = cases.network_of(layers, output)
    check = gradcheck(network, X, targets(output, loss, network.outputs), loss, directions=2, coordinates=2)
    assert check.passed, str(check)
    assert check.error <= 1e-6
    assert not check.moved


@pytest.mark.parametrize("layers", ["dense", "dropout", "deep"])
def test_every_coordinate_of_a_network_in_float32(layers):
    """The check itself is in float64, whatever the network's dtype."""
    network = cases.network_of(layers, "softmax", dtype="float32")
    check = gradcheck(network, X, [0, 1, 2, 0, 1, 2], coordinates=10_000)
    assert check.passed, str(check)
    assert check.error < 1e-8  # what float32 could never reach
    for part in check.parts:
        assert part.directions == 8
        assert part.coordinates + part.skipped >= 3


def test_all_parts_are_checked():
    network = cases.network_of("deep", "softmax")
    check = gradcheck(network, X, [0, 1, 2, 0, 1, 2], coordinates=7)
    dense = [index for index, layer in enumerate(network.layers) if isinstance(layer, Dense)]
    expected = [(index, name) for index in dense for name in ("W", "b")] + [(-1, "all parameters"), (-1, "x")]
    assert [(part.layer, part.name) for part in check.parts] == expected
    sizes = {(i, n): getattr(network.layers[i], n).size for i in dense for n in ("W", "b")}
    sizes |= {(-1, "all parameters"): network.params.size, (-1, "x"): X.size}
    for part in check.parts:
        assert part.coordinates + part.skipped + part.directions == 8 + min(7, sizes[part.layer, part.name])


@pytest.mark.parametrize(
    ("output", "loss"), [("identity", "squared"), ("logistic", "cross_entropy"), ("exponential", "poisson")]
)
@pytest.mark.parametrize("column", [True, False])
def test_one_output(output, loss, column):
    y = targets(output, loss, 1)
    check = gradcheck(cases.network_of("dense", output, outputs=1), X, y if column else y[:, 0], loss)
    assert check.passed, str(check)


def test_integer_targets_of_one_output():
    network = cases.network_of("dense", "logistic", outputs=1)
    check = gradcheck(network, X, np.array([0, 1, 1, 0, 1, 0]))
    assert check.passed, str(check)


def test_a_network_without_hidden_layers_and_one_without_activations():
    stacks: list[list[Layer]] = [[Dense(5, 3)], [Dense(5, 4), Dense(4, 3)], [Dense(5, 3), Activation("softmax")]]
    for layers in stacks:
        check = gradcheck(Network(layers, seed=1), X, targets("identity", "squared"), "squared")
        assert check.passed, str(check)


def test_neither_the_network_nor_the_data_are_touched():
    network, x = cases.network_of("activation relu", "softmax"), X.copy()
    before = network.params.copy()
    gradcheck(network, x, [0, 1, 2, 0, 1, 2])
    assert np.array_equal(network.params, before)
    assert np.array_equal(x, X)


@pytest.mark.parametrize("hidden", ["relu", "leaky_relu", "elu"])
def test_units_that_stand_exactly_on_a_kink(hidden):
    """Biases of 0 below silent inputs put every unit's z at 0 exactly."""
    x = X.copy()
    x[:3] = 0.0
    network = Network.mlp(5, 6, 6, 3, hidden=hidden, output="softmax", seed=4)
    check = gradcheck(network, x, [0, 1, 2, 0, 1, 2])
    assert check.moved
    assert check.passed, str(check)
    assert not gradcheck(Network.mlp(5, 6, 3, hidden="tanh"), x, [0, 1, 2, 0, 1, 2]).moved


def test_what_rounding_makes_of_steps_that_a_kink_shortens_is_no_wrong_derivative():
    """A unit 1e-6 above its kink leaves steps of 2e-7, and the loss of 5e5 is rounded in each of them."""
    network = Network.mlp(1, 1, 2, hidden="relu", output="identity", dtype="float64")
    network.params[:] = [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]
    found = gradcheck(network, [[1e-6]], [[0.0, 1000.0]])
    assert not found.moved
    assert found.passed, str(found)


def test_outputs_that_meet_their_targets_exactly_stand_on_the_kink_of_absolute():
    network = Network([Dense(5, 3)], seed=1, dtype="float64")
    check = gradcheck(network, X, network.predict(X), "absolute")
    assert check.moved
    assert check.passed, str(check)


def test_a_part_that_was_never_compared_does_not_pass():
    check = gradcheck(cases.network_of("dense", "softmax"), X, [0, 1, 2, 0, 1, 2], directions=0, coordinates=0)
    assert check.error == 0
    assert not check.passed
    assert "FAILED" in str(check)


def test_dropout_drops_in_the_check():
    """Without draws the check of a dropout layer would be one of the identity."""
    network = Network([Dense(5, 6), Dropout(0.9), Dense(6, 3)], seed=1, dtype="float64")
    out = network.forward(X, Draws(0, 0, np.arange(6))).outs[1]
    assert (out == 0).any()
    slopes = [part.error for part in gradcheck(network, X, targets("identity", "squared")).parts]
    assert max(slopes) <= 1e-6


def test_bad_input_is_refused():
    network = cases.network_of("dense", "softmax")
    with pytest.raises(InputError, match="network takes numbers of shape"):
        gradcheck(network, X[:, :2], [0, 1, 2, 0, 1, 2])
    with pytest.raises(InputError, match="each example needs one target"):
        gradcheck(network, X, [0, 1])
    with pytest.raises(InputError, match="needs outputs above 0"):
        gradcheck(cases.network_of("dense", "tanh"), X, targets("tanh", "squared"), "poisson")


# tests of the test: a wrong derivative of every kind, planted, and caught ---------------------------------------------


def caught(network: Network, output: str, loss: str) -> bool:
    return not gradcheck(network, X, targets(output, loss), loss).passed


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
@pytest.mark.parametrize("place", ["hidden", "output"])
def test_a_wrong_slope_of_an_activation_is_caught(monkeypatch, name, place):
    true = ACTIVATIONS[name]

    def wrong(z, a, out, scratch):
        true.slope(z, a, out, scratch)
        np.multiply(out, 1.0001, out=out)

    monkeypatch.setitem(ACTIVATIONS, name, replace(true, slope=wrong))
    network = cases.network_of(f"activation {name}" if place == "hidden" else "dense", "identity")
    if place == "output":
        network = cases.network_of("dense", name)
    assert caught(network, network.output, "squared")


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wrong_slope_of_a_loss_is_caught(monkeypatch, loss):
    true = LOSSES[loss]

    def wrong(a, y, out, scratch):
        true.slope(a, y, out, scratch)
        np.multiply(out, 1.0001, out=out)

    monkeypatch.setitem(LOSSES, loss, replace(true, slope=wrong))
    assert caught(cases.network_of("dense", "softplus"), "softplus", loss)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_wrong_loss_is_caught(monkeypatch, loss):
    true = LOSSES[loss]

    def wrong(a, y, out, scratch):
        true.losses(a, y, out, scratch)
        np.multiply(out, 1.0001, out=out)

    monkeypatch.setitem(LOSSES, loss, replace(true, losses=wrong))
    assert caught(cases.network_of("dense", "softplus"), "softplus", loss)


@pytest.mark.parametrize(("output", "loss"), FUSED)
@pytest.mark.parametrize("wrong", ["loss", "slope"])
def test_a_wrong_fused_pair_is_caught(monkeypatch, output, loss, wrong):
    true_loss, true_slope = FUSED[output, loss], Objective.slope

    def wrong_loss(z, y, out, scratch):
        true_loss(z, y, out, scratch)
        out += 1e-3 * z[:, 0]

    def wrong_slope(self, a, y, out, scratch):
        true_slope(self, a, y, out, scratch)
        out[:, 0] *= 1.001

    if wrong == "loss":
        monkeypatch.setitem(FUSED, (output, loss), wrong_loss)
    else:
        monkeypatch.setattr(Objective, "slope", wrong_slope)
    assert caught(cases.network_of("dense", output), output, loss)


def _d_in_of_transposed_weights(self, d_out, cache):
    return d_out @ self.W.T, DenseGrads(d_out, cache.a)


def _d_in_scaled(self, d_out, cache):
    return 1.0001 * (d_out @ self.W), DenseGrads(d_out, cache.a)


def _grads_of_rows_in_another_order(self, d_out, cache):
    return d_out @ self.W, DenseGrads(d_out, cache.a[::-1])


@pytest.mark.parametrize("wrong", [_d_in_of_transposed_weights, _d_in_scaled, _grads_of_rows_in_another_order])
def test_a_wrong_backward_pass_of_a_dense_layer_is_caught(monkeypatch, wrong):
    monkeypatch.setattr(Dense, "backward", wrong)
    network = Network([Dense(5, 5), Activation("tanh"), Dense(5, 5)], seed=1)
    check = gradcheck(network, X, targets("identity", "squared", 5))
    assert not check.passed


@pytest.mark.parametrize("part", ["W", "b"])
def test_wrong_gradients_of_one_part_are_found_in_that_part(monkeypatch, part):
    true = DenseGrads.weighted_sum

    def wrong(self, weights):
        W, b = true(self, weights)
        return (1.001 * W, b) if part == "W" else (W, 1.001 * b)

    monkeypatch.setattr(DenseGrads, "weighted_sum", wrong)
    check = gradcheck(cases.network_of("dense", "softmax"), X, [0, 1, 2, 0, 1, 2])
    assert {p.name for p in check.parts if p.error > 1e-6} == {part, "all parameters"}


def test_a_dropout_that_forgets_its_mask_on_the_way_back_is_caught(monkeypatch):
    monkeypatch.setattr(Dropout, "backward", lambda self, d_out, cache: (d_out, None))
    assert caught(cases.network_of("dropout", "identity"), "identity", "squared")


def test_a_softmax_that_forgets_how_its_outputs_are_coupled_is_caught(monkeypatch):
    true = Activation.backward

    def wrong(self, d_out, cache):
        return (d_out * cache.a * (1 - cache.a), None) if self.function == "softmax" else true(self, d_out, cache)

    monkeypatch.setattr(Activation, "backward", wrong)
    assert caught(cases.network_of("dense", "softmax"), "softmax", "squared")
