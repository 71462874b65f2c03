"""A feed-forward network: layers in a row, and one flat array that holds all their parameters."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np

from backlight.arrays import Array, FloatName, Floats, aligned_zeros
from backlight.errors import InputError
from backlight.network.initializers import suited_initializer
from backlight.network.layers import Activation, Dense, DenseGrads, Draws, Dropout, Layer, layer_from_dict
from backlight.network.losses import default_loss
from backlight.network.objective import Objective, check_targets, encode_targets
from backlight.network.trace import Backward, Trace

_CHUNK = 4096


class Network:
    """Layers in a row.

    Args:
        layers: `Dense`, `Activation` and `Dropout`, in order; a softmax only as the last.
        seed: of the initial weights; the same seed gives the same bits. None leaves all parameters at 0, for those
            that will be given.
        dtype: "float32" or "float64".

    Attributes:
        layers: the layers; each dense layer's `W` and `b` are views into `params`.
        params: all parameters, flat, layer by layer: W row by row, then b.

    Raises:
        InputError: the widths of neighbours differ, or there is no dense layer, or a softmax's groups do not add up.

    Example:
        >>> from backlight import Network
        >>> network = Network.mlp(2, 3, 1, hidden="tanh", output="identity", seed=0)
        >>> network.params.shape, network.layers[0].W.shape
        ((13,), (3, 2))
        >>> trace = network.forward([[0.5, -1.0]])
        >>> backward = network.backward(trace, [1.0])
        >>> backward.losses.shape, backward.gradient().shape
        ((1,), (13,))
    """

    def __init__(self, layers: Sequence[Layer], *, seed: int | None = 0, dtype: FloatName = "float32") -> None:
        if dtype not in ("float32", "float64"):
            raise InputError(f"dtype is {dtype!r}; it must be 'float32' or 'float64'")
        self.layers = tuple(layers)
        self.seed = seed
        self._check_widths()
        self.params: Floats = aligned_zeros(sum(layer.size for layer in self.layers), dtype)
        for index, layer, place in self.dense_layers():
            layer.bind(self.params[place])
            if seed is not None:
                layer.initialise(seed, index)

    @classmethod
    def mlp(
        cls,
        *widths: int,
        hidden: str = "relu",
        output: str = "softmax",
        sizes: Sequence[int] = (),
        init: str | None = None,
        dropout: float = 0.0,
        seed: int = 0,
        dtype: FloatName = "float32",
    ) -> Self:
        """A multi-layer perceptron.

        Args:
            *widths: inputs, units of each hidden layer, outputs.
            hidden: the hidden layers' activation.
            output: the last layer's activation: any, or softmax, logistic, exponential.
            sizes: for softmax, how many outputs each of several groups has, one group per question.
            init: the initializer; the one that suits each layer's activation unless given.
            dropout: the rate at which hidden units are silenced in training.
            seed: of the initial weights.
            dtype: "float32" or "float64".

        Raises:
            InputError: fewer than two widths, or an unknown name.

        Example:
            >>> from backlight import Network
            >>> Network.mlp(784, 128, 64, 10, hidden="relu", output="softmax", seed=0)
            Network 784-128-64-10, relu, softmax, 109,386 parameters in float32
            >>> Network.mlp(1800, 128, 144, output="softmax", sizes=(36, 36, 36, 36)).sizes
            (36, 36, 36, 36)
        """
        if len(widths) < 2:
            raise InputError(f"widths are {widths}; at least the numbers of inputs and outputs are needed")
        layers: list[Layer] = []
        for k, (incoming, units) in enumerate(pairwise(widths)):
            function = hidden if k < len(widths) - 2 else output
            layers.append(Dense(incoming, units, init or suited_initializer(function)))
            last = k == len(widths) - 2
            if function != "identity" or (last and sizes):
                layers.append(Activation(function, sizes=sizes if last else ()))
            if dropout and not last:
                layers.append(Dropout(dropout))
        return cls(layers, seed=seed, dtype=dtype)

    def _check_widths(self) -> None:
        width = None
        for index, layer in enumerate(self.layers):
            if isinstance(layer, Dense):
                if width is not None and layer.incoming != width:
                    raise InputError(
                        f"layer {index} takes {layer.incoming} incoming units, and the layer before gives {width}"
                    )
                width = layer.units
            elif width is None:
                raise InputError(f"layer {index} is {layer.kind}; the first layer must be dense")
            elif isinstance(layer, Activation) and layer.function == "softmax" and index < len(self.layers) - 1:
                raise InputError(f"layer {index} is softmax, which may only be the last layer")
            elif isinstance(layer, Activation) and layer.sizes and sum(layer.sizes) != width:
                raise InputError(
                    f"the groups of the softmax have {sum(layer.sizes)} outputs together, and the layer before "
                    f"gives {width}; both must be the same"
                )
        if width is None:
            raise InputError("a network needs at least one dense layer, and none was given")
        if len({id(layer) for layer in self.layers}) < len(self.layers):
            raise InputError("one layer object stands twice in the list; give each place a layer of its own")
        if any(isinstance(layer, Dense) and layer.W.size for layer in self.layers):
            raise InputError("a dense layer belongs to another network already; make a new layer for this one")

    def dense_layers(self) -> Iterator[tuple[int, Dense, slice]]:
        """Each layer that has parameters: its number, itself, and where its parameters stand in `params`."""
        position = 0
        for index, layer in enumerate(self.layers):
            if isinstance(layer, Dense):
                yield index, layer, slice(position, position + layer.size)
            position += layer.size

    @property
    def dtype(self) -> np.dtype[np.floating[Any]]:
        """The dtype of the parameters and of all arithmetic."""
        return self.params.dtype

    @property
    def inputs(self) -> int:
        """The number of inputs."""
        return next(layer.incoming for layer in self.layers if isinstance(layer, Dense))

    @property
    def outputs(self) -> int:
        """The number of outputs."""
        return next(layer.units for layer in reversed(self.layers) if isinstance(layer, Dense))

    @property
    def output(self) -> str:
        """The activation of the last layer."""
        last = self.layers[-1]
        return last.function if isinstance(last, Activation) else "identity"

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many outputs each group of a softmax in groups has; none where all outputs are one group."""
        last = self.layers[-1]
        return last.sizes if isinstance(last, Activation) else ()

    def objective(self, loss: str | None = None) -> Objective:
        """The network's output together with a loss; by default the one that the output was made for."""
        return Objective(self.output, loss or default_loss(self.output), self.sizes)

    def as_inputs(self, x: Any) -> Floats:
        """Inputs in the network's dtype; uint8 is read as value / 255.

        Raises:
            InputError: x is not (n, inputs) numbers.
        """
        x = np.asarray(x)
        if x.ndim != 2 or x.shape[1] != self.inputs or x.dtype.kind not in "iufb":
            raise InputError(
                f"x is {x.dtype} of shape {x.shape}; the network takes numbers of shape (n, {self.inputs})"
            )
        if x.dtype == np.uint8:
            x = np.multiply(x, 1.0 / 255.0, dtype=self.dtype)
        return np.asarray(x, self.dtype)

    def forward(self, x: Any, draws: Draws | None = None) -> Trace:
        """Every layer's output for inputs x (n, inputs).

        Args:
            x: inputs; uint8 is read as value / 255.
            draws: where dropout's draws come from; without them nothing is dropped.

        Raises:
            InputError: x does not fit the network.
        """
        out = start = self.as_inputs(x)
        outs, caches = [], []
        for index, layer in enumerate(self.layers):
            out, cache = layer.forward(out, draws, index)
            outs.append(out)
            caches.append(cache)
        return Trace(start, tuple(outs), tuple(caches))

    def backward(self, trace: Trace, y: Any, loss: str | None = None) -> Backward:
        """Losses, errors and gradients of every example of a trace.

        Args:
            trace: what `forward` returned.
            y: class indices (n,), one per group (n, k) of a softmax in groups, or targets (n, outputs).
            loss: by default the one that the output was made for.

        Raises:
            InputError: y does not fit the network, or the loss not the output.
        """
        objective, a, last = self.objective(loss), trace.out, len(self.layers) - 1
        losses, targets = self._losses(trace, np.asarray(y), objective)
        error = np.empty_like(a)
        objective.slope(a, targets, error, [np.empty_like(a), np.empty_like(a)])
        errors: list[Floats | None] = [None] * len(self.layers)
        grads: list[DenseGrads | None] = [None] * len(self.layers)
        for index in range(last - objective.fused, -1, -1):
            errors[index] = error
            error, grads[index] = self.layers[index].backward(error, trace.caches[index])  # type: ignore[arg-type]
        return Backward(losses, tuple(errors), error, tuple(grads), self.params.size)

    def losses(self, trace: Trace, y: Any, loss: str | None = None) -> Floats:
        """One loss per example (n,) of a trace, un-averaged; arguments and errors as for `backward`."""
        return self._losses(trace, np.asarray(y), self.objective(loss))[0]

    def _losses(self, trace: Trace, y: Array, objective: Objective) -> tuple[Floats, Floats]:
        a = trace.out
        check_targets(y, len(a), self.outputs, objective)
        losses, targets = np.empty(len(a), self.dtype), np.empty_like(a)
        encode_targets(y, targets, self.sizes)
        objective.losses(trace.z(len(self.layers) - 1), a, targets, losses, [np.empty_like(a), np.empty_like(a)])
        return losses, targets

    def predict(self, x: Any) -> Floats:
        """The outputs (n, outputs) for inputs x, in chunks, so that memory stays bounded."""
        x = np.asarray(x)
        if x.ndim == 0 or len(x) <= _CHUNK:
            return self.forward(x).out
        return np.concatenate([self.forward(x[k : k + _CHUNK]).out for k in range(0, len(x), _CHUNK)])

    def copy(self, dtype: FloatName | None = None) -> "Network":
        """A network of its own with the same layers and parameters, in another dtype if asked."""
        name: FloatName = dtype or ("float32" if self.dtype == np.float32 else "float64")
        other = Network.from_dicts(self.to_dicts(), seed=None, dtype=name)
        other.params[...] = self.params
        return other

    def to_dicts(self) -> list[dict[str, Any]]:
        """The layers without their parameters, for files."""
        return [layer.to_dict() for layer in self.layers]

    @classmethod
    def from_dicts(cls, specs: Sequence[dict[str, Any]], *, seed: int | None = 0, dtype: FloatName = "float32") -> Self:
        """The network whose layers `to_dicts` described, with initial weights; with zeros if the seed is None."""
        return cls([layer_from_dict(spec) for spec in specs], seed=seed, dtype=dtype)

    def state_dict(self) -> dict[str, Array]:
        """The parameters by name, `N.weight` (j, i) and `N.bias`, as `torch.nn.Sequential` names them."""
        state: dict[str, Array] = {}
        for index, layer, _ in self.dense_layers():
            state[f"{index}.weight"], state[f"{index}.bias"] = layer.W, layer.b
        return state

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Take over parameters by name.

        Raises:
            InputError: a name is missing or too many, or a shape differs.
        """
        own = self.state_dict()
        if own.keys() != state.keys():
            raise InputError(f"the parameters are named {sorted(state)}; the network has {sorted(own)}")
        for name, array in own.items():
            if array.shape != state[name].shape:
                raise InputError(f"{name} has shape {state[name].shape}; the network's is {array.shape}")
            array[...] = state[name]

    def __repr__(self) -> str:
        widths = "-".join(str(w) for w in [self.inputs, *(layer.units for _, layer, _ in self.dense_layers())])
        named = (
            f"{layer.function} in {len(layer.sizes)} groups" if layer.sizes else layer.function
            for layer in self.layers
            if isinstance(layer, Activation)
        )
        functions = dict.fromkeys(named)
        return (
            f"Network {widths}, {', '.join(functions) or 'identity'}, {self.params.size:,} parameters in {self.dtype}"
        )
