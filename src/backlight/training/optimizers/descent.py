"""Gradient descent: plain, with momentum, and with momentum that looks ahead."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backlight.arrays import Floats
from backlight.engine import Rule
from backlight.errors import number_within
from backlight.training.optimizers.split import Split


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
class Nesterov(Momentum):
    """Nesterov's momentum (1983), in the form of Sutskever and others 2013 (section 2) that PyTorch uses.

    −lr (g + momentum · u) with u ← momentum · u + g: the step is taken with the velocity as it will have become, so
    that a velocity that has grown too large is braked a step earlier. Arguments as for `Momentum`.

    Example:
        >>> updates, state = np.empty(1), {"velocity": np.array([1.0])}
        >>> Nesterov(0.5).update(np.array([2.0]), state, 1, 0.1, updates, np.empty(1))
        >>> state["velocity"].tolist(), updates.tolist()
        ([2.5], [-0.325])
    """

    name: ClassVar[str] = "nesterov"

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Bring the velocity up to date and write −lr (g + momentum · velocity) into `updates`."""
        velocity = state["velocity"]
        np.multiply(velocity, self.momentum, out=velocity)
        np.add(velocity, grads, out=velocity)
        np.multiply(velocity, self.momentum, out=updates)
        np.add(updates, grads, out=updates)
        np.multiply(updates, -lr, out=updates)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken: −lr (1 + momentum) g − lr · momentum² · u, with u from before it."""
        return Split(-lr * (1.0 + self.momentum), -lr * self.momentum**2 * before["velocity"])
