"""The program form of a network: a flat list of operations on one flat parameter array, plain data for any engine."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from backlight.network import Activation, BatchNorm, Dense, Dropout, Network, Objective


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


@dataclass(frozen=True)
class NormOp:
    """The pre-activations of the dense layer before, normalised; see `backlight.network.normalisation`.

    Attributes:
        layer: the layer's number in the network; that of its dense layer is one less.
        units: j.
        batches: whether each unit is normalised over the examples of a batch, and not each example over its units.
        scale: where the scale (j,) stands in the parameter array; the shift follows, and then, where batches are
            normalised, the running means and variances.
        eps: added to the variance.
        momentum: the share of a batch in the running statistics.
    """

    layer: int
    units: int
    batches: bool
    scale: slice
    eps: float
    momentum: float

    @property
    def shift(self) -> slice:
        """Where the shift (j,) stands."""
        return slice(self.scale.stop, self.scale.stop + self.units)

    @property
    def statistics(self) -> tuple[slice, slice]:
        """Where running means and variances (j,) stand; empty places where no batches are normalised."""
        first, units = self.shift.stop, self.units * self.batches
        return slice(first, first + units), slice(first + units, first + 2 * units)


Op: TypeAlias = DenseOp | ActivationOp | DropoutOp | NormOp


@dataclass(frozen=True)
class Program:
    """What an engine executes.

    Attributes:
        ops: the operations in forward order.
        objective: the loss and the output that it is computed from.
        inputs: the number of inputs.
        outputs: the number of outputs.
        size: the number of parameters, running statistics included.
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

    @property
    def norms(self) -> tuple[NormOp, ...]:
        """The normalisations, in forward order."""
        return tuple(op for op in self.ops if isinstance(op, NormOp))

    @property
    def coupled(self) -> bool:
        """Whether an example's output depends on its whole batch, in training."""
        return any(op.batches for op in self.norms)

    def statistics(self, frozen: frozenset[int] = frozenset()) -> tuple[slice, ...]:
        """Where running statistics stand, but for those behind frozen dense layers, which stay as they are."""
        return tuple(place for op in self.norms if op.layer - 1 not in frozen for place in op.statistics)

    def kept(self, frozen: frozenset[int]) -> tuple[slice, ...]:
        """Where the parameters stand that no gradient moves: those of frozen dense layers, and running statistics."""
        layers = (op for op in self.ops if isinstance(op, DenseOp) and op.layer in frozen)
        return (*map(self.learnt_with, layers), *self.statistics())

    def learnt_with(self, dense: DenseOp) -> slice:
        """Where the parameters stand that a dense layer's learning rate is for: with its normalisation's."""
        own = next((op.shift for op in self.norms if op.layer == dense.layer + 1), dense.b)
        return slice(dense.W.start, own.stop)


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
        else:
            momentum = layer.momentum if isinstance(layer, BatchNorm) else 0.0
            scale = slice(position, position + units)
            ops.append(NormOp(index, units, isinstance(layer, BatchNorm), scale, layer.eps, momentum))
            position += layer.size
    objective = network.objective(loss)
    return Program(tuple(ops), objective, network.inputs, network.outputs, position, network.dtype)
