"""What is done to training examples, in plain numbers, and the definition of how."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.data.augment.affine import draw_maps
from backlight.data.augment.corruption import draw_noise, draw_rectangles, draw_silent, erase
from backlight.data.augment.draws import Chance
from backlight.data.augment.elastic import draw_moves
from backlight.data.augment.warping import warp
from backlight.errors import InputError

# The most that a number may be, and what it is in.
LIMITS: Final = {
    "rotate": (180.0, "degrees"),
    "scale": (0.9, "a fraction"),
    "shear": (80.0, "degrees"),
    "shift": (4096.0, "pixels"),
    "flip": (1.0, "a probability"),
    "noise": (100.0, "a standard deviation"),
    "erase": (1.0, "a fraction of the area"),
    "columns": (0.99, "a rate"),
}
_OF_IMAGES: Final = ("rotate", "scale", "shear", "shift", "flip", "elastic", "erase")
_MOST_PIXELS: Final = 1 << 24  # with their border: places are counted in float32
_LARGEST_ALPHA, _LARGEST_SIGMA = 10_000.0, 100.0


@dataclass(frozen=True)
class Augmentation:
    """How training examples are varied by chance, anew in every epoch; what is 0 is left undone.

    Images are mirrored, scaled, sheared, turned, shifted and deformed in one map with one interpolation, then noise
    is added, and then a rectangle is erased. Of tables, noise is added to numbers, and then columns are silenced.
    Everything drawn depends on seed, row number, epoch and kind alone.

    Args:
        shape: (height, width) or (height, width, channels) of images whose background is 0; () for tables.
        rotate: up to so many degrees, to either side; as all of the following uniform.
        scale: width and height, each apart, times 1 ± up to that fraction.
        shear: up to so many degrees, to either side.
        shift: up to so many pixels, in both directions, to either side.
        flip: the probability of mirroring left and right.
        elastic: (α, σ) in pixels of elastic deformation, as `draw_moves` defines it; (0, 0) for none.
        noise: standard deviation of normal noise: of pixels between 0 and 1, or of a table's standardised numbers.
        erase: a rectangle of up to that fraction of the area becomes background.
        columns: the rate at which each column of a table is silent: all of its inputs are 0, as for the mean, or for
            no category.
        column: the number of the column that each input belongs to, (inputs,); () where every input is a column.
        noisy: which inputs are numbers, (inputs,); () for all.

    Raises:
        InputError: a number is out of its range, or one for images is given for a table, or the other way round.

    Example:
        >>> x = np.zeros((1, 9)); x[0, 4] = 1
        >>> Augmentation((3, 3), shift=1).changed(x, seed=0, epoch=0, rows=np.array([0])).reshape(3, 3).round(2)
        array([[0.  , 0.  , 0.  ],
               [0.27, 0.4 , 0.  ],
               [0.13, 0.19, 0.  ]])
    """

    shape: tuple[int, ...] = ()
    rotate: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    shift: float = 0.0
    flip: float = 0.0
    elastic: tuple[float, float] = (0.0, 0.0)
    noise: float = 0.0
    erase: float = 0.0
    columns: float = 0.0
    column: tuple[int, ...] = ()
    noisy: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        for name, (most, unit) in LIMITS.items():
            check_amount(name, getattr(self, name), most, unit)
        check_elastic(*self.elastic)
        fits = len(self.shape) in (2, 3) and min(self.shape) > 0 and self.shape[2:] in ((), (1,), (3,))
        if self.shape and not fits:
            raise InputError(f"shape is {self.shape}; images are (height, width) or (height, width, 3)")
        if self.shape and (self.shape[0] + 3) * (self.shape[1] + 64) > _MOST_PIXELS:
            raise InputError(f"images of {self.shape[1]} × {self.shape[0]} are too large; give up to 4,000 × 4,000")
        if self.shape and (self.columns or self.column or self.noisy):
            raise InputError("columns are those of tables, and these are images; leave columns out")
        given = [name for name in _OF_IMAGES if getattr(self, name) not in (0, (0, 0))]
        if given and not self.shape:
            raise InputError(f"{given[0]} is for images, and there is no shape; give one, or leave {given[0]} out")

    @property
    def channels(self) -> int:
        """How many numbers a pixel has."""
        return self.shape[2] if len(self.shape) == 3 else 1

    @property
    def warps(self) -> bool:
        """Whether images are drawn anew."""
        return any((self.rotate, self.scale, self.shear, self.shift, self.flip, self.elastic[0]))

    def check_width(self, inputs: int) -> None:
        """Refuse inputs that are not as many as these images or columns have.

        Raises:
            InputError: they are more, or fewer.
        """
        expected = math.prod(self.shape) if self.shape else (len(self.column) or len(self.noisy) or inputs)
        if expected != inputs or len(self.noisy) not in (0, inputs):
            what = f"images of shape {self.shape}" if self.shape else f"{expected} inputs"
            raise InputError(f"the augmentation is for {what}, and the network takes {inputs} inputs")

    def changed(self, x: Array, *, seed: int, epoch: int, rows: Ints | Sequence[int]) -> Floats:
        """The inputs (n, i) as they are seen in an epoch, in the dtype of x, or in float32 where that is uint8.

        Args:
            x: the inputs, of images from 0 to 1, or uint8, which is read as value / 255.
            seed: of the training.
            epoch: from 0.
            rows: their row numbers (n,) in the whole data set.
        """
        chance = Chance(seed, epoch, np.asarray(rows))
        x = np.multiply(x, np.float32(1 / 255)) if x.dtype == np.uint8 else x
        if not self.shape:
            return self._changed_columns(x.astype(np.float64), chance).astype(x.dtype)
        size = self.shape[0], self.shape[1]
        images = x.reshape(len(x), *size, self.channels).astype(np.float64)
        if self.warps:
            maps = draw_maps(
                *(chance, size),
                **{name: getattr(self, name) for name in ("rotate", "scale", "shear", "shift", "flip")},
            )
            images = warp(images, maps, draw_moves(chance, size, *self.elastic) if self.elastic[0] else None)
        if self.noise:
            images += self.noise * draw_noise(chance, x.shape[1]).reshape(images.shape)
        if self.erase:
            erase(images, draw_rectangles(chance, size, self.erase))
        return images.reshape(x.shape).astype(x.dtype)

    def _changed_columns(self, x: Floats, chance: Chance) -> Floats:
        inputs = x.shape[1]
        if self.noise:
            noisy = np.array(self.noisy) if self.noisy else np.ones(inputs, np.bool_)
            x = x + np.where(noisy, self.noise * draw_noise(chance, inputs), 0.0)
        if self.columns:
            column = np.array(self.column or range(inputs))
            x = np.where(draw_silent(chance, int(column.max()) + 1, self.columns)[:, column], 0.0, x)
        return x


def check_amount(name: str, value: object, most: float, unit: str) -> None:
    """Refuse a number below 0 or above its limit.

    Raises:
        InputError: it is.
    """
    if not isinstance(value, Real) or not 0 <= float(value) <= most:
        raise InputError(f"the augmentation {name} is {value!r}; it must be {unit} from 0 to {most:g}")


def check_elastic(alpha: float, sigma: float) -> None:
    """Refuse an impossible elastic deformation.

    Raises:
        InputError: α is below 0 or too large, or σ is not above 0 where α is.
    """
    if not 0 <= alpha <= _LARGEST_ALPHA or not (0 < sigma <= _LARGEST_SIGMA or alpha == sigma == 0):
        raise InputError(
            f"the augmentation elastic is {alpha:g}:{sigma:g}; it must be ALPHA:SIGMA in pixels, ALPHA from 0 to "
            f"{_LARGEST_ALPHA:g}, SIGMA above 0 and up to {_LARGEST_SIGMA:g}, such as 34:4"
        )
