"""The surface of the cost around the paths of trainings: the landscape that descent walks in."""

from backlight.explanation.landscape.measuring import POINTS, landscape
from backlight.explanation.landscape.starts import Ends
from backlight.explanation.landscape.told import Grid, Landscape, Path

__all__ = ["POINTS", "Ends", "Grid", "Landscape", "Path", "landscape"]
