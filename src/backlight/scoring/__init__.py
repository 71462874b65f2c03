"""How good answers are: metrics, their intervals, classes one by one, calibration. Of outputs and targets alone."""

from backlight.scoring.metrics import HIGHER_IS_BETTER, check_metric, measure
from backlight.scoring.quality import class_quality, label_quality, quantity_quality, several_quality

__all__ = [
    "HIGHER_IS_BETTER",
    "check_metric",
    "class_quality",
    "label_quality",
    "measure",
    "quantity_quality",
    "several_quality",
]
