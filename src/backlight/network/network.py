"""A feed-forward network: layers in a row, and one flat array that holds all their parameters."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Self

import numpy as np

from backlight.arrays import Array, FloatName, Floats, aligned_zeros
from backlight.errors import InputError, nearest
from backlight.network.initializers import suited_initializer
from backlight.network.layers import Activation, Dense, Draws, Dropout, Grads, Layer, layer_from_dict
from backlight.network.losses import default_loss
from backlight.network.normalisation import NORMS, BatchNorm, LayerNorm, NormCache
from backlight.network.objective import Objective, check_targets, encode_targets
from backlight.network.trace import Backward, Trace

_CHUNK = 4096


class Network:
    """Layers in a row.

    Args:
        layers: `Dense`, `Activation`, `Dropout`, `BatchNorm` and `LayerNorm`, in order; a softmax only as the last, a
            normalisation only right behind a dense layer. One behind the last can give outputs, but no loss.
        seed: of the initial weights; the same seed gives the same bits. None leaves all parameters at 0, for those
            that will be given.
        dtype: "float32" or "float64".

    Attributes:
        layers: the layers; each dense layer's `W` and `b` are views into `params`.
        params: all parameters, flat, layer by layer: W row by row, then b; of a normalisation scale, shift, and with
            batches the running means and variances, which are not learnt by gradients.

    Raises:
        InputError: the widths of neighbours differ, or there is no dense layer, or a softmax's groups do not add up, or
            a normalisation stands elsewhere.

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
        for index, layer, place in self._layers_with_parameters():
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
        norm: str | None = None,
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
            norm: "batch" or "layer": normalise what goes into each hidden activation.
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
        if norm not in (None, *NORMS):
            raise InputError(f"there is no normalisation {norm!r}; {nearest(str(norm), list(NORMS))}")
        layers: list[Layer] = []
        for k, (incoming, units) in enumerate(pairwise(widths)):
            function = hidden if k < len(widths) - 2 else output
            layers.append(Dense(incoming, units, init or suited_initializer(function)))
            last = k == len(widths) - 2
            if norm is not None and not last:
                layers.append(BatchNorm(units) if norm == "batch" else LayerNorm(units))
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
            elif isinstance(layer, BatchNorm | LayerNorm):
                self._check_norm(index, layer, width)
            elif isinstance(layer, Activation):
                self._check_softmax(index, layer, width)
        if width is None:
            raise InputError("a network needs at least one dense layer, and none was given")
        self._check_own()

    def _check_own(self) -> None:
        if len({id(layer) for layer in self.layers}) < len(self.layers):
            raise InputError("one layer object stands twice in the list; give each place a layer of its own")
        for layer in self.layers:
            if layer.size and not isinstance(layer, Activation | Dropout) and next(iter(layer.tensors().values())).size:
                raise InputError(
                    f"a {layer.kind} layer belongs to another network already; make a new layer for this one"
                )

    def _check_softmax(self, index: int, layer: Activation, width: int) -> None:
        if layer.function == "softmax" and index < len(self.layers) - 1:
            raise InputError(f"layer {index} is softmax, which may only be the last layer")
        if layer.sizes and sum(layer.sizes) != width:
            raise InputError(
                f"the groups of the softmax have {sum(layer.sizes)} outputs together, and the layer before "
                f"gives {width}; both must be the same"
            )

    def _check_norm(self, index: int, layer: BatchNorm | LayerNorm, width: int) -> None:
        if not isinstance(self.layers[index - 1], Dense):
            raise InputError(f"layer {index} is {layer.kind}, which may only stand right behind a dense layer")
        if layer.units != width:
            raise InputError(f"layer {index} normalises {layer.units} units, and the layer before gives {width}")

    def _layers_with_parameters(self) -> Iterator[tuple[int, Dense | BatchNorm | LayerNorm, slice]]:
        for index, (layer, place) in enumerate(zip(self.layers, self.places(), strict=True)):
            if not isinstance(layer, Activation | Dropout):
                yield index, layer, place

    def norm_layers(self) -> Iterator[tuple[int, BatchNorm | LayerNorm, slice]]:
        """Each normalisation: its number, itself, and where its numbers stand in `params`."""
        for index, layer, place in self._layers_with_parameters():
            if not isinstance(layer, Dense):
                yield index, layer, place

    def dense_layers(self) -> Iterator[tuple[int, Dense, slice]]:
        """Each dense layer: its number, itself, and where its parameters stand in `params`."""
        for index, layer, place in self._layers_with_parameters():
            if isinstance(layer, Dense):
                yield index, layer, place

    def places(self) -> list[slice]:
        """Where each layer's parameters stand in `params`; an empty place where it has none."""
        ends = np.cumsum([layer.size for layer in self.layers]).tolist()
        return [slice(end - layer.size, end) for layer, end in zip(self.layers, ends, strict=True)]

    @property
    def statistics(self) -> tuple[slice, ...]:
        """Where running statistics stand in `params`: numbers that no gradient moves."""
        found = ((layer, place) for _, layer, place in self.norm_layers() if isinstance(layer, BatchNorm))
        return tuple(slice(place.start + 2 * layer.units, place.stop) for layer, place in found)

    @property
    def learnt(self) -> int:
        """How many parameters gradients move: all but running statistics."""
        return int(self.params.size - sum(place.stop - place.start for place in self.statistics))

    @property
    def coupled(self) -> bool:
        """Whether batch normalisation makes an example's output depend on its whole batch, in training."""
        return any(isinstance(layer, BatchNorm) for layer in self.layers)

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
        """The network's output together with a loss; by default the one that the output was made for.

        Raises:
            InputError: the loss does not go with the output, or the outputs are normalised.
        """
        dense, norms = ([index for index, _, _ in found()] for found in (self.dense_layers, self.norm_layers))
        if norms and norms[-1] > dense[-1]:
            raise InputError(
                f"layer {norms[-1]} normalises the outputs, from which no loss is computed; put a dense layer behind it"
            )
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
            draws: where dropout's draws come from, in training; without them nothing is dropped, and batch
                normalisation takes its running statistics.

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

    def backward(
        self, trace: Trace, y: Any, loss: str | None = None, *, sample_weight: Floats | None = None
    ) -> Backward:
        """Losses, errors and gradients of every example of a trace.

        Where batch normalisation has coupled the examples of a pass in training, an example has no errors of its own:
        they are then those of Σ_n sample_weight_n loss_n.

        Args:
            trace: what `forward` returned.
            y: class indices (n,), one per group (n, k) of a softmax in groups, or targets (n, outputs).
            loss: by default the one that the output was made for.
            sample_weight: one weight per example (n,) of a coupled pass; other passes give it to `Backward.gradient`.

        Raises:
            InputError: y does not fit the network, or the loss not the output.
        """
        objective, a, last = self.objective(loss), trace.out, len(self.layers) - 1
        losses, targets = self._losses(trace, np.asarray(y), objective)
        error = np.empty_like(a)
        objective.slope(a, targets, error, [np.empty_like(a), np.empty_like(a)])
        errors: list[Floats | None] = [None] * len(self.layers)
        grads: list[Grads | None] = [None] * len(self.layers)
        coupled = any(isinstance(cache, NormCache) and cache.mean is not None for cache in trace.caches)
        if sample_weight is not None:
            error *= np.asarray(sample_weight, error.dtype)[:, None]
        for index in range(last - objective.fused, -1, -1):
            errors[index] = error
            error, grads[index] = self.layers[index].backward(error, trace.caches[index])  # type: ignore[arg-type]
        return Backward(losses, tuple(errors), error, tuple(grads), self.params.size, coupled)

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
        """The parameters by name, such as `N.weight` (j, i) and `N.bias`, as `torch.nn.Sequential` names them."""
        every = self._layers_with_parameters()
        return {f"{index}.{name}": array for index, layer, _ in every for name, array in layer.tensors().items()}

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
        norms = dict.fromkeys(f"{layer.kind}, " for _, layer, _ in self.norm_layers())
        return (
            f"Network {widths}, {''.join(norms)}{', '.join(functions) or 'identity'}, "
            f"{self.learnt:,} parameters in {self.dtype}"
        )
