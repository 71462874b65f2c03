"""The workloads: which network is trained how, and how much arithmetic one step of it is."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from backlight.errors import InputError, nearest
from backlight.network import Network


@dataclass(frozen=True)
class Workload:
    """A network and how it is trained: float32, plain gradient descent, a constant learning rate.

    Attributes:
        name: by which it is asked for.
        widths: of inputs, hidden layers and outputs.
        hidden: the activation of the hidden layers.
        output: the activation of the last layer; its own loss goes with it.
        batch_size: examples per step.
        lr: the learning rate.
    """

    name: str
    widths: tuple[int, ...]
    hidden: str
    output: str
    batch_size: int
    lr: float = 0.1

    @property
    def loss(self) -> str:
        """`squared` for a sigmoid output, `cross_entropy` for softmax."""
        return "squared" if self.output == "sigmoid" else "cross_entropy"

    @property
    def flops_per_step(self) -> int:
        """Floating-point operations of the matrix products of one training step.

        2 n i j for the forward pass of a layer, as many for the gradient of its weights, and, in every layer but the
        first, as many for the slope in its incoming activations.

        Example:
            >>> Workload("", (784, 128, 64, 10), "relu", "softmax", 100).flops_per_step
            45440000
        """
        products = [2 * self.batch_size * i * j for i, j in pairwise(self.widths)]
        return 3 * sum(products) - products[0]

    def network(self) -> Network:
        """The untrained network, the same each time."""
        return Network.mlp(*self.widths, hidden=self.hidden, output=self.output, seed=0)

    def __str__(self) -> str:
        widths = "-".join(map(str, self.widths))
        return f"{widths} {self.hidden}, {self.loss.replace('_', '-')}, batch {self.batch_size}"


WORKLOADS: Final = {
    workload.name: workload
    for workload in (
        Workload("A", (784, 16, 16, 10), "sigmoid", "sigmoid", 100, 0.3),
        Workload("B", (784, 128, 64, 10), "relu", "softmax", 100),
        Workload("C", (784, 512, 512, 10), "relu", "softmax", 256),
        Workload("D", (784, 2048, 2048, 10), "relu", "softmax", 512),
        Workload("E", (784, 30, 10), "sigmoid", "sigmoid", 1),
    )
}
"""What training is measured on, by name."""


def workloads_named(names: str) -> list[Workload]:
    """The workloads of a list such as "A,B".

    Raises:
        InputError: there is no such workload.

    Example:
        >>> [workload.name for workload in workloads_named("b,A")]
        ['B', 'A']
    """
    found = []
    for name in (part.strip().upper() for part in names.split(",")):
        if name not in WORKLOADS:
            raise InputError(f"there is no workload {name!r}; {nearest(name, list(WORKLOADS))}")
        if WORKLOADS[name] not in found:
            found.append(WORKLOADS[name])
    return found
