"""The objective: the one place where losses are weighted and averaged.

objective = Σ_n weights_n losses_n with weights_n = w_n / n, where w_n is example n's sample weight (1 unless given).
"""

from dataclasses import dataclass

import numpy as np

from backlight.arrays import Array, Floats
from backlight.errors import InputError
from backlight.network.losses import FUSED, LOSSES, check_pair


@dataclass(frozen=True)
class Objective:
    """A loss together with the output it is computed from.

    Args:
        output: the activation of the network's last layer.
        loss: one of `backlight.network.losses.LOSS_NAMES`.

    Raises:
        InputError: the two do not go together.

    Example:
        >>> Objective("softmax", "cross_entropy").fused, Objective("sigmoid", "squared").fused
        (True, False)
    """

    output: str
    loss: str

    def __post_init__(self) -> None:
        check_pair(self.output, self.loss)

    @property
    def fused(self) -> bool:
        """Whether ∂loss/∂z is a − y, so that the last activation's own backward pass is left out."""
        return (self.output, self.loss) in FUSED

    def losses(self, z: Array, a: Array, y: Array, out: Array, scratch: list[Array]) -> None:
        """Write one loss per example into `out` (n,); z, a, y and two scratch arrays are (n, j)."""
        if self.fused:
            FUSED[self.output, self.loss](z, y, out, scratch)
        else:
            LOSSES[self.loss].losses(a, y, out, scratch)

    def slope(self, a: Array, y: Array, out: Array, scratch: list[Array]) -> None:
        """Write ∂loss_n/∂z if fused, and ∂loss_n/∂a if not, into `out` (n, j)."""
        if self.fused:
            np.subtract(a, y, out=out)
        else:
            LOSSES[self.loss].slope(a, y, out, scratch)

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


def encode_targets(y: Array, out: Array) -> None:
    """Write targets as the network's outputs should be, (n, j): one-hot for class indices, values as they are.

    Args:
        y: class indices (n,) where there are several outputs; values (n,) for one output; values (n, j).
        out: where to write, (n, j).

    Example:
        >>> out = np.empty((2, 3))
        >>> encode_targets(np.array([2, 0]), out)
        >>> out.tolist()
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    """
    if y.ndim == 2:
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
    if y.ndim == 1 and outputs > 1:
        if y.dtype.kind not in "iu":
            raise InputError(
                f"y is one {y.dtype} number per example, and the network has {outputs} outputs; "
                f"give class indices (whole numbers, 0 to {outputs - 1}) or an array ({count}, {outputs})"
            )
        _refuse(y, (y < 0) | (y >= outputs), f"a class index from 0 to {outputs - 1}")
        return
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != outputs):
        raise InputError(f"y has shape {y.shape}; expected ({count},) or ({count}, {outputs})")
    if y.dtype.kind not in "iufb":
        raise InputError(f"y holds {y.dtype}; numbers are needed")
    _refuse(y, ~np.isfinite(y), "a finite number")
    if objective.loss == "cross_entropy":
        _refuse(y, (y < 0) | (y > 1), "a probability (0 to 1) for cross_entropy")
        if objective.output == "softmax":
            sums = y.reshape(count, -1).sum(axis=1)
            _refuse(sums, np.abs(sums - 1) > 1e-4, "a row that sums to 1 for softmax with cross_entropy")
    if objective.loss == "poisson":
        _refuse(y, y < 0, "a count (0 or more) for poisson")


def _refuse(values: Array, wrong: Array, expected: str) -> None:
    if wrong.any():
        place = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise InputError(f"y is {values[place]} in row {place[0]} (counted from 0); expected {expected}")
