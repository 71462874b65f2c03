"""What augmentation adds to a training step, and what the same costs image by image with Pillow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats
from backlight.bench.data import images, shuffled
from backlight.bench.workloads import WORKLOADS
from backlight.data.augment import Augmentation
from backlight.engine import Examples, Stretch, Task, compile_program, open_session, row_source
from backlight.racing.timing import Work, interleaved, repeated
from backlight.training import SGD

SHAPE: Final = (28, 28)
AFFINE: Final = {"rotate": 12.0, "scale": 0.15, "shift": 2.0}
AUGMENTATIONS: Final[Mapping[str, Augmentation | None]] = {
    "none": None,
    "affine": Augmentation(SHAPE, **AFFINE),  # type: ignore[arg-type]
    "elastic": Augmentation(SHAPE, elastic=(34.0, 4.0)),
    "affine and elastic": Augmentation(SHAPE, elastic=(34.0, 4.0), **AFFINE),  # type: ignore[arg-type]
}
"""What is measured, by name, on images of 28 × 28 bytes."""

_WORKLOAD: Final = WORKLOADS["B"]
_SECONDS: Final = 0.1
_CELL: Final = 4
_PILLOW: Final = {"affine": "affine", "elastic": "mesh", "affine and elastic": "mesh"}


@dataclass(frozen=True)
class AugmentingTime:
    """What one augmentation costs.

    Attributes:
        what: its name.
        step: seconds of a step of workload B with it.
        added: what it adds to the step, as a share: the median over rounds.
        image: seconds that it adds for each image of a batch.
        pillow: seconds that Pillow takes for an image, from array to array in a Python loop; None for none.
        transform: of these, its `Image.transform` alone.
    """

    what: str
    step: float
    added: float
    image: float
    pillow: float | None
    transform: float | None

    def as_dict(self) -> dict[str, Any]:
        """Plain data, times in microseconds."""
        us = {
            "step_us": self.step,
            "image_us": self.image,
            "pillow_us": self.pillow,
            "transform_us": self.transform,
        }
        ratio = None if self.pillow is None or self.image <= 0 else round(self.pillow / self.image, 1)
        times = {key: None if value is None else round(1e6 * value, 3) for key, value in us.items()}
        return {"what": self.what, **times, "added": round(self.added, 4), "pillow_over_image": ratio}


def measure_augmenting(rounds: int, threads: int) -> list[AugmentingTime]:
    """Time steps of workload B with every augmentation in turn, and Pillow image by image.

    What Pillow does is no more than the drawing anew: the numbers of its maps are made beforehand. For elastic
    deformation they are those of a mesh of 4 × 4 pixels a cell, coarser than Backlight's, where each pixel moves.

    Args:
        rounds: how many.
        threads: how many the engine may use.
    """
    x, y = images()
    works = {name: _steps(x, y, augmentation, threads) for name, augmentation in AUGMENTATIONS.items()}
    steps = interleaved(works, rounds, _SECONDS)
    pillow = interleaved(_pillow(x[:100]), rounds, _SECONDS / 2)
    return [_told(name, steps, pillow) for name in AUGMENTATIONS]


def _told(name: str, steps: Mapping[str, Sequence[float]], pillow: Mapping[str, Sequence[float]]) -> AugmentingTime:
    pairs = list(zip(steps[name], steps["none"], strict=True))
    whole, alone = (
        median(pillow[f"{_PILLOW[name]}{part}"]) / 100 if name in _PILLOW else None for part in ("", " alone")
    )
    return AugmentingTime(
        name,
        median(steps[name]),
        median(with_it / without - 1 for with_it, without in pairs),
        median(with_it - without for with_it, without in pairs) / _WORKLOAD.batch_size,
        whole,
        alone,
    )


def _steps(x: Array, y: Array, augmentation: Augmentation | None, threads: int) -> Work:
    """Steps of the workload, over and over within one epoch."""
    network, size = _WORKLOAD.network(), _WORKLOAD.batch_size
    task = Task(
        compile_program(network),
        network.params,
        Examples(row_source(x), y),
        SGD(),
        batch_size=size,
        seed=0,
        threads=threads,
        augmentation=augmentation,
    )
    session, order = open_session("auto", task), shuffled(len(x), size)
    most = len(order) // size

    def steps(count: int) -> None:
        for first in range(0, count, most):
            session.advance(Stretch(order, size, 0, min(most, count - first), 0, first, 0.01))

    return steps


def _pillow(x: Array) -> dict[str, Work]:
    """Pillow's work on some images: from array to array, and its transformation alone."""
    from PIL import Image

    bytes_of, height, width = x.reshape(-1, *SHAPE), *SHAPE
    drawn = np.random.default_rng(0).normal(0, 1.0, (2, height // _CELL + 1, width // _CELL + 1))
    corners = drawn + np.mgrid[0 : height + 1 : _CELL, 0 : width + 1 : _CELL]
    maps: dict[str, tuple[Image.Transform, Any]] = {
        "affine": (Image.Transform.AFFINE, (1.08, 0.12, -2.1, -0.14, 0.94, 1.7)),
        "mesh": (Image.Transform.MESH, _mesh(corners)),
    }
    pictures = [Image.fromarray(image) for image in bytes_of]

    def transform(picture: Image.Image, name: str) -> Image.Image:
        return picture.transform((width, height), *maps[name], resample=Image.Resampling.BILINEAR)

    def from_array_to_array(name: str) -> Floats:
        found = np.empty((len(x), x.shape[1]), np.float32)
        for k, image in enumerate(bytes_of):
            seen = np.asarray(transform(Image.fromarray(image), name)).reshape(-1)
            np.multiply(seen, np.float32(1 / 255), out=found[k])
        return found

    def alone(name: str) -> None:
        for picture in pictures:
            transform(picture, name)

    works = {name: repeated(lambda name=name: from_array_to_array(name)) for name in maps}  # type: ignore[misc]
    return works | {f"{name} alone": repeated(lambda name=name: alone(name)) for name in maps}  # type: ignore[misc]


def _mesh(corners: Floats) -> list[tuple[tuple[int, ...], tuple[float, ...]]]:
    """Cells of an image, each with the corners of what it shows: anticlockwise from the upper left."""
    rows, columns = corners.shape[1] - 1, corners.shape[2] - 1
    mesh: list[tuple[tuple[int, ...], tuple[float, ...]]] = []
    for r, c in np.ndindex(rows, columns):
        box = (c * _CELL, r * _CELL, (c + 1) * _CELL, (r + 1) * _CELL)
        around = ((r, c), (r + 1, c), (r + 1, c + 1), (r, c + 1))
        mesh.append((box, tuple(float(corners[axis, i, j]) for i, j in around for axis in (1, 0))))
    return mesh
