"""PyTorch itself, where it is installed, loads a network's parameters by name and predicts the same."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from backlight.network import Activation, BatchNorm, Dense, LayerNorm
from backlight.network.layers import Layer
from tests import cases

pytestmark = pytest.mark.oracle


def module(torch: Any, layer: Layer) -> Any:
    nn = torch.nn

    class Exponential(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, z: Any) -> Any:
            return torch.exp(z)

    class InGroups(nn.Module):  # type: ignore[misc, name-defined]
        def forward(self, z: Any) -> Any:
            assert isinstance(layer, Activation)
            return torch.cat([part.softmax(dim=1) for part in z.split(layer.sizes, dim=1)], dim=1)

    if isinstance(layer, Dense):
        return nn.Linear(layer.incoming, layer.units)
    if isinstance(layer, Activation):
        return {
            "identity": nn.Identity,
            "sigmoid": nn.Sigmoid,
            "logistic": nn.Sigmoid,
            "tanh": nn.Tanh,
            "relu": nn.ReLU,
            "leaky_relu": lambda: nn.LeakyReLU(0.01),
            "elu": nn.ELU,
            "gelu": nn.GELU,
            "softplus": nn.Softplus,
            "exponential": Exponential,
            "softmax": lambda: InGroups() if layer.sizes else nn.Softmax(dim=1),
        }[layer.function]()
    if isinstance(layer, BatchNorm):
        return nn.BatchNorm1d(layer.units, layer.eps, layer.momentum)
    if isinstance(layer, LayerNorm):
        return nn.LayerNorm(layer.units, layer.eps)
    return nn.Dropout(layer.rate)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sequential_loads_the_parameters_by_name_and_predicts_the_same(dtype):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x = cases.some((9, cases.INPUTS)).astype(dtype)
    for layers, output in product(cases.LAYERS, (*cases.ALL_OUTPUTS, cases.GROUPED)):
        network = cases.network_of(layers, output, dtype=dtype)
        sequential = torch.nn.Sequential(*(module(torch, layer) for layer in network.layers)).to(getattr(torch, dtype))
        sequential.load_state_dict({name: torch.tensor(array) for name, array in network.state_dict().items()})
        with torch.no_grad():
            expected = sequential.eval()(torch.tensor(x)).numpy()
        # a few dozen roundings of each dtype
        rtol, atol = (1e-4, 1e-6) if dtype == "float32" else (1e-12, 1e-14)
        np.testing.assert_allclose(network.predict(x), expected, rtol, atol, err_msg=f"{layers}, {output}")


@pytest.mark.parametrize("classes", [True, False])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_loss_of_several_questions_is_the_sum_of_their_cross_entropies(dtype, classes):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    network, x = cases.network_of("deep", cases.GROUPED, dtype=dtype), cases.some((9, cases.INPUTS)).astype(dtype)
    y = cases.LOSSES["cross_entropy"].targets(cases.GROUPED, 9, network.outputs, 1)
    asked = cases.class_indices(cases.GROUPED, y) if classes else y.astype(dtype)
    backward = network.backward(network.forward(x), asked)
    trunk = torch.nn.Sequential(*(module(torch, layer) for layer in network.layers[:-1])).to(getattr(torch, dtype))
    trunk.load_state_dict({name: torch.tensor(array) for name, array in network.state_dict().items()})
    z = trunk(torch.tensor(x))
    targets = torch.tensor(asked).T if classes else torch.tensor(asked).split(network.sizes, dim=1)
    parts = zip(z.split(network.sizes, dim=1), targets, strict=True)
    losses: Any = sum(torch.nn.functional.cross_entropy(part, target, reduction="none") for part, target in parts)
    losses.mean().backward()
    gradient = np.concatenate([param.grad.numpy().ravel() for param in trunk.parameters()])
    rtol = 1e-4 if dtype == "float32" else 1e-11
    np.testing.assert_allclose(backward.losses, losses.detach().numpy(), rtol)
    np.testing.assert_allclose(backward.gradient(), gradient, rtol, rtol * np.abs(gradient).max())
