"""Activations, losses and gradients are those of PyTorch, to 1e-6 as promised, and in fact to rounding."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.network import Activation, Dense, Draws, Network, Objective
from backlight.network.layers import ActivationCache
from tests import cases

GOLDEN = Path(__file__).parents[1] / "golden"


def agree(got: Any, expected: Any) -> None:
    """To a few hundred roundings of float64; the promise is 1e-6."""
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-13)


def golden(name: str) -> dict[str, Any]:
    with np.load(GOLDEN / f"{name}.npz", allow_pickle=False) as file:
        return dict(file)


ACTIVATIONS, LOSSES, NETWORKS = golden("activations"), golden("losses"), golden("networks")
LOSS_CASES = dict(zip(LOSSES["cases"].tolist(), zip(LOSSES["losses"], LOSSES["slopes"], strict=True), strict=True))
NETWORK_CASES = dict(
    zip(NETWORKS["cases"].tolist(), zip(NETWORKS["losses"], NETWORKS["gradients"], strict=True), strict=True)
)


def test_every_activation_and_every_pair_has_a_golden_value():
    assert {key.split("/")[0] for key in ACTIVATIONS if "/" in key} == set(cases.ACTIVATIONS)
    assert {tuple(key.split("/")[:2]) for key in LOSS_CASES} == set(cases.PAIRS)
    assert {tuple(key.split("/")[1:3]) for key in NETWORK_CASES} == set(cases.PAIRS)
    assert {key.split("/")[0] for key in NETWORK_CASES} == set(cases.ACTIVATIONS)


@pytest.mark.parametrize("name", cases.ACTIVATIONS)
def test_activations(name):
    z = ACTIVATIONS["z"][:, None]
    layer = Activation(name)
    a, cache = layer.forward(z)
    assert isinstance(cache, ActivationCache)
    agree(a[:, 0], ACTIVATIONS[f"{name}/value"])
    agree(layer.slope(cache)[:, 0], ACTIVATIONS[f"{name}/slope"])


@pytest.mark.parametrize("key", LOSS_CASES)
def test_losses_and_their_slopes(key):
    output, loss, kind = key.split("/")
    z, y, (losses, slopes) = LOSSES["z"], LOSSES[f"y/{kind}"], LOSS_CASES[key]
    network = Network([Dense(3, 3), Activation(output)], dtype="float64")
    network.params[...] = 0.0
    network.layers[0].W[...] = np.eye(3)  # type: ignore[union-attr]
    backward = network.backward(network.forward(z), y, loss)
    agree(backward.losses, losses)
    delta = backward.errors[0]
    assert delta is not None
    agree(delta, slopes)
    assert (backward.errors[1] is None) == Objective(output, loss).fused


@pytest.mark.parametrize("key", NETWORK_CASES)
def test_gradients_of_networks(key):
    hidden, output, loss, kind = key.split("/")
    losses, gradient = NETWORK_CASES[key]
    network = Network([Dense(4, 5), Activation(hidden), Dense(5, 3), Activation(output)], dtype="float64")
    network.params[...] = NETWORKS["params"]
    backward = network.backward(network.forward(NETWORKS["x"]), NETWORKS[f"y/{kind}"], loss)
    agree(backward.losses, losses)
    agree(backward.gradient(), gradient)


@pytest.mark.parametrize("kind", ["batch", "layer"])
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_normalisation(kind, mode):
    given = golden("normalisation")
    network = Network.mlp(4, 5, 6, 3, hidden="tanh", norm=kind, dtype="float64")
    network.params[...] = given[f"{kind}/start"]
    draws = Draws(0, 0, np.arange(len(given["x"]))) if mode == "train" else None
    backward = network.backward(network.forward(given["x"], draws), given["y"])
    learnt = np.ones(network.params.size, bool)
    for place in network.statistics:
        learnt[place] = False
    agree(backward.losses, given[f"{kind}/{mode}/losses"])
    agree(backward.gradient()[learnt], given[f"{kind}/{mode}/gradient"])
