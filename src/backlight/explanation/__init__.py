"""Why a network learnt what it learnt: wishes, the chain rule, sensitivity, moves, health."""

from backlight.explanation.along import CostAlong, cost_along
from backlight.explanation.batches import BatchAgreement, batch_agreement
from backlight.explanation.checking import Checked, check
from backlight.explanation.columns import Contribution, Contributions, contributions
from backlight.explanation.comparing import Comparison, compare
from backlight.explanation.examples import WeightWishes, wishes_for_weight
from backlight.explanation.health import Health, health
from backlight.explanation.importance import ColumnImportance, Importance, importance
from backlight.explanation.landscapes import Landscape, landscape
from backlight.explanation.moment import Moment, open_moment
from backlight.explanation.moves import Moves, moves
from backlight.explanation.one_example import Explanation, example_of, explain
from backlight.explanation.overfitting import OverfittingStep, overfitting_step
from backlight.explanation.parts import Part, Parts
from backlight.explanation.places import Unit, Weight, parse_unit, parse_weight
from backlight.explanation.replay_time import replay_seconds
from backlight.explanation.sensitivity import Sensitivity, sensitivity
from backlight.explanation.together import Together, together

__all__ = [
    "BatchAgreement",
    "Checked",
    "ColumnImportance",
    "Comparison",
    "Contribution",
    "Contributions",
    "CostAlong",
    "Explanation",
    "Health",
    "Importance",
    "Landscape",
    "Moment",
    "Moves",
    "OverfittingStep",
    "Part",
    "Parts",
    "Sensitivity",
    "Together",
    "Unit",
    "Weight",
    "WeightWishes",
    "batch_agreement",
    "check",
    "compare",
    "contributions",
    "cost_along",
    "example_of",
    "explain",
    "health",
    "importance",
    "landscape",
    "moves",
    "open_moment",
    "overfitting_step",
    "parse_unit",
    "parse_weight",
    "replay_seconds",
    "sensitivity",
    "together",
    "wishes_for_weight",
]
