"""Small pictures, made as they are needed."""

from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from PIL import Image

RED, GREY = (200, 30, 40), (90, 90, 90)


def draw(path: Path, colour: tuple[int, ...] = RED, size: tuple[int, int] = (6, 4), seed: int = 0) -> Path:
    """A picture of nearly one colour, each seed another one; the folder is made too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.empty((size[1], size[0], len(colour)), np.uint8)
    pixels[...] = colour
    pixels[0, 0] = (seed % 250,) * len(colour)
    Image.fromarray(pixels if len(colour) > 1 else pixels[..., 0]).save(path)
    return path


def draw_classes(folder: Path, classes: Sequence[str] = ("cat", "dog"), count: int = 6) -> Path:
    """A folder with a folder of pictures for each class."""
    for k, name in enumerate(classes):
        for i in range(count):
            draw(folder / name / f"{i:02}.png", (20 + 60 * k, 80, 120), seed=count * k + i)
    return folder


def pack(folder: Path, path: Path, inside: str = "") -> Path:
    """A zip of a folder."""
    with ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            archive.write(file, inside + file.relative_to(folder).as_posix())
    return path
