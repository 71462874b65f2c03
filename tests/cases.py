"""One table of cases per kind. Every case of a kind goes through the same tests, and none may be missing."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlight.network import Activation, BatchNorm, Dense, Dropout, LayerNorm, Network
from backlight.network.layers import Layer
from backlight.randomness import Purpose, normals, uniforms
from backlight.training import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    EpochRecord,
    Momentum,
    Nesterov,
    Patience,
    RMSProp,
    StoppingRule,
    Until,
)
from backlight.training.optimizers import Known
from backlight.training.stopping import AfterEpochs

Float64s = NDArray[np.float64]
INPUTS, HIDDEN, OUTPUTS = 5, 6, 3


def some(shape: tuple[int, ...], seed: int = 0, scale: float = 1.0) -> Float64s:
    """Standard normal numbers, times a scale."""
    return scale * normals(seed, Purpose.GENERATION, math.prod(shape), place=(7, 7)).reshape(shape)


# activations: the definition, on one number -------------------------------------------------------------------------


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


ACTIVATIONS: dict[str, Callable[[float], float]] = {
    "identity": lambda z: z,
    "sigmoid": _sigmoid,
    "logistic": _sigmoid,
    "tanh": math.tanh,
    "relu": lambda z: max(z, 0.0),
    "leaky_relu": lambda z: z if z > 0 else 0.01 * z,
    "elu": lambda z: z if z > 0 else math.expm1(z),
    "gelu": lambda z: z * 0.5 * math.erfc(-z / math.sqrt(2)),
    "softplus": lambda z: math.log1p(math.exp(z)) if z < 30 else z,
    "exponential": math.exp,
}

# losses: the outputs that each goes with, the definition on one example, and targets that it can be given -----------


GROUPED = "softmax in groups"
"""Not a function of its own, but a softmax with `group_sizes`."""


def group_sizes(output: str, outputs: int) -> tuple[int, ...]:
    """How many outputs each group has: none where the output is not in groups, else two or three, of 2 and others."""
    if output != GROUPED:
        return ()
    return (2, outputs - 2) if outputs < 6 else (2, outputs - 4, 2)


def ending(output: str, outputs: int) -> Activation:
    """The last layer of a network with that output."""
    return Activation("softmax" if output == GROUPED else output, sizes=group_sizes(output, outputs))


def class_indices(output: str, y: Float64s) -> NDArray[np.int64]:
    """The class of largest probability: (n,), or one per group (n, k)."""
    sizes = group_sizes(output, y.shape[1])
    if not sizes:
        return np.asarray(y.argmax(axis=1))
    return np.stack([part.argmax(axis=1) for part in np.split(y, np.cumsum(sizes)[:-1], axis=1)], axis=1)


def _cross_entropy(output: str, a: Float64s, y: Float64s) -> float:
    if output in ("softmax", GROUPED):
        return float(-(y * np.log(a)).sum())
    return float(-(y * np.log(a) + (1 - y) * np.log(1 - a)).sum())


def _huber(e: Float64s) -> float:
    return float(np.where(abs(e) <= 1, e * e / 2, abs(e) - 0.5).sum())


@dataclass(frozen=True)
class LossCase:
    """A loss, by its definition.

    Attributes:
        outputs: the outputs that it is defined for.
        value: `value(output, a, y)`, the loss of one example.
        targets: `targets(output, n, j, seed)`, targets (n, j) that it can be given.
    """

    outputs: tuple[str, ...]
    value: Callable[[str, Float64s, Float64s], float]
    targets: Callable[[str, int, int, int], Float64s]


def _values(output: str, n: int, j: int, seed: int) -> Float64s:
    return some((n, j), seed + 100, 1.5)


def _probabilities(output: str, n: int, j: int, seed: int) -> Float64s:
    p = uniforms(seed, Purpose.GENERATION, n * j, place=(8, 8)).reshape(n, j)
    if output == GROUPED:
        parts = np.split(p, np.cumsum(group_sizes(output, j))[:-1], axis=1)
        return np.concatenate([_normalised(part) for part in parts], axis=1)
    return _normalised(p) if output == "softmax" else p


def _normalised(p: Float64s) -> Float64s:
    return np.asarray(p / p.sum(axis=1, keepdims=True))


def _counts(output: str, n: int, j: int, seed: int) -> Float64s:
    return np.floor(4 * uniforms(seed, Purpose.GENERATION, n * j, place=(9, 9))).reshape(n, j)


ALL_OUTPUTS = (*ACTIVATIONS, "softmax")
LOSSES: dict[str, LossCase] = {
    "squared": LossCase(ALL_OUTPUTS, lambda output, a, y: float(((a - y) ** 2).sum() / 2), _values),
    "absolute": LossCase(ALL_OUTPUTS, lambda output, a, y: float(abs(a - y).sum()), _values),
    "huber": LossCase(ALL_OUTPUTS, lambda output, a, y: _huber(a - y), _values),
    "poisson": LossCase(
        ("exponential", "softplus", "sigmoid", "logistic"),
        lambda output, a, y: float((a - y * np.log(a)).sum()),
        _counts,
    ),
    "cross_entropy": LossCase(("softmax", "logistic", "sigmoid"), _cross_entropy, _probabilities),
}
PAIRS = [(output, loss) for loss, case in LOSSES.items() for output in case.outputs]
ENDINGS = [*PAIRS, *((GROUPED, loss) for loss, case in LOSSES.items() if "softmax" in case.outputs)]
REFUSED_PAIRS = [
    (output, loss) for loss, case in LOSSES.items() for output in ALL_OUTPUTS if output not in case.outputs
]

# layers: what may stand between INPUTS inputs and the last dense layer, which takes HIDDEN units ---------------------

LAYERS: dict[str, Callable[[], list[Layer]]] = {
    "dense": lambda: [Dense(INPUTS, HIDDEN)],
    "dropout": lambda: [Dense(INPUTS, HIDDEN), Activation("tanh"), Dropout(0.3)],
    "dropout before activation": lambda: [Dense(INPUTS, HIDDEN), Dropout(0.5), Activation("gelu"), Dropout(0.1)],
    "deep": lambda: [
        *(Dense(INPUTS, 4), Activation("tanh"), Dense(4, 7), Activation("softplus"), Dense(7, 3)),
        *(Activation("elu"), Dense(3, 4), Activation("sigmoid"), Dense(4, HIDDEN), Activation("leaky_relu")),
    ],
    "batch norm": lambda: [
        *(Dense(INPUTS, 7), BatchNorm(7), Activation("tanh"), Dropout(0.3)),
        *(Dense(7, HIDDEN), BatchNorm(HIDDEN, eps=1e-3, momentum=0.3), Activation("gelu")),
    ],
    "layer norm": lambda: [
        *(Dense(INPUTS, 7), LayerNorm(7), Activation("sigmoid"), Dropout(0.3)),
        *(Dense(7, HIDDEN), LayerNorm(HIDDEN, eps=1e-3), Activation("gelu")),
    ],
    "both norms": lambda: [
        *(Dense(INPUTS, 4), BatchNorm(4), Dense(4, 3), LayerNorm(3), Activation("softplus"), Dense(3, HIDDEN)),
    ],
    **{
        f"activation {name}": lambda name=name: [Dense(INPUTS, HIDDEN), Activation(name)]  # type: ignore[misc]
        for name in ACTIVATIONS
    },
}


def network_of(
    layers: str, output: str, *, outputs: int | None = None, seed: int = 3, dtype: Any = "float64"
) -> Network:
    """A network with the layers of that case and an output; its biases, too, are not 0, and no norm is as it begins."""
    outputs = outputs or (6 if output == GROUPED else OUTPUTS)
    network = Network([*LAYERS[layers](), Dense(HIDDEN, outputs), ending(output, outputs)], seed=seed, dtype=dtype)
    for _, layer, _ in network.dense_layers():
        layer.b[...] = some(layer.b.shape, seed + layer.units, 0.3)
    for index, norm, _ in network.norm_layers():
        norm.scale += some(norm.scale.shape, index, 0.2)
        norm.shift[...] = some(norm.shift.shape, index + 1, 0.3)
        if isinstance(norm, BatchNorm):
            norm.running_mean[...] = some(norm.shift.shape, index + 2, 0.3)
            norm.running_var *= 1 + np.abs(some(norm.shift.shape, index + 3, 0.5))
    return network


# initializers: the variance of a weight with i incoming units and j units, and the shape of its density --------------

INITIALIZERS: dict[str, tuple[Callable[[int, int], float], str]] = {
    "small_normal": (lambda i, j: 0.01, "normal"),
    "small_uniform": (lambda i, j: 0.01, "uniform"),
    "lecun_normal": (lambda i, j: 1 / i, "normal"),
    "lecun_uniform": (lambda i, j: 1 / i, "uniform"),
    "glorot_normal": (lambda i, j: 2 / (i + j), "normal"),
    "glorot_uniform": (lambda i, j: 2 / (i + j), "uniform"),
    "he_normal": (lambda i, j: 2 / i, "normal"),
    "he_uniform": (lambda i, j: 2 / i, "uniform"),
}

# optimizers: the update as its paper writes it, from all gradients up to now -----------------------------------------


@dataclass(frozen=True)
class OptimizerCase:
    """An optimizer, and its update by definition.

    Attributes:
        optimizer: the optimizer.
        lr: a learning rate that suits it.
        update: `update(gradients so far, lr)`, without weight decay.
    """

    optimizer: Known
    lr: float
    update: Callable[[list[Float64s], float], Float64s]


def _sgd(gs: list[Float64s], lr: float) -> Float64s:
    return -lr * gs[-1]


def _momentum(carry: float) -> Callable[[list[Float64s], float], Float64s]:
    def update(gs: list[Float64s], lr: float) -> Float64s:
        velocity: Float64s = sum((carry**age * g for age, g in enumerate(reversed(gs))), np.zeros_like(gs[0]))
        return -lr * velocity

    return update


def _nesterov(carry: float) -> Callable[[list[Float64s], float], Float64s]:
    def update(gs: list[Float64s], lr: float) -> Float64s:
        return -lr * gs[-1] + carry * _momentum(carry)(gs, lr)

    return update


def _adagrad(eps: float) -> Callable[[list[Float64s], float], Float64s]:
    def update(gs: list[Float64s], lr: float) -> Float64s:
        return -lr * gs[-1] / (np.sqrt(sum((g**2 for g in gs), np.zeros_like(gs[0]))) + eps)

    return update


def _rmsprop(b2: float, eps: float) -> Callable[[list[Float64s], float], Float64s]:
    def update(gs: list[Float64s], lr: float) -> Float64s:
        v = sum(((1 - b2) * b2**age * g**2 for age, g in enumerate(reversed(gs))), np.zeros_like(gs[0]))
        return -lr * gs[-1] / (np.sqrt(v) + eps)

    return update


def _adam(b1: float, b2: float, eps: float) -> Callable[[list[Float64s], float], Float64s]:
    def update(gs: list[Float64s], lr: float) -> Float64s:
        zero, t = np.zeros_like(gs[0]), len(gs)
        m: Float64s = sum(((1 - b1) * b1**age * g for age, g in enumerate(reversed(gs))), zero) / (1 - b1**t)
        v: Float64s = sum(((1 - b2) * b2**age * g**2 for age, g in enumerate(reversed(gs))), zero) / (1 - b2**t)
        return -lr * m / (np.sqrt(v) + eps)

    return update


OPTIMIZERS: dict[str, OptimizerCase] = {
    "sgd": OptimizerCase(SGD(), 0.1, _sgd),
    "sgd with decay": OptimizerCase(SGD(weight_decay=0.05), 0.1, _sgd),
    "momentum": OptimizerCase(Momentum(), 0.02, _momentum(0.9)),
    "momentum with decay": OptimizerCase(Momentum(0.5, weight_decay=0.05), 0.02, _momentum(0.5)),
    "nesterov": OptimizerCase(Nesterov(), 0.02, _nesterov(0.9)),
    "nesterov with decay": OptimizerCase(Nesterov(0.5, weight_decay=0.05), 0.02, _nesterov(0.5)),
    "adagrad": OptimizerCase(Adagrad(), 0.02, _adagrad(1e-10)),
    "adagrad with decay": OptimizerCase(Adagrad(1e-3, weight_decay=0.05), 0.02, _adagrad(1e-3)),
    "rmsprop": OptimizerCase(RMSProp(), 0.01, _rmsprop(0.9, 1e-8)),
    "rmsprop with decay": OptimizerCase(RMSProp(0.8, 1e-4, weight_decay=0.05), 0.01, _rmsprop(0.8, 1e-4)),
    "adam": OptimizerCase(Adam(), 0.01, _adam(0.9, 0.999, 1e-8)),
    "adam with decay": OptimizerCase(Adam(0.8, 0.9, 1e-4, weight_decay=0.05), 0.01, _adam(0.8, 0.9, 1e-4)),
    "adamw": OptimizerCase(AdamW(), 0.01, _adam(0.9, 0.999, 1e-8)),
}

# schedules: the factor by its definition, of a step s, with S steps to an epoch and T in all ----------------------


def _warm(epochs: int, then: Callable[[int, int, int], float]) -> Callable[[int, int, int], float]:
    def factor(s: int, S: int, T: int) -> float:
        return (s + 1) / (epochs * S) if s < epochs * S else then(s - epochs * S, S, T - epochs * S)

    return factor


def _half_cosine(start: float, end: float, share: float) -> float:
    return (start + end) / 2 + (start - end) / 2 * math.cos(math.pi * share)


def _one_cycle(s: int, S: int, T: int) -> float:
    peak = 0.3 * T - 1
    if s <= peak:
        return _half_cosine(0.04, 1.0, s / peak)
    return _half_cosine(1.0, 4e-6, (s - peak) / (T - 1 - peak))


SCHEDULES: dict[str, Callable[[int, int, int], float]] = {
    "constant": lambda s, S, T: 1.0,
    "step=2:0.9": lambda s, S, T: 0.9 ** (s // (2 * S)),
    "1/t=3": lambda s, S, T: 3 * S / (3 * S + s),
    "cosine": lambda s, S, T: math.cos(math.pi * s / T / 2) ** 2,
    "one-cycle": _one_cycle,
    "plateau=1:0.5": lambda s, S, T: 1.0,  # while nothing is cut
    "warmup=3": _warm(3, lambda s, S, T: 1.0),
    "warmup=1,step=2:0.9": _warm(1, lambda s, S, T: 0.9 ** (s // (2 * S))),
    "warmup=2,plateau=1:0.5": _warm(2, lambda s, S, T: 1.0),
    "warmup=3,cosine": _warm(3, lambda s, S, T: math.cos(math.pi * s / T / 2) ** 2),
}

# what is done with gradients besides the optimizer's update -----------------------------------------------------------


@dataclass(frozen=True)
class Regularization:
    """Penalties, smoothing of labels, clipping and averaging, as `Objective` and `Task` have them."""

    l1: float = 0.0
    l2: float = 0.0
    smoothing: float = 0.0
    clip: float | None = None
    clip_examples: float | None = None
    average: float | None = None


REGULARIZATIONS: dict[str, Regularization] = {
    "l1": Regularization(l1=0.02),
    "l2": Regularization(l2=0.1),
    "smoothed labels": Regularization(smoothing=0.2),
    "clipped": Regularization(clip=0.05),
    "never clipped": Regularization(clip=1e9, clip_examples=1e9),
    "clipped examples": Regularization(clip_examples=0.3),
    "averaged": Regularization(average=0.7),
    "penalised and clipped": Regularization(l1=0.02, l2=0.1, clip=0.1),
    "all of it": Regularization(0.01, 0.05, 0.1, 0.1, 0.3, 0.9),
}

# stopping rules: a record that they let pass, one that they stop at, and why ------------------------------------------


def epoch_record(epoch: int, train: float, validation: float | None = None, best: int | None = None) -> EpochRecord:
    """The record of an epoch of ten steps whose only metric is the loss."""
    return EpochRecord(
        epoch, 10 * epoch, {"loss": train}, None if validation is None else {"loss": validation}, best, 0.0
    )


STOPPING_RULES: dict[str, tuple[StoppingRule, EpochRecord, EpochRecord, str]] = {
    "after epochs": (AfterEpochs(5), epoch_record(4, 0.1), epoch_record(5, 0.1), "5 epochs were asked for"),
    "after one epoch": (AfterEpochs(1), epoch_record(0, 0.1), epoch_record(1, 0.1), "1 epoch was asked for"),
    "until, on training": (
        *(Until("loss<0.05"), epoch_record(2, 0.05), epoch_record(3, 0.0499)),
        "loss is 0.0499 on training: loss<0.05 was asked for",
    ),
    "until, on validation": (
        *(Until(" loss <= 5e-2 "), epoch_record(2, 0.01, 0.06), epoch_record(3, 0.9, 0.05)),
        "loss is 0.05 on validation:  loss <= 5e-2  was asked for",
    ),
    "until above": (
        *(Until("loss>1"), epoch_record(2, 1.0), epoch_record(3, 2.0)),
        "loss is 2 on training: loss>1 was asked for",
    ),
    "until at least": (
        *(Until("loss>=1"), epoch_record(2, 0.5), epoch_record(3, 1.0)),
        "loss is 1 on training: loss>=1 was asked for",
    ),
    "patience": (
        *(Patience(3), epoch_record(6, 0.1, 0.2, 4), epoch_record(7, 0.1, 0.2, 4)),
        "no better on validation since epoch 4: a patience of 3 epochs was asked for",
    ),
}

# augmentations: kinds and numbers, of images and of tables ------------------------------------------------------------

IMAGE_AUGMENTATIONS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "rotate": {"rotate": 30},
    "rotate all the way": {"rotate": 180},
    "scale": {"scale": 0.4},
    "shear": {"shear": 25},
    "shift": {"shift": 2.5},
    "flip": {"flip": 0.5},
    "elastic": {"elastic": (34, 4)},
    "elastic without smoothing": {"elastic": (0.7, 0.1)},
    "elastic beyond the image": {"elastic": (90, 9)},
    "noise": {"noise": 0.2},
    "erase": {"erase": 0.6},
    "affine": {"rotate": 12, "scale": 0.15, "shift": 2},
    "all": {
        "rotate": 15,
        "scale": 0.2,
        "shear": 10,
        "shift": 1,
        "flip": 0.5,
        "elastic": (20, 3),
        "noise": 0.1,
        "erase": 0.3,
    },
}
TABLE_AUGMENTATIONS: dict[str, dict[str, Any]] = {
    "noise": {"noise": 0.3},
    "columns": {"columns": 0.4},
    "both": {"noise": 0.1, "columns": 0.2},
}

# engines --------------------------------------------------------------------------------------------------------------

ENGINES = ("native", "reference")
