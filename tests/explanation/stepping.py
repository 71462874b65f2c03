"""Small trainings, and what each of their steps does to every parameter, simulated from the formulas."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backlight.arrays import Array, Floats
from backlight.explanation.moves import Moves, told
from backlight.explanation.places import Weight
from backlight.explanation.steps import opened_steps
from backlight.files import Run, Settings, begin, load_for
from backlight.network import Draws, Network
from backlight.training import Adagrad, Adam, Momentum, Nesterov, RMSProp, Trainer, Training, replay
from backlight.training.optimizers import Known
from tests import cases

X = cases.some((23, 4), 5)
Y = (X[:, 0] + X[:, 1] ** 2 > 0.8).astype(int) + (X[:, 2] > 0)
LR = 0.05


def started(
    optimizer: Any,
    *,
    dropout: float = 0.0,
    lr: float = LR,
    weights: Array | None = None,
    engine: str = "auto",
    norm: str | None = None,
    **given: Any,
) -> Training:
    """A training in float64 with four steps to an epoch, the last of them short; what is given goes to its trainer."""
    network = Network.mlp(4, 6, 3, hidden="tanh", norm=norm, dropout=dropout, seed=1, dtype="float64")
    trainer = Trainer(network, optimizer=optimizer, lr=lr, batch_size=7, epochs=5, seed=2, engine=engine, **given)
    return trainer.start(X, Y, sample_weight=weights)


def weights_of(training: Training) -> list[Weight]:
    """Some weights and biases of both layers."""
    last = max(index for index, _, _ in training.network.dense_layers())
    return [Weight(0, 2, 1), Weight(0, 5, None), Weight(last, 0, 3), Weight(last, 2, None)]


def opened(training: Training, optimizer: Any, weight: Weight, first: int, last: int) -> Moves:
    """The moves of a training that was just started."""
    replay(training, first)
    steps = list(opened_steps(training, optimizer, weight, last, examples=last == first + 1))
    return told(training, weight, first, steps, ("source", "unit"))


@dataclass
class Simulated:
    """What the steps added to every parameter, each (steps, size), and each step's examples."""

    gradient: list[Floats]
    momentum: list[Floats]
    decay: list[Floats]
    params: list[Floats]
    shares: list[Floats]


def simulated(training: Training, optimizer: Known, steps: int, lr: float = LR) -> Simulated:
    """Steps by the papers' formulas; gradients from one example at a time."""
    network, examples = training.network.copy(), training.session.examples
    given = np.ones(len(Y)) if examples.sample_weight is None else examples.sample_weight
    found = Simulated([], [], [], [network.params.copy()], [])
    m, v = np.zeros_like(network.params), np.zeros_like(network.params)
    decays = np.zeros_like(network.params)
    for _, dense, place in network.dense_layers():
        decays[place.start : place.start + dense.W.size] = lr * optimizer.weight_decay
    for t in range(1, steps + 1):
        stretch = training.stretch(t - 1, 1)
        own = []
        for n in stretch.rows().tolist():
            draws = Draws(training.plan.seed, stretch.epoch, np.array([n]))
            backward = network.backward(network.forward(X[n : n + 1], draws), Y[n : n + 1])
            own.append(given[n] * backward.gradient() / len(stretch.rows()))
        g = np.sum(own, axis=0)
        gain, momentum = np.full_like(g, -lr), np.zeros_like(g)
        if isinstance(optimizer, Adam):
            v = optimizer.b2 * v + (1 - optimizer.b2) * g**2
            d = np.sqrt(v / (1 - optimizer.b2**t)) + optimizer.eps
            gain, carried = -lr * (1 - optimizer.b1) / (1 - optimizer.b1**t) / d, optimizer.b1 * m
            momentum = -lr * carried / (1 - optimizer.b1**t) / d
            m = carried + (1 - optimizer.b1) * g
        elif isinstance(optimizer, Adagrad | RMSProp):
            v = v + g**2 if isinstance(optimizer, Adagrad) else optimizer.b2 * v + (1 - optimizer.b2) * g**2
            gain = -lr / (np.sqrt(v) + optimizer.eps)
        elif isinstance(optimizer, Momentum):
            ahead = optimizer.momentum if isinstance(optimizer, Nesterov) else 0.0
            gain, momentum = -lr * (1 + ahead) * np.ones_like(g), -lr * (ahead or 1.0) * optimizer.momentum * m
            m = optimizer.momentum * m + g
        found.gradient.append(gain * g)
        found.momentum.append(momentum)
        found.decay.append(-decays * network.params)
        found.shares.append(gain * np.array(own))
        network.params += found.gradient[-1] + found.momentum[-1] + found.decay[-1]
        found.params.append(network.params.copy())
    return found


def trained_run(folder: Path, data: str = "digits", **given: Any) -> Run:
    """The folder of a run that has ended."""
    settings = Settings(data, **{"layers": (8,), "epochs": 2, "batch_size": 200, "lr": 0.01, **given})
    conduct = begin(settings, load_for(settings), folder=folder)
    conduct.complete()
    return conduct.run


def write_timing(run: Run, *lines: tuple[int, float]) -> None:
    """Say how long the epochs of a run took: pairs of step and seconds."""
    content = "".join(json.dumps({"epoch": k, "step": s, "seconds": t}) + "\n" for k, (s, t) in enumerate(lines))
    (run.folder / "timing.jsonl").write_text(content, encoding="utf-8")
