"""Runs made in this process: small, quick, and stopped wherever a test wants."""

from pathlib import Path
from typing import Any

from backlight.data import Dataset
from backlight.files import Conduct, Settings, begin, load_for
from backlight.training import Record

COMPARED = ("model.safetensors", "history.jsonl", "checkpoint.safetensors")


def settings(data: str | Path = "moons", **given: Any) -> Settings:
    """Settings of a small run."""
    return Settings(str(data), **{"layers": (8,), "epochs": 3, "batch_size": 200, **given})


def begun(folder: Path, wanted: Settings) -> tuple[Conduct, Dataset]:
    """A run that has its folder and has not taken a step."""
    conduct = begin(wanted, load_for(wanted), folder=folder)
    return conduct, conduct.dataset


def trained(folder: Path, wanted: Settings) -> tuple[Conduct, list[Record]]:
    """A run that has ended, and its records."""
    conduct, _ = begun(folder, wanted)
    return conduct, list(conduct.records())


def files(folder: Path) -> dict[str, bytes]:
    """The files that equal runs have equal."""
    return {name: (folder / name).read_bytes() for name in COMPARED}
