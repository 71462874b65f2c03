"""How far a result can be trusted: a baseline, a linear model, what must be said of a score, what more data would do.

What needs figures, `assess` and its report, is imported from its own module, so that training stays quick to start.
"""

from backlight.assessment.baseline import baseline
from backlight.assessment.linear import linear_model
from backlight.assessment.rival import Rival
from backlight.assessment.standing import Standing, standing
from backlight.assessment.verdict import interval_text, score_text, verdict

__all__ = [
    "Rival",
    "Standing",
    "baseline",
    "interval_text",
    "linear_model",
    "score_text",
    "standing",
    "verdict",
]
