import re

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Activation, Dense, Network, Objective
from backlight.network.losses import FUSED, LOSSES, check_pair, default_loss
from backlight.network.objective import encode_targets, mean_weights
from tests import cases

REFUSALS = {
    "cross_entropy": "the loss cross_entropy needs outputs that are probabilities, and {} gives none; "
    "choose the output softmax (one class of many) or logistic (yes or no, several at once)",
    "poisson": "the loss poisson needs outputs above 0, and {} gives any number; "
    "choose the output exponential or softplus",
}


@pytest.mark.parametrize(("output", "loss"), cases.ENDINGS)
def test_losses_are_those_of_the_definition(output, loss):
    network = cases.network_of("deep", output)
    trace = network.forward(cases.some((8, cases.INPUTS)))
    y = cases.LOSSES[loss].targets(output, 8, network.outputs, 0)
    expected = [cases.LOSSES[loss].value(output, a, t) for a, t in zip(trace.out, y, strict=True)]
    # roundings; log a is computed from z in the fused ones
    np.testing.assert_allclose(network.losses(trace, y, loss), expected, rtol=1e-11)


@pytest.mark.parametrize(("output", "loss"), cases.REFUSED_PAIRS)
def test_pairs_that_do_not_go_together_are_refused(output, loss):
    expected = REFUSALS[loss].format(output)
    if (output, loss) == ("softmax", "poisson"):
        expected = "the loss poisson needs rates, and softmax gives probabilities that sum to 1"
    for refuse in (lambda: check_pair(output, loss), lambda: Objective(output, loss)):
        with pytest.raises(InputError, match=re.escape(expected)):
            refuse()
    with pytest.raises(InputError, match=re.escape(expected)):
        Network([Dense(2, 2), Activation(output)]).objective(loss)


def test_an_unknown_loss_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"there is no loss 'crossentropy'; did you mean 'cross_entropy'\?"):
        check_pair("softmax", "crossentropy")


@pytest.mark.parametrize("output", cases.ALL_OUTPUTS)
def test_every_output_has_a_loss_by_default(output):
    assert (output, default_loss(output)) in cases.PAIRS
    assert Network([Dense(2, 2), Activation(output)]).objective().loss == default_loss(output)


@pytest.mark.parametrize(("output", "loss"), FUSED)
def test_fused_losses_of_extreme_numbers_are_finite_and_right(output, loss):
    """Where softmax or a sigmoid rounds to 0 or 1, the loss is still as large as z says."""
    z = np.array([[-800.0, 0.0], [700.0 if loss == "poisson" else 800.0, 0.0]])
    y, out = np.array([[1.0, 0.0], [0.0, 1.0]]), np.empty(2)
    FUSED[output, loss](z, y, out, [np.empty((2, 2)), np.empty((2, 2))])
    expected = {
        "softmax": [800, 800],
        "logistic": [800 + np.log(2), 800 + np.log(2)],
        "sigmoid": [800 + np.log(2), 800 + np.log(2)],
        "exponential": [801, np.exp(700.0) + 1],
    }[output]
    np.testing.assert_allclose(out, expected, rtol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_kinks_are_declared(loss):
    """The slope jumps, or its slope does, exactly at the declared errors."""
    e, h = np.linspace(-3, 3, 13), 1e-6
    slope, scratch = np.empty((3, 13)), [np.empty((3, 13))] * 2
    LOSSES[loss].slope(4 + e + h * np.array([[-1], [0], [1]]), np.full((3, 13), 4.0), slope, scratch)
    jump, bend = abs(slope[2] - slope[0]), abs(slope[2] - 2 * slope[1] + slope[0]) / h
    assert set(e[(jump > 0.1) | (bend > 0.1)].tolist()) == set(LOSSES[loss].kinks)


def test_class_indices_mean_the_same_as_one_hot_rows():
    network, x = cases.network_of("dense", "softmax"), cases.some((9, cases.INPUTS))
    indices = np.arange(9) % 3
    one, other = (network.backward(network.forward(x), y) for y in (indices, np.eye(3)[indices]))
    assert np.array_equal(one.losses, other.losses)
    assert np.array_equal(one.gradient(), other.gradient())


@pytest.mark.parametrize("y", [np.array([2, 0], np.uint8), np.array([2, 0]), [[0, 0, 1], [1, 0, 0]]])
def test_targets_are_encoded_as_outputs_should_be(y):
    out = np.full((2, 3), np.nan, np.float32)
    encode_targets(np.asarray(y), out)
    assert out.tolist() == [[0, 0, 1], [1, 0, 0]]


@pytest.mark.parametrize("y", [np.array([2, 0]), np.array([2.0, 0.0]), np.array([[2.0], [0.0]])])
def test_targets_of_one_output(y):
    out = np.full((2, 1), np.nan, np.float32)
    encode_targets(y, out)
    assert out.tolist() == [[2], [0]]


def test_mean_weights_divide_by_the_number_of_examples():
    weights = mean_weights(4, np.dtype("float32"), np.array([1.0, 2.0, 0.0, 5.0]))
    assert weights.dtype == np.float32
    assert weights.tolist() == [0.25, 0.5, 0.0, 1.25]
