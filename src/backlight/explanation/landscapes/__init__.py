"""The surface of the cost around the paths of trainings: the landscape that descent walks in."""

from backlight.explanation.landscapes.measuring import POINTS, landscape
from backlight.explanation.landscapes.starts import Ends
from backlight.explanation.landscapes.told import Grid, Landscape, Path

__all__ = ["POINTS", "Ends", "Grid", "Landscape", "Path", "landscape"]
