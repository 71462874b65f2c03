"""Why a network learnt what it learnt: wishes, the chain rule, sensitivity, moves, health."""

from backlight.explanation.one_example import Explanation, example_of, explain
from backlight.explanation.moment import Moment, open_moment

__all__ = ["Explanation", "Moment", "example_of", "explain", "open_moment"]
