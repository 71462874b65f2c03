import json
from importlib import import_module

import numpy as np
import pytest

from backlight.data import load
from backlight.errors import InputError
from backlight.explanation.checking import check
from backlight.network import Activation, Dense, Network, gradcheck
from backlight.network.layers import DenseGrads
from backlight.plots import Table, Text
from backlight.training import Trainer
from tests import cases
from tests.explanation import stepping

DIGITS = load("digits").part("train")
X, Y = cases.some((30, cases.INPUTS), 21), np.arange(30) % cases.OUTPUTS


@pytest.mark.parametrize("layers", ["deep", "dropout", "activation relu", "dense"])
def test_a_right_network_passes_layer_by_layer(layers):
    network = cases.network_of(layers, "softmax")
    found = check(network, X, Y)
    assert found.passed
    assert all(array.passed and array.error <= found.error <= found.tolerance for array in found.arrays)
    indices = [index for index, _, _ in network.dense_layers()]
    parameters = [(array.layer, array.name) for array in found.arrays if array.layer is not None]
    assert parameters == [(index, name) for index in indices for name in ("W", "b")]
    assert [array.name for array in found.arrays if array.layer is None] == ["all parameters", "x"]
    draws = ", dropout with fixed draws" if layers == "dropout" else ""
    assert found.sentence.startswith(f"Backpropagation is right on 8 examples{draws}: its worst relative error is ")


def test_it_is_the_public_gradient_check_on_these_examples():
    network = cases.network_of("deep", "softmax")
    found = check(network, X, Y, examples=5, seed=3)
    rows = list(found.examples)
    expected = gradcheck(network, X[rows], Y[rows], seed=3)
    assert [array.error for array in found.arrays] == [part.error for part in expected.parts]
    assert (found.error, found.tolerance, found.moved) == (expected.error, expected.tolerance, expected.moved)


def test_half_of_the_examples_are_those_of_largest_loss():
    network = cases.network_of("deep", "softmax")
    losses = network.losses(network.forward(X), Y)
    found = check(network, X, Y)
    assert len(found.examples) == len(set(found.examples)) == 8
    assert set(np.argsort(-losses)[:4].tolist()) < set(found.examples)
    assert list(found.examples) == sorted(found.examples)
    assert check(network, X, Y) == found
    assert check(network, X, Y, seed=1).examples != found.examples
    assert check(network, X[:3], Y[:3]).examples == (0, 1, 2)
    assert len(check(network, X, Y, examples=1).examples) == 1


def test_a_network_that_has_learnt_all_of_it_still_passes():
    x, y = DIGITS
    network = Network.mlp(64, 32, 10)
    for _ in Trainer(network, epochs=100, lr=0.01).run(x, y):
        pass
    assert network.losses(network.forward(x), y).mean() < 1e-2
    assert check(network, x, y).passed


def test_a_wrong_way_back_is_found_below_it(monkeypatch):
    right = Dense.backward

    def wrong(self, d_out, cache):
        d_in, grads = right(self, d_out, cache)
        return 1.001 * d_in, grads

    monkeypatch.setattr(Dense, "backward", wrong)
    found = check(Network.mlp(5, 6, 6, 3, hidden="tanh"), X, Y)
    failed = [(array.layer, array.name) for array in found.arrays if not array.passed]
    assert failed == [(0, "W"), (0, "b"), (2, "W"), (2, "b"), (None, "all parameters"), (None, "x")]
    assert not found.passed
    assert found.sentence.startswith(
        "Backpropagation could not be confirmed for W of layer 0, b of layer 0, W of layer 2, b of layer 2, "
        "all parameters, x on 8 examples: its worst relative error is 1"
    )
    told = [block for block in found.blocks() if isinstance(block, Text)]
    assert told[0].kind == "warning"


def test_a_wrong_gradient_of_the_weights_is_found_in_its_place(monkeypatch):
    right = DenseGrads.weighted_sum

    def wrong(self, weights):
        W, b = right(self, weights)
        return (1.001 * W, b) if len(b) == 3 else (W, b)

    monkeypatch.setattr(DenseGrads, "weighted_sum", wrong)
    found = check(Network.mlp(5, 6, 3, hidden="tanh"), X, Y)
    failed = [(array.layer, array.name) for array in found.arrays if not array.passed]
    assert failed == [(2, "W"), (None, "all parameters")]


def test_where_nothing_could_be_compared_nothing_is_confirmed(monkeypatch):
    probe = import_module("backlight.network.gradcheck")._Probe
    monkeypatch.setattr(probe, "slope", lambda self, values, direction: None)
    found = check(Network.mlp(5, 6, 3), X, Y)
    assert not found.passed
    assert not any(array.passed for array in found.arrays)


def test_a_unit_on_its_kink_is_moved_and_said_so():
    network = Network([Dense(5, 6), Activation("relu"), Dense(6, 3), Activation("softmax")])
    found = check(network, np.zeros((4, 5)), np.arange(4) % 3)
    assert found.moved
    assert any(isinstance(block, Text) and "exactly on a kink" in block.text for block in found.blocks())


def test_a_run_at_any_moment(tmp_path):
    run = stepping.trained_run(tmp_path / "run")
    x, y = run.dataset().part("train")
    for at, when in ((0, "before training"), ("last", "after step 14 (epoch 2)"), (None, "best on validation")):
        found = check(run.folder, x, y, at=at)
        assert found.passed
        assert when in found.title


def test_the_check_as_plain_data_and_blocks():
    found = check(cases.network_of("dense", "softmax"), X, Y)
    content = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert content["passed"] is True
    assert content["arrays"][0]["layer"] == 0
    table = next(block for block in found.blocks() if isinstance(block, Table))
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert {row[-1] for row in table.rows} == {"passed"}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"examples": 0}, "examples is 0; it must be a whole number of at least 1"),
        ({"at": "best"}, "a network has no moments"),
        ({"y": np.array([0, 7])}, "y is 7 in row 1"),
        ({"x": np.eye(4)[:2]}, "x has 4 columns"),
    ],
)
def test_what_does_not_fit_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        check(Network.mlp(5, 3), **{"x": X[:2], "y": Y[:2], **given})
