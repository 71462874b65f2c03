"""Adam, and Adam with weight decay."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from backlight.arrays import Floats
from backlight.engine import Rule
from backlight.errors import number_within
from backlight.training.optimizers.split import Split


@dataclass(frozen=True)
class Adam:
    """Adam (Kingma and Ba, arXiv:1412.6980): momentum of RMSProp's steps, both means freed of their beginning at 0.

    Its weight decay is decoupled, as in AdamW; PyTorch's Adam adds a penalty to the gradient instead.

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
        return Rule("adam", (self.b1, self.b2, self.eps))

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


@dataclass(frozen=True)
class AdamW(Adam):
    """AdamW (Loshchilov and Hutter, arXiv:1711.05101): Adam with a weight decay of 0.01 unless it is given.

    As with every optimizer here the decay is −lr · weight_decay · W, decoupled from the gradient, and acts on weights
    only; PyTorch's AdamW, whose default is 0.01 too, decays biases as well. Arguments as for `Adam`.

    Example:
        >>> AdamW()
        AdamW(b1=0.9, b2=0.999, eps=1e-08, weight_decay=0.01)
    """

    weight_decay: float = 0.01
    name: ClassVar[str] = "adamw"
