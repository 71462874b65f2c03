"""A whole command, from the shell to the model on disk, beside scripts that do the same with peers."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np

from backlight.bench import whole
from backlight.bench.data import images
from backlight.bench.installed import installed_bytes
from backlight.bench.machine import kept_to_cores, thread_settings
from backlight.errors import BacklightError

EPOCHS: Final = 3


@dataclass(frozen=True)
class Command:
    """A system's command.

    Attributes:
        key: as in `systems.registry`.
        title: in tables.
        distribution: what is installed for it.
        package: what has to be importable.
    """

    key: str
    title: str
    distribution: str
    package: str

    def line(self, data: Path, out: Path, threads: int) -> list[str]:
        """The command's words."""
        if self.key == "backlight":
            options = ["--layers", "128,64", "--dropout", "0", "--optimizer", "sgd", "--lr", "0.1"]
            options += ["--batch-size", "100", "--epochs", str(EPOCHS), "--threads", str(threads)]
            return [sys.executable, "-P", "-m", "backlight", "train", str(data), *options, "--out", str(out)]
        # -P: neither the working folder nor the script's is a place to import from
        return [sys.executable, "-P", str(whole.__file__), self.key, str(data), str(out), str(EPOCHS), str(threads)]


COMMANDS: Final = (
    Command("backlight", "Backlight", "backlight", "backlight"),
    Command("pytorch", "PyTorch", "torch", "torch"),
    Command("jax", "JAX", "jax", "jax"),
    Command("scikit_learn", "scikit-learn", "scikit-learn", "sklearn"),
)


def measure_commands(rounds: int, threads: int, say: Callable[[str], None]) -> list[dict[str, Any]]:
    """Wall times and installed sizes.

    Each command reads 60,000 images, parts them into training, validation and test, trains 784-128-64-10 for three
    epochs of batches of 100 with a validation after each, measures all three parts, and saves the network.

    Args:
        rounds: how often each runs, in turn; once more goes before, which fills the disk's cache.
        threads: for every system.
        say: is told how it goes on.
    """
    present = [command for command in COMMANDS if find_spec(command.package) is not None]
    times: dict[str, list[float]] = {command.key: [] for command in present}
    with tempfile.TemporaryDirectory() as name, kept_to_cores(threads):
        folder, data = Path(name), Path(name) / "images.npz"
        x, y = images()
        np.savez(data, x=x, y=y)
        for number in range(rounds + 1):
            say(f"commands: round {number} of {rounds}")
            for command in present:
                words = command.line(data, folder / f"{command.key}-{number}", threads)
                times[command.key].append(_seconds(words, threads))
    return [
        {
            "name": command.key,
            "title": command.title,
            "seconds": round(median(times[command.key][1:]), 3),
            "installed_mb": round((installed_bytes(command.distribution) or 0) / 1e6, 1),
        }
        for command in present
    ]


def _seconds(words: Sequence[str], threads: int) -> float:
    start = time.perf_counter()
    ended = subprocess.run(  # noqa: S603 - our own commands
        words, capture_output=True, text=True, check=False, env=os.environ | thread_settings(threads)
    )
    taken = time.perf_counter() - start
    if ended.returncode:
        raise BacklightError(f"a command failed: {' '.join(words)}: {ended.stderr[-500:]}")
    return taken
