"""Why backpropagation: methods with and without it in a race, the cost of a gradient, the curse of dimensionality."""

from backlight.racing.contest import race
from backlight.racing.costs import GradientCost, GradientCosts, gradient_costs
from backlight.racing.curse import Curse, CurseRow, curse
from backlight.racing.nudging import nudged_gradient
from backlight.racing.result import Race, Raced, Score
from backlight.racing.runner import Budget, Point

__all__ = [
    "Budget",
    "Curse",
    "CurseRow",
    "GradientCost",
    "GradientCosts",
    "Point",
    "Race",
    "Raced",
    "Score",
    "curse",
    "gradient_costs",
    "nudged_gradient",
    "race",
]
