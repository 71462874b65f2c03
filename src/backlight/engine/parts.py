"""The reference engine's layers: one part for each operation, its memory and its passes, which take no more."""

import numpy as np

from backlight.arrays import Floats
from backlight.engine.program import ActivationOp, DenseOp, DropoutOp
from backlight.network.activations import ACTIVATIONS
from backlight.network.layers import Draws, DropoutMask
from backlight.network.softmax import softmax, softmax_backward


class DensePart:
    """One dense layer's memory and products."""

    def __init__(self, op: DenseOp, params: Floats, grads: Floats | None, capacity: int) -> None:
        shape = (op.units, op.incoming)
        self.layer = op.layer
        self.W, self.b = params[op.W].reshape(shape), params[op.b]
        if grads is not None:
            self.W_grads, self.b_grads = grads[op.W].reshape(shape), grads[op.b]
        self.out = np.empty((capacity, op.units), params.dtype)
        self.weighted = np.empty_like(self.out)
        self.d_in = np.empty((capacity if op.layer else 0, op.incoming), params.dtype)
        self.a = self.delta = self.out

    def forward(self, x: Floats, draws: Draws | None) -> Floats:
        """z (n, j) of incoming activations x (n, i)."""
        out = self.out[: len(x)]
        np.matmul(x, self.W.T, out=out)
        np.add(out, self.b, out=out)
        self.a = x
        return out

    def backward(self, d_out: Floats) -> Floats:
        """The errors (n, i) of what came in, from delta (n, j)."""
        self.delta = d_out
        d_in = self.d_in[: len(d_out)]
        np.matmul(d_out, self.W, out=d_in)
        return d_in

    def listen(self, weights: Floats) -> None:
        """grads = (weights ∘ delta)ᵀ a; the weights are shares of the objective, of clipped examples times c."""
        weighted = self.weighted[: len(weights)]
        np.multiply(self.delta, weights[:, None], out=weighted)
        np.matmul(weighted.T, self.a, out=self.W_grads)
        np.add.reduce(weighted, axis=0, out=self.b_grads)

    def squared_norms(self, count: int) -> Floats:
        """‖delta_n‖² (‖a_n‖² + 1) of the last pass."""
        delta, a = self.delta[:count], self.a[:count]
        norms: Floats = np.einsum("nj,nj->n", delta, delta) * (np.einsum("ni,ni->n", a, a) + 1)
        return norms


class ActivationPart:
    """One activation's memory."""

    def __init__(self, op: ActivationOp, dtype: np.dtype[np.floating], capacity: int) -> None:
        shape = (capacity, op.units)
        self.function, self.sizes = ACTIVATIONS.get(op.function), op.sizes
        self.out, self.d_in = np.empty(shape, dtype), np.empty(shape, dtype)
        count = self.function.scratch if self.function else 1
        self.scratch = [np.empty(shape, dtype) for _ in range(count)]
        self.z = self.out

    def forward(self, x: Floats, draws: Draws | None) -> Floats:
        """a = f(z) of z = x (n, j)."""
        out, scratch = self.out[: len(x)], [s[: len(x)] for s in self.scratch]
        if self.function:
            self.function.value(x, out, scratch)
        else:
            softmax(x, out, scratch, self.sizes)
        self.z = x
        return out

    def backward(self, d_out: Floats) -> Floats:
        """The errors (n, j) of z, from those of a."""
        m = len(d_out)
        d_in, a, scratch = self.d_in[:m], self.out[:m], [s[:m] for s in self.scratch]
        if self.function:
            self.function.slope(self.z, a, d_in, scratch)
            np.multiply(d_in, d_out, out=d_in)
            return d_in
        softmax_backward(d_out, a, d_in, scratch, self.sizes)
        return d_in


class DropoutPart:
    """One dropout layer's memory."""

    def __init__(self, op: DropoutOp, dtype: np.dtype[np.floating], capacity: int) -> None:
        shape = (capacity, op.units)
        self.layer, self.rate, self.mask = op.layer, op.rate, DropoutMask(shape)
        self.scale, self.out = np.empty(shape, dtype), np.empty(shape, dtype)
        self.active = False

    def forward(self, x: Floats, draws: Draws | None) -> Floats:
        """x (n, j) with some units silenced; as it is without draws."""
        self.active = draws is not None
        if draws is None:
            return x
        scale, out = self.scale[: len(x)], self.out[: len(x)]
        self.mask.fill(scale, self.rate, draws, self.layer)
        np.multiply(x, scale, out=out)
        return out

    def backward(self, d_out: Floats) -> Floats:
        """The errors (n, j) of what came in, in place."""
        if self.active:
            np.multiply(d_out, self.scale[: len(d_out)], out=d_out)
        return d_out
