"""What every explanation can do: see `backlight.plots.shown`."""

from backlight.plots.shown import Shown, plain

__all__ = ["Shown", "plain"]
