"""The reference engine's normalisation: the formulas of `backlight.network.normalisation`, with no memory taken."""

import numpy as np

from backlight.arrays import Floats
from backlight.engine.program import NormOp
from backlight.network.layers import Draws
from backlight.network.normalisation import move_statistics


class Norm:
    """One normalisation's memory and passes.

    Args:
        op: the operation.
        params: all parameters.
        grads: memory for the gradient; None for passes that nothing listens to.
        capacity: the most rows that pass at once.

    Attributes:
        layer: the number of the dense layer that it learns with.
        averages: whether the last pass took means of its own examples, and not running statistics.
        moved: what the running statistics will be after the step.
    """

    def __init__(self, op: NormOp, params: Floats, grads: Floats | None, capacity: int) -> None:
        shape, dtype = (capacity, op.units), params.dtype
        self.op, self.layer, self.axis = op, op.layer - 1, 0 if op.batches else 1
        self.scale, self.shift = params[op.scale], params[op.shift]
        if grads is not None:
            self.scale_grads, self.shift_grads = grads[op.scale], grads[op.shift]
        self.running = params[op.statistics[0]], params[op.statistics[1]]
        self.moved = self.running[0].copy(), self.running[1].copy()
        averaged = (1, op.units) if op.batches else (capacity, 1)
        self.mean, self.variance, self.inverse, self.along = (np.empty(averaged, dtype) for _ in range(4))
        self.hat, self.out, self.d_in, self.scratch = (np.empty(shape, dtype) for _ in range(4))
        self.delta, self.averages = self.out, False

    def forward(self, x: Floats, draws: Draws | None) -> Floats:
        """Pre-activations (n, j), normalised, scaled and shifted; a batch of one takes running statistics."""
        m, op = len(x), self.op
        hat, out, inverse = self.hat[:m], self.out[:m], self.inverse[:m]
        self.averages = not op.batches or (draws is not None and m > 1)
        if self.averages:
            mean, variance = self.mean[:m], self.variance[:m]
            np.mean(x, axis=self.axis, keepdims=True, out=mean)
            np.subtract(x, mean, out=hat)
            np.multiply(hat, hat, out=out)
            np.mean(out, axis=self.axis, keepdims=True, out=variance)
        else:
            np.subtract(x, self.running[0], out=hat)
            variance = self.running[1]
        np.add(variance, op.eps, out=inverse, casting="same_kind")
        np.sqrt(inverse, out=inverse)
        np.divide(1.0, inverse, out=inverse)
        np.multiply(hat, inverse, out=hat)
        np.multiply(hat, self.scale, out=out)
        np.add(out, self.shift, out=out)
        return out

    def backward(self, d_out: Floats) -> Floats:
        """The errors of the pre-activations of the last pass, from those of what was made of them."""
        m = len(d_out)
        hat, d_in, scratch, inverse = self.hat[:m], self.d_in[:m], self.scratch[:m], self.inverse[:m]
        self.delta = d_out
        np.multiply(d_out, self.scale, out=d_in)
        if self.averages:
            along = self.along[:m]
            np.multiply(d_in, hat, out=scratch)
            np.mean(scratch, axis=self.axis, keepdims=True, out=along)
            np.multiply(hat, along, out=scratch)
            np.mean(d_in, axis=self.axis, keepdims=True, out=along)
            np.subtract(d_in, along, out=d_in)
            np.subtract(d_in, scratch, out=d_in)
        np.multiply(d_in, inverse, out=d_in)
        return d_in

    def listen(self, weights: Floats) -> None:
        """grads = Σ_n weights_n delta_n ∘ hat_n and Σ_n weights_n delta_n."""
        m = len(weights)
        weighted = self.scratch[:m]
        np.multiply(self.delta, weights[:, None], out=weighted)
        np.add.reduce(weighted, axis=0, out=self.shift_grads)
        np.multiply(weighted, self.hat[:m], out=weighted)
        np.add.reduce(weighted, axis=0, out=self.scale_grads)

    def squared_norms(self, count: int) -> Floats:
        """‖delta_n ∘ hat_n‖² + ‖delta_n‖² of the last pass."""
        delta, hat = self.delta[:count], self.hat[:count]
        norms: Floats = np.einsum("nj,nj,nj,nj->n", delta, delta, hat, hat) + np.einsum("nj,nj->n", delta, delta)
        return norms

    def keep_statistics(self, count: int, *, first: bool) -> None:
        """Note what the running statistics will be after the step, with the batch of the last pass.

        Args:
            count: how many rows it had.
            first: whether it was the step's first pass.
        """
        if first:
            for new, running in zip(self.moved, self.running, strict=True):
                np.copyto(new, running)
        if self.op.batches and self.averages:
            move_statistics(self.moved, (self.mean[0], self.variance[0]), count, self.op.momentum)

    def learn_statistics(self) -> None:
        """Bring the running statistics up to date with the step's passes."""
        for running, new in zip(self.running, self.moved, strict=True):
            np.copyto(running, new)
