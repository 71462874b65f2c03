"""What lasts: settings, the run folder, the model file, and how a run is conducted."""

from backlight.files.conduct import INTERRUPTED, Conduct, begin, state_at
from backlight.files.model import Model, evaluation, finite, part_evaluation, quality
from backlight.files.run import LR_CURVE, LR_PAGE, Run, check_free, claim_folder, load_for
from backlight.files.scouting import prepared
from backlight.files.settings import Settings

__all__ = [
    "INTERRUPTED",
    "LR_CURVE",
    "LR_PAGE",
    "Conduct",
    "Model",
    "Run",
    "Settings",
    "begin",
    "check_free",
    "claim_folder",
    "evaluation",
    "finite",
    "load_for",
    "part_evaluation",
    "prepared",
    "quality",
    "state_at",
]
