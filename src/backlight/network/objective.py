"""The objective: the one place where losses are weighted and averaged, and penalties are added.

objective = Σ_n weights_n losses_n + l1 Σ|W| + ½ l2 Σ W²

with weights_n = w_n / n, where w_n is example n's sample weight (1 unless given), and the penalties' sums over the
weights, not the biases, of all layers that learn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from backlight.arrays import Array, Floats
from backlight.errors import InputError, number_within
from backlight.network.losses import FUSED, LOSSES, check_pair, check_smoothing
from backlight.network.softmax import groups


@dataclass(frozen=True)
class Objective:
    """A loss together with the output it is computed from.

    Args:
        output: the activation of the network's last layer.
        loss: one of `backlight.network.losses.LOSS_NAMES`.
        sizes: how many outputs each group of a softmax in groups has. The loss of an example is then the sum of its
            groups' losses.
        smoothing: of labels in training, see `smooth`.
        l1: the penalty per unit of |W|.
        l2: the penalty per unit of ½ W².

    Raises:
        InputError: two of them do not go together, or a number is out of range.

    Example:
        >>> Objective("softmax", "cross_entropy").fused, Objective("sigmoid", "squared").fused
        (True, False)
        >>> Objective("softmax", "cross_entropy", l1=0.5, l2=0.25).penalty([np.array([3.0, -4.0])])
        6.625
    """

    output: str
    loss: str
    sizes: tuple[int, ...] = ()
    smoothing: float = 0.0
    l1: float = 0.0
    l2: float = 0.0

    def __post_init__(self) -> None:
        check_pair(self.output, self.loss)
        check_smoothing(self.smoothing, self.loss)
        number_within("l1", self.l1, 0, float("inf"))
        number_within("l2", self.l2, 0, float("inf"))

    @property
    def fused(self) -> bool:
        """Whether ∂loss/∂z is a − y, so that the last activation's own backward pass is left out."""
        return (self.output, self.loss) in FUSED

    def losses(self, z: Array, a: Array, y: Array, out: Array, scratch: list[Array]) -> None:
        """Write one loss per example into `out` (n,); z, a, y and two scratch arrays are (n, j)."""
        if not self.fused:
            LOSSES[self.loss].losses(a, y, out, scratch)
        elif not self.sizes:
            FUSED[self.output, self.loss](z, y, out, scratch)
        else:
            terms, room = scratch
            one = room[:, 1]  # the losses need the first column of their second scratch array
            out.fill(0.0)
            for group in groups(self.sizes, z.shape[1]):
                FUSED[self.output, self.loss](z[:, group], y[:, group], one, [terms[:, group], room])
                np.add(out, one, out=out)

    def slope(self, a: Array, y: Array, out: Array, scratch: list[Array]) -> None:
        """Write ∂loss_n/∂z if fused, and ∂loss_n/∂a if not, into `out` (n, j)."""
        if self.fused:
            np.subtract(a, y, out=out)
        else:
            LOSSES[self.loss].slope(a, y, out, scratch)

    def smooth(self, y: Array) -> None:
        """Move encoded targets (n, j) towards "I cannot tell", in place: (1 − smoothing) y + smoothing / K.

        K is the number of outputs of a softmax, or of each of its groups, and 2 for a logistic output, which says yes
        or no. Source: Szegedy and others, arXiv:1512.00567.

        Example:
            >>> y = np.array([[0.0, 1.0, 0.0, 0.0]])
            >>> Objective("softmax", "cross_entropy", smoothing=0.2).smooth(y)
            >>> y.round(12).tolist()
            [[0.05, 0.85, 0.05, 0.05]]
        """
        if not self.smoothing:
            return
        np.multiply(y, 1.0 - self.smoothing, out=y)
        for group in groups(self.sizes, y.shape[1]):
            k = group.stop - group.start if self.output == "softmax" else 2
            np.add(y[:, group], self.smoothing / k, out=y[:, group])

    def penalty(self, weights: Iterable[Floats]) -> float:
        """l1 Σ|W| + ½ l2 Σ W² over arrays of weights, summed in float64; 0.0 without penalties."""
        if not (self.l1 or self.l2):
            return 0.0
        sums = [(float(np.abs(W).sum(dtype=np.float64)), float(np.square(W, dtype=np.float64).sum())) for W in weights]
        return self.l1 * sum(s for s, _ in sums) + 0.5 * self.l2 * sum(s for _, s in sums)

    def add_penalty(self, W: Floats, grads: Floats, scratch: Floats) -> None:
        """Add l1 sign(W) + l2 W, the penalty's own gradient, to `grads`; `scratch` is memory of the same shape."""
        if self.l1:
            np.sign(W, out=scratch)
            np.multiply(scratch, self.l1, out=scratch)
            np.add(grads, scratch, out=grads)
        if self.l2:
            np.multiply(W, self.l2, out=scratch)
            np.add(grads, scratch, out=grads)

    def indices(self, y: Array) -> int:
        """How many class indices each target is: 1, or one per group; 0 where targets are values.

        Example:
            >>> word = Objective("softmax", "cross_entropy", (3, 3))
            >>> word.indices(np.array([[0, 2]])), word.indices(np.zeros((1, 6)))
            (2, 0)
        """
        if y.dtype.kind not in "iu":
            return 0
        if y.ndim == 1:
            return 1
        return len(self.sizes) if y.shape[1] == len(self.sizes) else 0

    @property
    def kinks(self) -> tuple[float, ...]:
        """The errors a − y at which the slope jumps."""
        return () if self.fused else LOSSES[self.loss].kinks


def mean_weights(count: int, dtype: np.dtype[np.floating], sample_weight: Floats | None = None) -> Floats:
    """What each example's loss is multiplied with: w_n / n, or 1/n where no sample weights are given.

    Example:
        >>> mean_weights(4, np.dtype("float64")).tolist()
        [0.25, 0.25, 0.25, 0.25]
    """
    if sample_weight is None:
        return np.full(count, 1.0 / count, dtype)
    return (sample_weight / count).astype(dtype)


def encode_targets(y: Array, out: Array, sizes: Sequence[int] = ()) -> None:
    """Write targets as the network's outputs should be, (n, j): one-hot for class indices, values as they are.

    Args:
        y: class indices (n,) where there are several outputs; values (n,) for one output; values (n, j); class
            indices (n, k) where the outputs stand in k groups.
        out: where to write, (n, j).
        sizes: how many outputs each of several groups has.

    Example:
        >>> out = np.empty((2, 3))
        >>> encode_targets(np.array([2, 0]), out)
        >>> out.tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
        >>> out = np.empty((1, 5))
        >>> encode_targets(np.array([[1, 0]]), out, (2, 3))
        >>> out.tolist()
        [[0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    if y.ndim == 2 and y.shape[1] == len(sizes):
        for k, group in enumerate(groups(sizes, out.shape[1])):
            np.equal(y[:, k : k + 1], np.arange(sizes[k]), out=out[:, group])
    elif y.ndim == 2:
        np.copyto(out, y, casting="same_kind")
    elif out.shape[1] == 1:
        np.copyto(out[:, 0], y, casting="unsafe")
    else:
        np.equal(y[:, None], np.arange(out.shape[1]), out=out)


def check_targets(y: Array, count: int, outputs: int, objective: Objective) -> None:
    """Refuse targets that the network and its loss cannot be trained on.

    Args:
        y: the targets.
        count: n, the number of examples.
        outputs: j, the number of outputs.
        objective: the loss and its output.

    Raises:
        InputError: the shape, the kind or a value is wrong; the message names the row.
    """
    if y.ndim == 0 or len(y) != count:
        raise InputError(f"x has {count} rows and y has shape {y.shape}; each example needs one target")
    if (y.ndim == 1 and outputs > 1) or (objective.sizes and y.shape[1:] == (len(objective.sizes),)):
        _check_indices(y, outputs, objective.sizes)
        return
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != outputs):
        raise InputError(f"y has shape {y.shape}; expected {_shapes(count, outputs, objective.sizes)}")
    if y.dtype.kind not in "iufb":
        raise InputError(f"y holds {y.dtype}; numbers are needed")
    _refuse(y, ~np.isfinite(y), "a finite number")
    if objective.loss == "cross_entropy":
        _refuse(y, (y < 0) | (y > 1), "a probability (0 to 1) for cross_entropy")
        if objective.output == "softmax":
            _check_sums(y.reshape(count, -1), objective.sizes)
    if objective.loss == "poisson":
        _refuse(y, y < 0, "a count (0 or more) for poisson")


def _shapes(count: int, outputs: int, sizes: tuple[int, ...]) -> str:
    """The shapes that targets may have, in words."""
    indices = f"class indices ({count}, {len(sizes)})" if sizes else f"({count},)"
    return f"{indices} or ({count}, {outputs})"


def _check_indices(y: Array, outputs: int, sizes: tuple[int, ...]) -> None:
    """Refuse class indices that are none: one per example, or one per group."""
    if y.ndim == 1 and sizes:
        raise InputError(
            f"y is one number per example, and the network answers {len(sizes)} questions; "
            f"give {_shapes(len(y), outputs, sizes)}"
        )
    if y.ndim == 1 and y.dtype.kind not in "iu":
        raise InputError(
            f"y is one {y.dtype} number per example, and the network has {outputs} outputs; "
            f"give class indices (whole numbers, 0 to {outputs - 1}) or an array ({len(y)}, {outputs})"
        )
    if y.dtype.kind not in "iu":
        raise InputError(
            f"y holds {len(sizes)} {y.dtype} numbers per example, one for each group of outputs; "
            f"give class indices (whole numbers) or an array ({len(y)}, {outputs})"
        )
    if not sizes:
        _refuse(y, (y < 0) | (y >= outputs), f"a class index from 0 to {outputs - 1}")
    for k, size in enumerate(sizes):
        _refuse(y[:, k], (y[:, k] < 0) | (y[:, k] >= size), f"a class index from 0 to {size - 1} in column {k}")


def _check_sums(y: Array, sizes: tuple[int, ...]) -> None:
    """Refuse probabilities (n, j) that do not sum to 1, over all outputs or group by group."""
    for group in groups(sizes, y.shape[1]):
        sums = y[:, group].sum(axis=1)
        over = f"whose outputs {group.start} to {group.stop - 1} sum" if sizes else "that sums"
        _refuse(sums, np.abs(sums - 1) > 1e-4, f"a row {over} to 1 for softmax with cross_entropy")


def _refuse(values: Array, wrong: Array, expected: str) -> None:
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise InputError(f"y is {values[place]} in row {place[0]} (counted from 0); expected {expected}")
