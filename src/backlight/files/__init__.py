"""What lasts: settings, the run folder, the model file, and how a run is conducted."""

from backlight.files.conduct import INTERRUPTED, Conduct
from backlight.files.model import Model, evaluation
from backlight.files.run import Run, check_free, load_for, next_folder
from backlight.files.settings import Settings

__all__ = [
    "INTERRUPTED",
    "Conduct",
    "Model",
    "Run",
    "Settings",
    "check_free",
    "evaluation",
    "load_for",
    "next_folder",
]
