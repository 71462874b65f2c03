"""How a network learns: trainer, optimizers, stopping rules, records, checkpoints, replay."""

from backlight.training.checkpoints import read_checkpoint, write_checkpoint
from backlight.training.evaluation import Outcomes, evaluate, outcomes
from backlight.training.loop import Training
from backlight.training.optimizers import (
    LBFGS,
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    RMSProp,
    make_optimizer,
)
from backlight.training.range_test import RangeTest, range_test
from backlight.training.records import EndRecord, EpochRecord, Record, StepsRecord
from backlight.training.replay import replay
from backlight.training.state import TrainingState
from backlight.training.stopping import Patience, StoppingRule, Until
from backlight.training.trainer import Evaluation, Trainer

__all__ = [
    "LBFGS",
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "EndRecord",
    "EpochRecord",
    "Evaluation",
    "Momentum",
    "Nesterov",
    "Outcomes",
    "Patience",
    "RMSProp",
    "RangeTest",
    "Record",
    "StepsRecord",
    "StoppingRule",
    "Trainer",
    "Training",
    "TrainingState",
    "Until",
    "evaluate",
    "make_optimizer",
    "outcomes",
    "range_test",
    "read_checkpoint",
    "replay",
    "write_checkpoint",
]
