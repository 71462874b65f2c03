"""A step that was taken, told apart: what its own gradient did, and what was carried from earlier steps."""

from dataclasses import dataclass

from backlight.arrays import Floats


@dataclass(frozen=True)
class Split:
    """A step's update, weight decay apart, told as `gain · g + carried`: linear in the step's gradient g.

    Attributes:
        gain: what the step multiplied its gradient with, shaped as the state, or one number for all.
        carried: what came from earlier steps, shaped as the state; None where the optimizer carries nothing.
    """

    gain: Floats | float
    carried: Floats | None = None
