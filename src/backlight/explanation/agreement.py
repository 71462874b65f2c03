"""How far the examples agree about what should be done: the noise scale of the gradient, and cosines."""

from dataclasses import dataclass

import numpy as np

from backlight.arrays import Floats


@dataclass(frozen=True)
class Agreement:
    """How far the examples' gradients agree.

    Attributes:
        gradient_norm: ‖mean of g_n‖.
        example_norm: root of the mean of ‖g_n‖².
        noise_scale: tr(Σ) / ‖G‖², the batch size at which a batch's mean gradient has as much noise as signal; None
            where the true gradient cannot be told from 0 by these examples.
        cosine: the mean cosine between the gradients of two examples; None with fewer than two that want anything.
        against: the share of examples whose gradient points against the mean.
    """

    gradient_norm: float
    example_norm: float
    noise_scale: float | None
    cosine: float | None
    against: float

    @property
    def remaining(self) -> float:
        """How much of the examples' gradients is left when they are averaged: 1 where all are equal, 0 where none is.

        ‖mean of g_n‖ / root of the mean of ‖g_n‖².
        """
        return self.gradient_norm / self.example_norm if self.example_norm else 0.0


def agreement(gradient: Floats, norms: Floats, directions: Floats, dots: Floats) -> Agreement:
    """Measure it.

    Args:
        gradient: the mean of the examples' gradients (size,).
        norms: the squared norm of each example's gradient (n,).
        directions: the sum of the examples' gradients, each scaled to length 1 (size,).
        dots: each example's gradient times the mean (n,).
    """
    square = float(gradient @ gradient)
    return Agreement(
        gradient_norm=float(np.sqrt(square)),
        example_norm=float(np.sqrt(norms.mean())),
        noise_scale=noise_scale(float(norms.mean()), square, len(norms)),
        cosine=mean_cosine(directions, int((norms > 0).sum())),
        against=float((dots < 0).mean()),
    )


def noise_scale(mean_square: float, square_of_mean: float, count: int) -> float | None:
    """The simple noise scale tr(Σ) / ‖G‖², each of the two estimated without bias.

    A mean over B examples has E‖g‖² = ‖G‖² + tr(Σ)/B. With B = 1 and B = n that gives
    ‖G‖² = (n ‖mean‖² − mean of squares) / (n − 1) and tr(Σ) = (mean of squares − ‖mean‖²) n / (n − 1).

    Source: McCandlish and others 2018, arXiv:1812.06162, appendix A.1.

    Args:
        mean_square: the mean of ‖g_n‖².
        square_of_mean: ‖mean of g_n‖².
        count: n.

    Returns:
        The noise scale; None with one example, or where the estimate of ‖G‖² is not above 0.

    Example:
        >>> round(noise_scale(mean_square=2.0, square_of_mean=1.0, count=101), 6)
        1.020202
    """
    if count < 2:
        return None
    signal = (count * square_of_mean - mean_square) / (count - 1)
    noise = (mean_square - square_of_mean) * count / (count - 1)
    return noise / signal if signal > 0 else None


def mean_cosine(directions: Floats, count: int) -> float | None:
    """The mean of cos(g_n, g_m) over all pairs n ≠ m: (‖Σ_n g_n/‖g_n‖‖² − k) / (k (k − 1)).

    Args:
        directions: Σ_n g_n / ‖g_n‖ over the k examples whose gradient is not 0 (size,).
        count: k.

    Returns:
        The mean; None for fewer than two examples.

    Example:
        >>> mean_cosine(np.array([0.0, 1.0]) + np.array([1.0, 0.0]), 2)
        0.0
    """
    if count < 2:
        return None
    return float((directions @ directions - count) / (count * (count - 1)))
