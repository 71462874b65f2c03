"""What a trainer refuses: impossible settings and data that do not fit, each with a message."""

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.training import Evaluation, Trainer
from tests.training.made import VALIDATION, X, Y, classifier, epochs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "cross-entropy"}, r"there is no loss 'cross-entropy'; did you mean 'cross_entropy'\?"),
        ({"loss": "poisson"}, "the loss poisson needs rates, and softmax gives probabilities"),
        ({"optimizer": "adamx"}, r"there is no optimizer 'adamx'; did you mean 'adam'\?"),
        ({"engine": "nativ"}, r"there is no engine 'nativ'; did you mean 'native'\?"),
        ({"epochs": True}, "epochs is True; it must be a whole number"),
        ({"epochs": 0}, "epochs is 0; it must be a whole number of at least 1"),
        ({"epochs": -1}, "epochs is -1; it must be a whole number of at least 1"),
        ({"epochs": 2.5}, "epochs is 2.5; it must be a whole number of at least 1"),
        ({"batch_size": 0}, r"batch_size \(a number or 'full'\) is 0; it must be a whole number of at least 1"),
        ({"batch_size": "all"}, r"batch_size \(a number or 'full'\) is 'all'; it must be a whole number of at least 1"),
        ({"batch_size": 2.0}, r"batch_size \(a number or 'full'\) is 2.0"),
        ({"lr": 0.0}, "lr is 0, so that nothing would be learnt"),
        ({"lr": -0.1}, "lr is -0.1; it must be a finite number of at least 0"),
        ({"lr": "fast"}, "lr is 'fast'"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": float("inf")}, "lr is inf"),
        ({"seed": -1}, "seed is -1; it must be a whole number of at least 0"),
        ({"seed": 1.5}, "seed is 1.5; it must be a whole number"),
        ({"seed": 2**64}, f"seed is {2**64}"),
        ({"watch": "accurracy"}, r"there is no metric 'accurracy'; did you mean 'accuracy'\?"),
        ({"until": "loss<0.05"}, r"until is 'loss<0.05'; give a list of conditions, such as \['loss<0.05'\]"),
        ({"until": ["loss<"]}, "the condition 'loss<' cannot be read"),
        ({"until": ["los<1"]}, r"there is no metric 'los'; did you mean 'loss'\?"),
        ({"threads": 0}, "threads is 0; it must be a whole number of at least 1"),
        ({"patience": 0}, "patience is 0; at least 1 epoch is needed"),
    ],
)
def test_impossible_settings_are_refused_at_once(settings, message):
    with pytest.raises(InputError, match=message):
        Trainer(classifier(), **settings)


def bad_number(value: float) -> np.ndarray:
    x = X.copy()
    x[17, 2] = value
    return x


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            bad_number(np.nan),
            Y,
            r"x is nan in row 17, column 2 \(counted from 0\); every input must be a finite number",
        ),
        (bad_number(-np.inf), Y, "x is -inf in row 17, column 2"),
        (X[:, :3], Y, "x has 3 columns, and the network takes 4 inputs"),
        (X[0], Y, r"x is float32 of shape \(4,\); an array of numbers of shape \(n, inputs\) is needed"),
        (X[:0], Y[:0], "x has no rows; at least one example is needed"),
        (X.astype(str), Y, r"x is <U\d+ of shape \(30, 4\)"),
        (X, Y[:29], r"x has 30 rows and y has shape \(29,\); each example needs one target"),
        (X, np.int64(3), r"x has 30 rows and y has shape \(\); each example needs one target"),
        (X, Y + 1, r"y is 3 in row \d+ \(counted from 0\); expected a class index from 0 to 2"),
        (X, Y - 1, r"y is -1 in row \d+ \(counted from 0\); expected a class index from 0 to 2"),
        (X, Y.astype(float), r"y is one float64 number per example, and the network has 3 outputs; give class indices"),
        (X, Y.astype(str), "y is one <U.* per example, and the network has 3 outputs"),
        (X, np.zeros((30, 2)), r"y has shape \(30, 2\); expected \(30,\) or \(30, 3\)"),
        (X, np.full((30, 3), 0.4), "y is .* in row 0 .*; expected a row that sums to 1 for softmax"),
    ],
)
def test_data_that_do_not_fit_are_refused(x, y, message):
    network = classifier()
    before = network.params.copy()
    with pytest.raises(InputError, match=message):
        Trainer(network).start(x, y)
    with pytest.raises(InputError, match=message):  # those of the validation as well
        Trainer(network).start(X, Y, validation=(x, y))
    assert np.array_equal(network.params, before)


def test_run_refuses_as_soon_as_it_is_asked_for_a_record():
    with pytest.raises(InputError, match="x has 3 columns"):
        next(iter(Trainer(classifier()).run(X[:, :3], Y)))


@pytest.mark.parametrize(
    ("weight", "message"),
    [
        (np.ones(29), "sample_weight must be 30 finite numbers of 0 or more, one per row"),
        (np.ones((30, 1)), "sample_weight must be 30 finite numbers"),
        (-np.ones(30), "sample_weight must be 30 finite numbers"),
        (np.full(30, np.nan), "sample_weight must be 30 finite numbers"),
        (np.zeros(30), "sample_weight is 0 for every row; at least one row must count"),
    ],
)
def test_impossible_weights_are_refused(weight, message):
    with pytest.raises(InputError, match=message):
        Trainer(classifier()).start(X, Y, sample_weight=weight)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.array([0, 30]), "rows go from 0 to 30; x has rows 0 to 29"),
        (np.array([-1, 3]), "rows go from -1 to 3; x has rows 0 to 29"),
        (np.array([], int), r"rows must be row numbers \(m,\), at least one"),
        (np.array([0.5]), r"rows must be row numbers \(m,\)"),
        (np.array([[1, 2]]), r"rows must be row numbers \(m,\)"),
        (np.ones(30, bool), r"rows must be row numbers \(m,\)"),
    ],
)
def test_impossible_rows_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        Trainer(classifier()).start(X, Y, rows=rows)


def test_a_condition_on_what_is_not_measured_is_refused():
    network = Network.mlp(4, 2, output="identity")
    with pytest.raises(
        InputError, match="asks for accuracy, which is not measured here; there are loss, rmse, mae, r2"
    ):
        list(Trainer(network, until=["accuracy>0.9"]).run(X, X[:, :2], validation=(X, X[:, :2])))


def test_watching_what_is_not_measured_is_refused():
    network = Network.mlp(4, 2, output="identity")
    with pytest.raises(
        InputError, match="watch is 'accuracy', which is not measured here; there are loss, rmse, mae, r2"
    ):
        list(Trainer(network, watch="accuracy").run(X, X[:, :2], validation=(X, X[:, :2])))
    flat = np.ones((30, 2), np.float32)  # without spread there is no R²
    with pytest.raises(InputError, match="watch is 'r2', which is not measured here; there are loss, rmse, mae"):
        list(Trainer(network, watch="r2").run(X, X[:, :2], validation=(X, flat)))


def test_lists_are_data_too():
    network, other = classifier(), classifier()
    one = list(Trainer(network, epochs=2).run(X.tolist(), Y.tolist(), validation=Evaluation(*VALIDATION)))
    two = list(Trainer(other, epochs=2).run(X, Y, validation=VALIDATION))
    assert epochs(one) == epochs(two)
