"""The program form of a network: a flat list of operations on one flat parameter array, plain data for any engine."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from backlight.network import Activation, Dense, Dropout, Network, Objective


@dataclass(frozen=True)
class DenseOp:
    """z = a_prev @ W.T + b.

    Attributes:
        layer: the layer's number in the network.
        incoming: i, its incoming units.
        units: j, its units.
        W: where W (j, i), row by row, stands in the parameter array.
        b: where b (j,) stands.
    """

    layer: int
    incoming: int
    units: int
    W: slice
    b: slice


@dataclass(frozen=True)
class ActivationOp:
    """a = f(z) on `units` units; `sizes` are those of a softmax's groups, where it has several."""

    layer: int
    units: int
    function: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class DropoutOp:
    """Units silenced at a rate, on `units` units; in training only."""

    layer: int
    units: int
    rate: float


Op: TypeAlias = DenseOp | ActivationOp | DropoutOp


@dataclass(frozen=True)
class Program:
    """What an engine executes.

    Attributes:
        ops: the operations in forward order.
        objective: the loss and the output that it is computed from.
        inputs: the number of inputs.
        outputs: the number of outputs.
        size: the number of parameters.
        dtype: of parameters and arithmetic.
    """

    ops: tuple[Op, ...]
    objective: Objective
    inputs: int
    outputs: int
    size: int
    dtype: np.dtype[np.floating]

    @property
    def weights(self) -> tuple[slice, ...]:
        """Where the weights (not the biases) stand: what weight decay acts on."""
        return tuple(op.W for op in self.ops if isinstance(op, DenseOp))


def compile_program(network: Network, loss: str | None = None) -> Program:
    """The program of a network and a loss.

    Raises:
        InputError: the loss does not go with the network's output.

    Example:
        >>> from backlight import Network
        >>> program = compile_program(Network.mlp(2, 3, 1, hidden="tanh", output="identity"))
        >>> [type(op).__name__ for op in program.ops], program.size
        (['DenseOp', 'ActivationOp', 'DenseOp'], 13)
    """
    ops: list[Op] = []
    position, units = 0, network.inputs
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Dense):
            units, end = layer.units, position + layer.size
            border = end - units
            ops.append(DenseOp(index, layer.incoming, units, slice(position, border), slice(border, end)))
            position = end
        elif isinstance(layer, Activation):
            ops.append(ActivationOp(index, units, layer.function, layer.sizes))
        elif isinstance(layer, Dropout):
            ops.append(DropoutOp(index, units, layer.rate))
    objective = network.objective(loss)
    return Program(tuple(ops), objective, network.inputs, network.outputs, position, network.dtype)
