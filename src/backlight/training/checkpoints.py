"""Checkpoints: the whole state of a training in one file."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from backlight.errors import InputError
from backlight.storage import read_tensors, write_tensors
from backlight.training.schedules import Watched
from backlight.training.state import TrainingState

FORMAT = 1


def write_checkpoint(path: Path, state: TrainingState) -> None:
    """Write a state, whole or not at all.

    Raises:
        BacklightError: the file cannot be written.
    """
    tensors = {"params": state.params} | {f"optimizer.{name}": a for name, a in state.optimizer.items()}
    if state.best_params is not None:
        tensors["best_params"] = state.best_params
    if state.average is not None:
        tensors["average"] = state.average
    position: dict[str, Any] = {
        "format": FORMAT,
        "step": state.step,
        "objective_sum": state.objective_sum,
        "best_score": state.best_score,
        "best_epoch": state.best_epoch,
    }
    if state.watched is not None:
        position["watched"] = asdict(state.watched)
    write_tensors(path, tensors, {"checkpoint": json.dumps(position)})


def read_checkpoint(path: Path) -> TrainingState:
    """Read a state.

    Raises:
        InputError: the file is missing, damaged, or of another format.
    """
    tensors, metadata = read_tensors(path)
    try:
        position = json.loads(metadata["checkpoint"])
        if position["format"] != FORMAT:
            raise InputError(f"{path} has format {position['format']}; this Backlight reads format {FORMAT}")
        prefix = "optimizer."
        return TrainingState(
            int(position["step"]),
            tensors["params"],
            {name[len(prefix) :]: array for name, array in tensors.items() if name.startswith(prefix)},
            float(position["objective_sum"]),
            tensors.get("best_params"),
            None if position["best_score"] is None else float(np.float64(position["best_score"])),
            position["best_epoch"],
            Watched(**position["watched"]) if "watched" in position else None,
            tensors.get("average"),
        )
    except KeyError as error:
        raise InputError(f"{path} is not a checkpoint of Backlight: {error} is missing") from error
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise InputError(f"{path} is a damaged checkpoint: {error}") from error
