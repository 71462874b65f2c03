"""What a forward pass and a backward pass leave behind: everything that training, explanations and tests look at."""

from dataclasses import dataclass

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError
from backlight.network.layers import ActivationCache, Cache, DenseGrads, Grads
from backlight.network.objective import mean_weights


@dataclass(frozen=True)
class Trace:
    """A forward pass, opened: for every layer its output and its cache.

    Attributes:
        x: the inputs (n, i), as floating-point numbers.
        outs: each layer's output (n, j), in order.
        caches: each layer's cache, in order.
    """

    x: Floats
    outs: tuple[Floats, ...]
    caches: tuple[Cache, ...]

    @property
    def out(self) -> Floats:
        """The network's outputs (n, j)."""
        return self.outs[-1]

    def z(self, layer: int) -> Floats:
        """The pre-activations z (n, j) that a layer gives (dense) or takes (activation)."""
        cache = self.caches[layer]
        return cache.z if isinstance(cache, ActivationCache) else self.outs[layer]

    def a_in(self, layer: int) -> Floats:
        """The activations (n, i) that come into a layer."""
        return self.outs[layer - 1] if layer else self.x


@dataclass(frozen=True)
class Backward:
    """A backward pass, opened: losses, errors and gradients of every example, un-averaged.

    Attributes:
        losses: one loss per example (n,).
        errors: for each layer ∂loss_n/∂(the layer's output) (n, j): `delta` for a dense layer, ∂loss_n/∂a for an
            activation. None for an output activation that is fused with its loss.
        d_x: ∂loss_n/∂x (n, i).
        grads: for each layer its factored per-example gradients; None where it has no parameters.
        size: the number of parameters of the network, running statistics included.
        coupled: whether batch normalisation has coupled the examples, so that `errors` and `grads` are those of the
            sum of their losses, row by row, and no example's own.
    """

    losses: Floats
    errors: tuple[Floats | None, ...]
    d_x: Floats
    grads: tuple[Grads | None, ...]
    size: int
    coupled: bool = False

    def gradient(self, sample_weight: Floats | None = None) -> Floats:
        """∂objective/∂parameters as one flat array, for the weighted mean of the losses.

        Args:
            sample_weight: one weight per example (n,); 1 unless given.

        Raises:
            InputError: the pass is coupled, and weights come too late: `Network.backward` takes them.
        """
        if self.coupled and sample_weight is not None:
            raise InputError("batch normalisation couples the examples; give sample_weight to Network.backward instead")
        weights = mean_weights(len(self.losses), self.losses.dtype, sample_weight)
        flat = np.empty(self.size, self.losses.dtype)
        position = 0
        for grads in self.grads:
            if grads is not None:
                for part in grads.weighted_sum(weights):
                    flat[position : position + part.size] = part.reshape(-1)
                    position += part.size
        return flat

    def dense(self, layer: int) -> DenseGrads:
        """The gradients of a dense layer, by its number."""
        grads = self.grads[layer]
        assert isinstance(grads, DenseGrads)
        return grads
