"""Trainings whose landscapes are measured, and the cost by definition."""

from pathlib import Path
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.files import Run, Settings, begin, load_for
from backlight.network import Activation, BatchNorm, Dense, LayerNorm, Network
from backlight.network.objective import mean_weights
from backlight.training import Trainer, Training
from tests import cases


def training_of(network: Network, loss: str, output: str, *, n: int = 40, **given: Any) -> Training:
    """A training on made-up examples, of which it learns from some, in a mixed order."""
    y = cases.LOSSES[loss].targets(output, n, network.outputs, 1)
    rows = np.random.default_rng(5).permutation(n)[: n - 7]
    x = cases.some((n, network.inputs), 1)
    weights = given.pop("sample_weight", None)
    return Trainer(network, loss=loss, **given).start(x, y, rows=np.sort(rows), sample_weight=weights)


def cost_by_definition(training: Training, params: Floats) -> float:
    """The weighted mean of losses and the penalties of any parameters, by one forward pass in NumPy."""
    network, examples, rows = training.network.copy(), training.session.examples, training.rows
    network.params[...] = params
    x = network.as_inputs(np.asarray(examples.source.array)[rows])
    losses = network.losses(network.forward(x), examples.targets(rows), training.session.program.objective.loss)
    weights = examples.sample_weight
    shares = mean_weights(len(rows), np.dtype("float64"), None if weights is None else weights[rows])
    dense = [layer.W for index, layer, _ in network.dense_layers() if index not in training.plan.frozen]
    return float(losses.astype(np.float64) @ shares) + training.session.program.objective.penalty(dense)


def networks(dtype: Any = "float64") -> dict[str, Network]:
    """Networks with fewer units than inputs in their first layer, and others."""
    return {
        "one layer": Network([Dense(6, 3), Activation("softmax")], seed=2, dtype=dtype),
        "narrow": Network.mlp(6, 4, 5, 3, hidden="tanh", seed=2, dtype=dtype),
        "wide": Network.mlp(6, 7, 3, seed=2, dtype=dtype),
        "dropped out": Network.mlp(6, 4, 3, dropout=0.5, seed=2, dtype=dtype),
        "nothing between": Network([Dense(6, 4), Dense(4, 3), Activation("softmax")], seed=2, dtype=dtype),
        "layer norm": Network([Dense(6, 4), LayerNorm(4), Activation("relu"), Dense(4, 3)], seed=2, dtype=dtype),
        "batch norm": Network([Dense(6, 4), BatchNorm(4), Activation("relu"), Dense(4, 3)], seed=2, dtype=dtype),
    }


def trained(folder: Path, data: str = "moons", **given: Any) -> Run:
    """A run that has ended."""
    settings = Settings(data, **{"layers": (4,), "epochs": 4, **given})
    conduct = begin(settings, load_for(settings), folder=folder)
    conduct.complete()
    return conduct.run
