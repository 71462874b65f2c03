"""Batch and layer normalisation: by definition, in training and after it, and what they refuse."""

from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Activation, BatchNorm, Dense, Draws, LayerNorm, Network, gradcheck
from backlight.network.normalisation import NormCache
from tests import cases

N = 7
X, Y = cases.some((N, cases.INPUTS), 1), np.arange(N) % 3
DRAWS = Draws(0, 0, np.arange(N))
NORMED = [name for name in cases.LAYERS if "norm" in name]
BATCHED = [name for name in NORMED if cases.network_of(name, "softmax").coupled]


def bound(layer: Any) -> Any:
    layer.bind(np.abs(cases.some((layer.size,), 3)) + 0.5)
    return layer


def test_batch_norm_by_definition_unit_by_unit():
    layer, x = bound(BatchNorm(4, eps=0.01)), cases.some((N, 4), 2, 3.0)
    trained, cache = layer.forward(x, DRAWS)
    after, _ = layer.forward(x)
    for j in range(4):
        mean, variance = x[:, j].mean(), x[:, j].var()
        expected = (x[:, j] - mean) / np.sqrt(variance + 0.01) * layer.scale[j] + layer.shift[j]
        np.testing.assert_allclose(trained[:, j], expected, rtol=1e-12)
        expected = (x[:, j] - layer.running_mean[j]) / np.sqrt(layer.running_var[j] + 0.01)
        np.testing.assert_allclose(after[:, j], expected * layer.scale[j] + layer.shift[j], rtol=1e-12)
    mean, variance = layer.running_mean.copy(), layer.running_var.copy()
    layer.learn_statistics(cache)
    np.testing.assert_allclose(layer.running_mean, 0.9 * mean + 0.1 * x.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(layer.running_var, 0.9 * variance + 0.1 * x.var(axis=0, ddof=1), rtol=1e-12)


def test_layer_norm_by_definition_example_by_example():
    layer, x = bound(LayerNorm(4, eps=0.01)), cases.some((N, 4), 2, 3.0)
    for draws in (None, DRAWS):
        out, _ = layer.forward(x, draws)
        for n in range(N):
            expected = (x[n] - x[n].mean()) / np.sqrt(x[n].var() + 0.01) * layer.scale + layer.shift
            np.testing.assert_allclose(out[n], expected, rtol=1e-12)


def test_a_batch_of_one_example_takes_running_statistics_and_leaves_them():
    layer, x = bound(BatchNorm(4)), cases.some((1, 4), 2)
    out, cache = layer.forward(x, Draws(0, 0, np.array([3])))
    assert np.array_equal(out, layer.forward(x)[0])
    kept = layer.running_mean.copy(), layer.running_var.copy()
    layer.learn_statistics(cache)
    assert np.array_equal(layer.running_mean, kept[0])
    assert np.array_equal(layer.running_var, kept[1])


@pytest.mark.parametrize("layers", BATCHED)
def test_weighted_gradients_of_a_coupled_pass_are_measured_ones(layers):
    """Every example's loss depends on all examples, so that weights must be known on the way back."""
    network, w = cases.network_of(layers, "softmax"), np.array([1.0, 0.0, 2.0, 0.5, 1.0, 3.0, 1.0])
    trace = network.forward(X, DRAWS)
    claimed = network.backward(trace, Y, sample_weight=w).gradient()
    direction = cases.some(network.params.shape, 9)
    for place in network.statistics:
        direction[place] = 0.0
        assert not claimed[place].any()
    start, costs = network.params.copy(), []
    for h in (-1e-5, 1e-5):
        network.params[...] = start + h * direction
        costs.append(w @ network.losses(network.forward(X, DRAWS), Y) / N)
    assert (costs[1] - costs[0]) / 2e-5 == pytest.approx(claimed @ direction, rel=1e-7)
    with pytest.raises(InputError, match="give sample_weight to Network"):
        network.backward(trace, Y).gradient(w)


@pytest.mark.parametrize("layers", NORMED)
def test_every_coordinate_is_checked_as_in_training_and_as_after_it(layers):
    check = gradcheck(cases.network_of(layers, "softmax"), X, Y, coordinates=10_000)
    assert check.passed, str(check)
    names = {part.name for part in check.parts}
    assert {"W", "b", "scale", "shift", "x", "all parameters"} <= names
    assert ("all parameters, frozen" in names) == (layers in BATCHED)


def _forgets_the_mean(d_hat: Any, hat: Any, inverse: Any, axis: int) -> Any:
    return inverse * (d_hat - hat * np.mean(d_hat * hat, axis=axis, keepdims=True))


def _forgets_the_variance(d_hat: Any, hat: Any, inverse: Any, axis: int) -> Any:
    return inverse * (d_hat - d_hat.mean(axis=axis, keepdims=True))


@pytest.mark.parametrize("wrong", [_forgets_the_mean, _forgets_the_variance])
@pytest.mark.parametrize("layers", NORMED)
def test_a_wrong_way_back_is_caught(monkeypatch, wrong, layers):
    monkeypatch.setattr("backlight.network.normalisation.coupled_slopes", wrong)
    assert not gradcheck(cases.network_of(layers, "softmax"), X, Y).passed


@pytest.mark.parametrize("layers", NORMED)
def test_products_and_norms_of_gradients_are_those_of_the_gradients_multiplied_out(layers):
    network = cases.network_of(layers, "softmax")
    backward, direction = network.backward(network.forward(X), Y), cases.some(network.params.shape, 4)
    rows = []
    for n in range(N):
        parts = [part[n].ravel() for g in backward.grads if g is not None for part in g.per_example()]
        rows.append(np.concatenate(parts))
    norms = sum(g.squared_norms() for g in backward.grads if g is not None)
    np.testing.assert_allclose(norms, [row @ row for row in rows], rtol=1e-12)
    every = zip(backward.grads, network.places(), strict=True)
    found = sum(g.along(direction[place]) for g, place in every if g is not None)
    np.testing.assert_allclose(found, np.array(rows) @ direction, rtol=1e-11)


def test_looking_leaves_running_statistics_alone():
    network = cases.network_of("batch norm", "softmax")
    kept = network.params.copy()
    network.backward(network.forward(X, DRAWS), Y)
    assert np.array_equal(network.params, kept)


def test_a_network_says_what_it_is_and_how_many_parameters_are_learnt():
    network = Network.mlp(4, 5, 3, norm="batch")
    assert repr(network) == "Network 4-5-3, batchnorm, relu, softmax, 53 parameters in float32"
    assert (network.learnt, network.params.size, network.coupled) == (53, 63, True)
    assert [layer.kind for layer in network.layers] == ["dense", "batchnorm", "activation", "dense", "activation"]
    assert list(network.state_dict())[2:6] == ["1.weight", "1.bias", "1.running_mean", "1.running_var"]
    assert (network.layers[1].running_var == 1).all()  # type: ignore[union-attr]
    other = Network.mlp(4, 5, 3, norm="layer")
    assert (other.learnt, other.params.size, other.coupled) == (53, 53, False)


def test_no_activations_are_kept():
    layer = bound(BatchNorm(4))
    before = {name: id(value) for name, value in vars(layer).items()}
    _, cache = layer.forward(cases.some((N, 4)), DRAWS)
    assert isinstance(cache, NormCache)
    assert {name: id(value) for name, value in vars(layer).items()} == before


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: BatchNorm(0), "the number of units is 0"),
        (lambda: BatchNorm(3, eps=0.0), "eps is 0, and a variance can be 0 as well"),
        (lambda: BatchNorm(3, eps=-1.0), "eps is -1"),
        (lambda: BatchNorm(3, momentum=1.5), "the momentum of running statistics is 1.5"),
        (lambda: LayerNorm(1), "layer normalisation of 1 unit gives every example the same"),
        (lambda: Network.mlp(2, 1, 2, norm="layer"), "layer normalisation of 1 unit"),
        (lambda: Network.mlp(2, 3, 2, norm="bach"), "there is no normalisation 'bach'; did you mean 'batch'"),
        (lambda: Network([BatchNorm(3), Dense(3, 2)]), "the first layer must be dense"),
        (
            lambda: Network([Dense(2, 3), BatchNorm(3)]).objective(),
            "layer 1 normalises the outputs, from which no loss",
        ),
        (lambda: Network([Dense(2, 3), LayerNorm(2), Dense(3, 2)]), "layer 1 normalises 2 units, and the layer before"),
        (
            lambda: Network([Dense(2, 3), Activation("relu"), LayerNorm(3), Dense(3, 2)]),
            "layer 2 is layernorm, which may only stand right behind a dense layer",
        ),
        (lambda: Network([Dense(2, 3), BatchNorm(3), BatchNorm(3), Dense(3, 2)]), "layer 2 is batchnorm"),
        (lambda: Network([Dense(2, 3), bound(BatchNorm(3)), Dense(3, 2)]), "a batchnorm layer belongs to another"),
    ],
)
def test_what_is_impossible_is_refused(make, message):
    with pytest.raises(InputError, match=message):
        make()
