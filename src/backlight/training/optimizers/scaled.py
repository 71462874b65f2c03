"""Every parameter its own step: adagrad and rmsprop divide the gradient by the root of its squares so far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backlight.arrays import Floats
from backlight.engine import Rule
from backlight.errors import number_within
from backlight.training.optimizers.split import Split


@dataclass(frozen=True)
class Adagrad:
    """Adagrad (Duchi, Hazan and Singer 2011, JMLR 12): −lr g / (√v + eps) with v ← v + g², the sum of all squares.

    Steps only ever become shorter, most where gradients have been large. PyTorch has the same update and default eps.

    Args:
        eps: added to the denominator, outside the root.
        weight_decay: decoupled decay per unit of learning rate.

    Example:
        >>> updates, state = np.empty(2), {"v": np.array([9.0, 0.0])}
        >>> Adagrad(eps=0.0).update(np.array([4.0, -2.0]), state, 1, 0.5, updates, np.empty(2))
        >>> updates.tolist()
        [-0.4, 0.5]
    """

    eps: float = 1e-10
    weight_decay: float = 0.0
    name: ClassVar[str] = "adagrad"
    default_lr: ClassVar[float] = 0.02

    def __post_init__(self) -> None:
        number_within("eps", self.eps, 0, float("inf"))
        number_within("weight_decay", self.weight_decay, 0, float("inf"))

    @property
    def rule(self) -> Rule:
        """The update as the native engine knows it."""
        return Rule(self.name, (self.eps,))

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """The sum of squared gradients, 0."""
        return {"v": np.zeros(size, dtype)}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Bring the sum up to date and write −lr g / (√v + eps) into `updates`."""
        v = state["v"]
        np.multiply(grads, grads, out=scratch)
        np.add(v, scratch, out=v)
        _divide(grads, v, self.eps, lr, updates, scratch)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken: −lr g / (√v + eps), with the v that really occurred. Arguments as for `Adam.split`."""
        return Split(-lr / (np.sqrt(after["v"]) + self.eps))


@dataclass(frozen=True)
class RMSProp:
    """RMSProp (Tieleman and Hinton 2012, lecture 6.5): −lr g / (√v + eps) with v ← b2 v + (1 − b2) g².

    The mean forgets, so that steps need not become ever shorter. b2 is 0.9 as in the lecture; PyTorch calls it `alpha`
    and begins with 0.99.

    Args:
        b2: decay of the mean of squared gradients.
        eps: added to the denominator, outside the root.
        weight_decay: decoupled decay per unit of learning rate.

    Example:
        >>> updates, state = np.empty(1), {"v": np.array([28.0])}
        >>> RMSProp(b2=0.75, eps=0.0).update(np.array([4.0]), state, 1, 0.5, updates, np.empty(1))
        >>> state["v"].tolist(), updates.tolist()
        ([25.0], [-0.4])
    """

    b2: float = 0.9
    eps: float = 1e-8
    weight_decay: float = 0.0
    name: ClassVar[str] = "rmsprop"
    default_lr: ClassVar[float] = 0.001

    def __post_init__(self) -> None:
        number_within("b2", self.b2, 0, 1)
        number_within("eps", self.eps, 0, float("inf"))
        number_within("weight_decay", self.weight_decay, 0, float("inf"))

    @property
    def rule(self) -> Rule:
        """The update as the native engine knows it."""
        return Rule(self.name, (self.b2, self.eps))

    def initial_state(self, size: int, dtype: np.dtype[np.floating]) -> dict[str, Floats]:
        """The mean of squared gradients, 0."""
        return {"v": np.zeros(size, dtype)}

    def update(
        self, grads: Floats, state: Mapping[str, Floats], step: int, lr: float, updates: Floats, scratch: Floats
    ) -> None:
        """Bring the mean up to date and write −lr g / (√v + eps) into `updates`."""
        v = state["v"]
        np.multiply(v, self.b2, out=v)
        np.multiply(grads, grads, out=scratch)
        np.multiply(scratch, 1.0 - self.b2, out=scratch)
        np.add(v, scratch, out=v)
        _divide(grads, v, self.eps, lr, updates, scratch)

    def split(self, before: Mapping[str, Floats], after: Mapping[str, Floats], step: int, lr: float) -> Split:
        """A step that was taken: −lr g / (√v + eps), with the v that really occurred. Arguments as for `Adam.split`."""
        return Split(-lr / (np.sqrt(after["v"]) + self.eps))


def _divide(grads: Floats, v: Floats, eps: float, lr: float, updates: Floats, scratch: Floats) -> None:
    """Write −lr g / (√v + eps) into `updates`."""
    np.sqrt(v, out=scratch)
    np.add(scratch, eps, out=scratch)
    np.divide(grads, scratch, out=updates)
    np.multiply(updates, -lr, out=updates)
