"""What is measured on: MNIST's training images, or data of their shape."""

from pathlib import Path
from typing import Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.data import load
from backlight.errors import InputError
from backlight.randomness import Purpose, permutation, uniforms

EXAMPLES: Final = 60_000
INPUTS: Final = 784
CLASSES: Final = 10


def images() -> tuple[Array, Array]:
    """MNIST's training images where they are found, else as many images of noise with a fifth of the pixels lit.

    Returns:
        x (60000, 784) of uint8, y (60000,).
    """
    try:
        data = load("mnist")
        return data.x[:EXAMPLES], data.y[:EXAMPLES]
    except InputError:
        return noise(EXAMPLES), np.arange(EXAMPLES) % CLASSES


def noise(count: int, chunk: int = 5000) -> Array:
    """That many images (n, 784) of uint8 with a fifth of the pixels lit at random."""
    x = np.empty((count, INPUTS), np.uint8)
    for start in range(0, count, chunk):
        rows = x[start : start + chunk]
        pixels = uniforms(0, Purpose.GENERATION, rows.size, place=(start, 0)).reshape(rows.shape)
        rows[...] = np.where(pixels > 0.8, pixels * 255, 0.0)
    return x


def write_examples(folder: Path) -> None:
    """Write the images into a folder, as float32 between 0 and 1, for every system's process to read."""
    x, y = images()
    np.save(folder / "x.npy", np.multiply(x, np.float32(1 / 255), dtype=np.float32))
    np.save(folder / "y.npy", y.astype(np.int64))


def read_examples(folder: Path) -> tuple[Floats, Ints]:
    """The examples that `write_examples` wrote, in memory."""
    return np.load(folder / "x.npy"), np.load(folder / "y.npy")


def shuffled(count: int, batch_size: int) -> Ints:
    """The order in which all systems visit the rows: whole batches only, the same each time."""
    return permutation(0, Purpose.SHUFFLING, count)[: count // batch_size * batch_size]
