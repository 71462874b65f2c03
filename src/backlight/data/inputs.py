"""How raw input becomes the numbers that a network sees; fitted on the training part, kept in the model."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np

from backlight.arrays import Array
from backlight.data.images.negatives import negatives
from backlight.data.standardising import fit_scale, standardise
from backlight.data.tables.inputs import TableInputs
from backlight.errors import InputError


def place_names(shape: tuple[int, ...]) -> tuple[str, ...]:
    """The names of an example's places: `x0`, `x1`, … or `pixel row,column`.

    Example:
        >>> place_names((3,)), place_names((1, 2))
        (('x0', 'x1', 'x2'), ('pixel 0,0', 'pixel 0,1'))
        >>> place_names((1, 1, 3))
        ('pixel 0,0 red', 'pixel 0,0 green', 'pixel 0,0 blue')
    """
    if len(shape) > 1:
        pixels = [f"pixel {row},{column}" for row in range(shape[0]) for column in range(shape[1])]
        colours = ("",) if len(shape) == 2 else (" red", " green", " blue")
        return tuple(pixel + colour for pixel in pixels for colour in colours)
    return tuple(f"x{i}" for i in range(shape[0]))


@dataclass(frozen=True)
class ImageInputs:
    """Images, row by row, one input per pixel or three: 0 is black and 1 is white, or the full red, green or blue.

    Attributes:
        shape: (height, width) in pixels of grey images, (height, width, 3) of coloured ones.
        dtype: `uint8`, kept as it is and read as value/255, or `float32` from 0 to 1.
        negative: whether the network sees 1 minus that, as where images are mostly bright.

    Example:
        >>> ImageInputs((8, 8), "float32").width, ImageInputs((8, 8, 3), "uint8").width
        (64, 192)
    """

    shape: tuple[int, ...]
    dtype: str
    negative: bool = False
    kind: ClassVar[str] = "image"

    @property
    def width(self) -> int:
        """How many inputs the network has."""
        return math.prod(self.shape)

    @property
    def names(self) -> tuple[str, ...]:
        """One name per input."""
        return place_names(self.shape)

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """Each place's name, its input, and the one past it."""
        return tuple((name, i, i + 1) for i, name in enumerate(self.names))

    def encode(self, x: Array) -> Array:
        """The network's inputs (n, d) of images (n, d).

        Args:
            x: uint8 from 0 to 255, or numbers from 0 to 1.

        Raises:
            InputError: numbers that are not from 0 to 1.
        """
        if x.dtype == np.uint8:
            x = negatives(x) if self.negative else x
            return x if self.dtype == "uint8" else (x / np.float32(255)).astype(np.float32)
        if x.size and not (x.min() >= 0 and x.max() <= 1):
            raise InputError(
                f"the images hold values from {x.min():g} to {x.max():g}; this model expects uint8 from 0 to 255, "
                "or numbers from 0 to 1"
            )
        return (1 - x if self.negative else x).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        negative = {"negative": True} if self.negative else {}
        return {"kind": self.kind, "shape": list(self.shape), "dtype": self.dtype, **negative}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        shape = tuple(int(size) for size in content["shape"])
        if len(shape) not in {2, 3} or shape[2:] not in {(), (3,)} or min(shape) < 1:
            raise ValueError(f"{shape} is no shape of an image")
        return cls(shape, _known_dtype(content["dtype"]), bool(content.get("negative", False)))


@dataclass(frozen=True)
class ArrayInputs:
    """The rows of an array: numbers standardised per input, uint8 kept as it is and read as value/255.

        x = (value − mean) / std

    Attributes:
        shape: of one example, (d,) or (height, width).
        dtype: `float32` (standardised) or `uint8`.
        mean: one per input, of the training part; empty for uint8.
        std: one per input, 1 where the training part is constant; empty for uint8.

    Example:
        >>> inputs = ArrayInputs.fit(np.array([[1.0, 5.0], [3.0, 5.0]]), (2,))
        >>> inputs.encode(np.array([[3.0, 5.0]])).tolist()
        [[1.0, 0.0]]
    """

    shape: tuple[int, ...]
    dtype: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    kind: ClassVar[str] = "array"

    @classmethod
    def fit(cls, x: Array, shape: tuple[int, ...]) -> Self:
        """Inputs fitted on the training part `x` (n, d)."""
        if x.dtype == np.uint8:
            return cls(shape, "uint8", (), ())
        mean, std = fit_scale(x)
        return cls(shape, "float32", tuple(mean.tolist()), tuple(std.tolist()))

    @property
    def width(self) -> int:
        """How many inputs the network has."""
        return int(np.prod(self.shape))

    @property
    def names(self) -> tuple[str, ...]:
        """One name per input."""
        return place_names(self.shape)

    @property
    def spans(self) -> tuple[tuple[str, int, int], ...]:
        """Each place's name, its input, and the one past it."""
        return tuple((name, i, i + 1) for i, name in enumerate(self.names))

    def encode(self, x: Array) -> Array:
        """The network's inputs (n, d) of raw rows (n, d).

        Raises:
            InputError: uint8 is expected and something else was given.
        """
        if self.dtype == "uint8":
            if x.dtype != np.uint8:
                raise InputError(
                    f"x is {x.dtype}, but the model was trained on uint8 (read as value/255); save x as uint8"
                )
            return x
        return standardise(x, self.mean, self.std)

    def to_dict(self) -> dict[str, Any]:
        """The inputs as JSON values."""
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "mean": list(self.mean),
            "std": list(self.std),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        mean, std = (tuple(map(float, content[key])) for key in ("mean", "std"))
        inputs = cls(tuple(map(int, content["shape"])), _known_dtype(content["dtype"]), mean, std)
        if len(mean) != len(std) or len(mean) != (0 if inputs.dtype == "uint8" else inputs.width):
            raise ValueError("one mean and one deviation per input are needed")
        return inputs


def _known_dtype(name: str) -> str:
    if name not in {"uint8", "float32"}:
        raise ValueError(f"dtype {name!r} is neither uint8 nor float32")
    return name


Inputs: TypeAlias = TableInputs | ImageInputs | ArrayInputs

_KINDS: dict[str, type[TableInputs] | type[ImageInputs] | type[ArrayInputs]] = {
    kind.kind: kind for kind in (TableInputs, ImageInputs, ArrayInputs)
}


def inputs_from_dict(content: Mapping[str, Any]) -> Inputs:
    """The inputs that `to_dict` wrote.

    Raises:
        InputError: the content describes no inputs.

    Example:
        >>> inputs_from_dict(ImageInputs((2, 2), "uint8").to_dict())
        ImageInputs(shape=(2, 2), dtype='uint8', negative=False)
    """
    try:
        return _KINDS[content["kind"]].from_dict(content)
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the model's inputs are not described as expected ({error!r}); is it damaged?") from error
