"""Optimizers: from gradients to updates, the signed amounts that a step adds to the parameters.

An optimizer never touches parameters. With g the gradient, t = 1, 2, … the step and θ the parameters, each adds

| name | update | state |
|---|---|---|
| `sgd` | −lr g | – |
| `momentum` | −lr u with u ← momentum · u + g | `velocity` u |
| `adam` | −lr m̂ / (√v̂ + eps) | `m` ← b1 m + (1 − b1) g, `v` ← b2 v + (1 − b2) g² |

with m̂ = m / (1 − b1ᵗ) and v̂ = v / (1 − b2ᵗ),

and decoupled weight decay, −lr · weight_decay · W, to the weights but not to the biases (Loshchilov and Hutter,
arXiv:1711.05101; PyTorch's AdamW decays biases as well).
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Final

import numpy as np

from backlight.arrays import Floats
from backlight.engine import Rule
from backlight.errors import InputError, nearest, number_within


@dataclass(frozen=True)
class Split:
    """A step's update, weight decay apart, told as `gain · g + carried`: linear in the step's gradient g.

    Attributes:
        gain: what the step multiplied its gradient with, shaped as the state, or one number for all.
        carried: what came from earlier steps, shaped as the state; None where the optimizer carries nothing.
    """

    gain: Floats | float
    carried: Floats | None = None


@dataclass(frozen=True)
class SGD:
    """Plain gradient descent (Robbins and Monro 1951).

    Args:
        weight_decay: decoupled decay per unit of learning rate.

    Example:
        >>> updates = np.empty(2)
        >>> SGD().update(np.array([1.0, -2.0]), {}, 0, 0.1, updates, np.empty(2))
        >>> updates.tolist()
        [-0.1, 0.2]
    """

    weight_decay: float = 0.0
    name: ClassVar[str] = "sgd"
    default_lr: ClassVar[float] = 0.1

    def __post_init__(self) -> None:
        number_within("weight_decay", self.weight_decay, 0, float("inf"))

    @property
    def rule(self) -> Rule:
        """The update as the native engine knows it."""
        return Rule(self.name)

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """Nothing is kept from step to step."""
        return {}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Write −lr g into `updates`."""
        np.multiply(grads, -lr, out=updates)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken: −lr · g. Arguments as for `Adam.split`."""
        return Split(-lr)


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum (Polyak 1964), in the form of Sutskever and others 2013 that PyTorch uses.

    Args:
        momentum: how much of the velocity a step carries on.
        weight_decay: decoupled decay per unit of learning rate.
    """

    momentum: float = 0.9
    weight_decay: float = 0.0
    name: ClassVar[str] = "momentum"
    default_lr: ClassVar[float] = 0.02

    def __post_init__(self) -> None:
        number_within("momentum", self.momentum, 0, 1)
        number_within("weight_decay", self.weight_decay, 0, float("inf"))

    @property
    def rule(self) -> Rule:
        """The update as the native engine knows it."""
        return Rule(self.name, (self.momentum,))

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """The velocity, at rest."""
        return {"velocity": np.zeros(size, dtype)}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Bring the velocity up to date and write −lr · velocity into `updates`."""
        velocity = state["velocity"]
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, grads, out=velocity)
        np.multiply(velocity, -lr, out=updates)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken: −lr · g − lr · momentum · u, with u from before it. Arguments as for `Adam.split`."""
        return Split(-lr, -lr * self.momentum * before["velocity"])


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, arXiv:1412.6980), with decoupled weight decay.

    Args:
        b1: decay of the mean of gradients.
        b2: decay of the mean of squared gradients.
        eps: added to the denominator, outside the root.
        weight_decay: decoupled decay per unit of learning rate.
    """

    b1: float = 0.9
    b2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.0
    name: ClassVar[str] = "adam"
    default_lr: ClassVar[float] = 0.001

    def __post_init__(self) -> None:
        number_within("b1", self.b1, 0, 1)
        number_within("b2", self.b2, 0, 1)
        number_within("eps", self.eps, 0, float("inf"))
        number_within("weight_decay", self.weight_decay, 0, float("inf"))

    @property
    def rule(self) -> Rule:
        """The update as the native engine knows it."""
        return Rule(self.name, (self.b1, self.b2, self.eps))

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """The means of gradients and of their squares, both 0."""
        return {"m": np.zeros(size, dtype), "v": np.zeros(size, dtype)}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Bring both means up to date and write −lr m̂ / (√v̂ + eps) into `updates`."""
        m, v, t = state["m"], state["v"], step + 1
        np.multiply(m, self.b1, out=m)
        np.multiply(grads, 1.0 - self.b1, out=scratch)
        np.add(m, scratch, out=m)
        np.multiply(v, self.b2, out=v)
        np.multiply(grads, grads, out=scratch)
        np.multiply(scratch, 1.0 - self.b2, out=scratch)
        np.add(v, scratch, out=v)
        np.multiply(v, 1.0 / (1.0 - self.b2**t), out=scratch)
        np.sqrt(scratch, out=scratch)
        np.add(scratch, self.eps, out=scratch)
        np.divide(m, scratch, out=updates)
        np.multiply(updates, -lr / (1.0 - self.b1**t), out=updates)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken, with the denominators d = (1 − b1ᵗ)(√v̂ + eps) that really occurred.

        −lr (1 − b1) g / d − lr b1 m / d, with m from before the step and v̂ from after it. What the gradient did to
        d itself is not told apart.

        Args:
            before: the optimizer's arrays before the step, whole or for some parameters only.
            after: the same arrays after it.
            step: how many steps had been taken before it.
            lr: the learning rate.
        """
        t = step + 1
        d = (1.0 - self.b1**t) * (np.sqrt(after["v"] / (1.0 - self.b2**t)) + self.eps)
        return Split(-lr * (1.0 - self.b1) / d, -lr * self.b1 * before["m"] / d)


OPTIMIZERS: Final[dict[str, Callable[..., SGD | Momentum | Adam]]] = {
    "sgd": SGD,
    "momentum": Momentum,
    "adam": Adam,
}


def make_optimizer(name: str, **settings: float) -> SGD | Momentum | Adam:
    """The optimizer of that name.

    Args:
        name: "sgd", "momentum" or "adam".
        **settings: its hyperparameters, by the names in its class.

    Raises:
        InputError: the name is unknown, a setting is not one of that optimizer, or its value is out of range.

    Example:
        >>> make_optimizer("momentum", momentum=0.8)
        Momentum(momentum=0.8, weight_decay=0.0)
    """
    if name not in OPTIMIZERS:
        raise InputError(f"there is no optimizer {name!r}; {nearest(name, list(OPTIMIZERS))}")
    kind = OPTIMIZERS[name]
    known = list(asdict(kind()))
    for setting in settings:
        if setting not in known:
            raise InputError(f"the optimizer {name} has no setting {setting!r}; it has {', '.join(known)}")
    return kind(**settings)
