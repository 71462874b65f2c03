"""A run's model file is opened by PyTorch alone, and predicts the same there."""

import json

import numpy as np
import pytest
import safetensors

from backlight.files import Run, Settings
from backlight.network.layers import layer_from_dict
from tests.files.made import settings, trained
from tests.network.test_torch import module

pytestmark = pytest.mark.oracle

CASES = {
    "relu, softmax, dropout": settings("digits", layers=(32, 16), dropout=0.2, epochs=2),
    "tanh, regression": settings("REGRESSION", activation="tanh", layers=(16,)),
    "gelu": settings("spiral", activation="gelu"),
    "elu": settings("moons", activation="elu", layers=(8, 8, 8)),
    "leaky_relu, logistic": settings("xor", activation="leaky_relu", output="logistic"),
    "softplus": settings("circles", activation="softplus"),
    "batch normalisation": settings("digits", norm="batch", layers=(32, 16), epochs=2),
    "layer normalisation": settings("spiral", norm="layer", activation="elu"),
    "classic": Settings.classic("digits", epochs=2),
}


@pytest.mark.parametrize("case", CASES)
def test_sequential_loads_the_file_by_state_dict_and_predicts_the_same(case, tmp_path):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from safetensors.torch import load_file

    wanted = CASES[case]
    if wanted.data == "REGRESSION":
        x = np.random.default_rng(0).normal(size=(200, 3))
        np.savez(tmp_path / "made.npz", x=x, y=x @ [1.0, -2.0, 0.5] + 3)
        wanted = settings(tmp_path / "made.npz", activation="tanh", layers=(16,))
    trained(tmp_path / "run", wanted)
    path = tmp_path / "run" / "model.safetensors"
    with safetensors.safe_open(path, "numpy") as file:
        layers = json.loads(file.metadata()["backlight"])["layers"]
    sequential = torch.nn.Sequential(*(module(torch, layer_from_dict(layer)) for layer in layers))
    sequential.load_state_dict(load_file(path))
    run = Run.open(tmp_path / "run")
    inputs, _ = run.dataset().part("test")
    with torch.no_grad():
        expected = sequential.eval()(torch.tensor(inputs)).numpy()
    # two float32 implementations of a few layers: some tens of roundings of numbers around 1
    np.testing.assert_allclose(run.model().network.predict(inputs), expected, rtol=1e-5, atol=1e-5)
