"""What every drawing is made of: signs, sizes and places."""

from html import escape

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backlight.plots.blocks import number


def sign(value: float) -> str:
    """The sign as the styles name it: "up", "down", or "none" for zero and for what is no number.

    Example:
        >>> sign(0.5), sign(-2.0), sign(0.0), sign(float("nan"))
        ('up', 'down', 'none', 'none')
    """
    return "up" if value > 0 else "down" if value < 0 else "none"


def signed_number(value: float) -> str:
    """The number with its sign always written.

    Example:
        >>> signed_number(0.25), signed_number(-0.25), signed_number(0.0)
        ('+0.25', '-0.25', '0')
    """
    return f"+{number(value)}" if value > 0 else number(value)


def sizes(values: ArrayLike) -> NDArray[np.float64]:
    """The values divided by the largest size among them: from -1 to 1.

    What is no number becomes 0, and the infinite is as large as the largest.

    Example:
        >>> sizes([1e300, -5e299, float("inf"), float("nan")])
        array([ 1. , -0.5,  1. ,  0. ])
    """
    numbers = np.asarray(values, dtype=np.float64)
    finite = np.abs(numbers[np.isfinite(numbers)])
    largest = float(finite.max(initial=0.0))
    bounded = np.nan_to_num(np.clip(numbers, -largest, largest), nan=0.0)
    return bounded / largest if largest > 0 else np.sign(np.nan_to_num(numbers, nan=0.0))


def place(value: float) -> str:
    """A coordinate, written shortly; it has to be finite.

    Example:
        >>> place(12.0), place(0.126), place(-0.001)
        ('12', '0.13', '0')
    """
    assert np.isfinite(value), "a place on the page is a number"
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def percent(share: float) -> str:
    """A share of the width as a coordinate.

    Example:
        >>> percent(0.5)
        '50%'
    """
    return f"{place(100 * share)}%"


def caption(text: str, *, below: bool = False) -> str:
    """The caption of a figure; nothing where there is no text."""
    return f'<figcaption class="bl-caption{" bl-below" if below else ""}">{escape(text)}</figcaption>' if text else ""
