"""Runs that are quick to make."""

from pathlib import Path
from typing import Any

import numpy as np

from backlight.files import Conduct, Settings, begin, load_for


def made(folder: Path, data: str | Path, **given: Any) -> Conduct:
    """A run, trained to its end."""
    settings = Settings(str(data), **{"layers": (16,), "epochs": 20, "lr": 0.01, **given})
    conduct = begin(settings, load_for(settings), folder=folder / "run")
    conduct.complete()
    return conduct


def arrays(path: Path, y: Any, x: Any = None) -> Path:
    """An `.npz` of inputs and targets."""
    drawn = np.random.default_rng(0).normal(size=(len(y), 3)) if x is None else x
    np.savez(path, x=drawn, y=y)
    return path
