"""Softmax over all outputs, and over groups of them: the network of several questions with classes of their own."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.network import Activation, Dense, Network
from backlight.network.objective import encode_targets
from backlight.network.softmax import groups, softmax, softmax_backward
from tests import cases


def test_softmax_is_shifted_and_sums_to_one():
    z = cases.some((50, 7), scale=3)
    a, shifted = np.empty_like(z), np.empty_like(z)
    softmax(z, a, [np.empty_like(z)])
    softmax(z + 1000.0, shifted, [np.empty_like(z)])
    np.testing.assert_allclose(a, np.exp(z) / np.exp(z).sum(axis=1, keepdims=True), rtol=1e-13)
    np.testing.assert_allclose(shifted, a, rtol=1e-11)  # adding 1000 rounds z to 1e-13
    np.testing.assert_allclose(a.sum(axis=1), 1, rtol=1e-15)


def test_softmax_of_far_apart_numbers():
    out = np.empty((2, 3))
    softmax(np.array([[1e4, 0.0, -1e4], [-1e4, -1e4, -1e4]]), out, [np.empty((2, 3))])
    assert out[0].tolist() == [1, 0, 0]
    np.testing.assert_allclose(out[1], 1 / 3)


SIZES = st.lists(st.integers(2, 9), min_size=2, max_size=6)


@settings(deadline=None)
@given(SIZES, st.integers(1, 5), st.integers(0, 99))
def test_every_group_is_a_softmax_of_its_own(sizes, n, seed):
    z, d_out = cases.some((n, sum(sizes)), seed, 3.0), cases.some((n, sum(sizes)), seed + 100)
    a, d_in, scratch = np.full_like(z, np.nan), np.full_like(z, np.nan), [np.full_like(z, np.nan)]
    softmax(z, a, scratch, sizes)
    softmax_backward(d_out, a, d_in, scratch, sizes)
    for group in groups(sizes, sum(sizes)):
        one, back = np.empty_like(z[:, group]), np.empty_like(z[:, group])
        softmax(z[:, group].copy(), one, [np.empty_like(one)])
        softmax_backward(d_out[:, group].copy(), one, back, [np.empty_like(one)])
        np.testing.assert_allclose(a[:, group], one, rtol=1e-15)
        np.testing.assert_allclose(d_in[:, group], back, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(a[:, group].sum(axis=1), 1, rtol=1e-14)


@settings(deadline=None)
@given(SIZES, st.integers(1, 5), st.integers(0, 99))
def test_a_network_in_groups_is_that_of_as_many_networks_with_one_trunk(sizes, n, seed):
    """Losses and gradients are the sums of those of networks that each have one group's outputs."""
    network = Network.mlp(4, 5, sum(sizes), hidden="tanh", sizes=sizes, seed=seed, dtype="float64")
    x, trunk, heads = cases.some((n, 4), seed), *(layer for _, layer, _ in network.dense_layers())
    y = np.stack([(seed + 3 * np.arange(n)) % size for size in sizes], axis=1)
    whole = network.backward(network.forward(x), y)
    losses, gradient = np.zeros(n), np.zeros(network.params.size)
    for k, group in enumerate(groups(sizes, sum(sizes))):
        one = Network.mlp(4, 5, sizes[k], hidden="tanh", seed=0, dtype="float64")
        hidden, head = (layer for _, layer, _ in one.dense_layers())
        hidden.W[...], hidden.b[...], head.W[...], head.b[...] = trunk.W, trunk.b, heads.W[group], heads.b[group]
        backward = one.backward(one.forward(x), y[:, k])
        losses += backward.losses
        ours, theirs = whole.grads[2], backward.grads[2]
        assert ours is not None
        assert theirs is not None
        np.testing.assert_allclose(ours.delta[:, group], theirs.delta, rtol=1e-12, atol=1e-15)
        gradient[: trunk.size] += backward.gradient()[: trunk.size]
    np.testing.assert_allclose(whole.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(whole.gradient()[: trunk.size], gradient[: trunk.size], rtol=1e-11, atol=1e-14)


def test_class_indices_of_every_group_mean_the_same_as_one_hot_rows():
    network, x = cases.network_of("dense", cases.GROUPED), cases.some((9, cases.INPUTS))
    indices = np.arange(9)[:, None] % np.array(network.sizes)
    one_hot = np.empty((9, network.outputs))
    encode_targets(indices, one_hot, network.sizes)
    assert np.array_equal(cases.class_indices(cases.GROUPED, one_hot), indices)
    assert (one_hot.sum(axis=1) == len(network.sizes)).all()
    for loss in ("cross_entropy", "squared"):
        one, other = (network.backward(network.forward(x), y, loss) for y in (indices, one_hot))
        assert np.array_equal(one.losses, other.losses)
        assert np.array_equal(one.gradient(), other.gradient())


def test_the_plain_softmax_is_described_as_it_always_was():
    assert Activation("softmax").to_dict() == {"kind": "activation", "function": "softmax"}
    network = Network.mlp(3, 4, 5, sizes=(2, 3))
    assert network.to_dicts()[-1] == {"kind": "activation", "function": "softmax", "sizes": [2, 3]}
    assert repr(network) == "Network 3-4-5, relu, softmax in 2 groups, 41 parameters in float32"
    again = Network.from_dicts(network.to_dicts())
    assert (again.sizes, again.outputs) == ((2, 3), 5)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Activation("softmax", sizes=(5,)), "sizes is (5,); give two groups or more, or no sizes"),
        (
            lambda: Activation("softmax", sizes=(5, 1)),
            "the size of group 1 is 1; it must be a whole number of at least 2",
        ),
        (lambda: Activation("softmax", sizes=(True, 2)), "the size of group 0 is True; it must be a whole number"),
        (lambda: Activation("tanh", sizes=(2, 2)), "sizes are those of a softmax's groups, and the activation is tanh"),
        (lambda: Network.mlp(3, 4, output="identity", sizes=(2, 2)), "and the activation is identity"),
        (lambda: Network.mlp(3, 6, sizes=(2, 3)), "the groups of the softmax have 5 outputs together, and the layer "),
        (lambda: Network([Dense(3, 4), Activation("softmax", sizes=(2, 2)), Dense(4, 2)]), "softmax, which may only"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make, message):
    with pytest.raises(InputError, match=re.escape(message)):
        make()


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (
            [0, 1],
            "y is one number per example, and the network answers 2 questions; give class indices (2, 2) or (2, 5)",
        ),
        ([[0, 1, 1], [0, 1, 1]], "y has shape (2, 3); expected class indices (2, 2) or (2, 5)"),
        ([[0.0, 1.0], [1.0, 2.0]], "y holds 2 float64 numbers per example, one for each group of outputs"),
        ([[0, 1], [2, 1]], "y is 2 in row 1 (counted from 0); expected a class index from 0 to 1 in column 0"),
        ([[0, 1], [1, -1]], "y is -1 in row 1 (counted from 0); expected a class index from 0 to 2 in column 1"),
        ([[1, 0, 1, 0, 0], [1, 0, 1, 1, 0]], "expected a row whose outputs 2 to 4 sum to 1 for softmax"),
    ],
)
def test_targets_that_do_not_fit_the_groups_are_refused(y, message):
    network = Network.mlp(3, 5, sizes=(2, 3))
    with pytest.raises(InputError, match=re.escape(message)):
        network.losses(network.forward(np.zeros((2, 3))), np.array(y))
