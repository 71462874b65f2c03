"""One image file as numbers, through Pillow: turned upright, on white, in grey or in colours, in the asked size."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints

if TYPE_CHECKING:
    from PIL import Image

_FORMATS: Final = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM")
_GREY: Final = frozenset({"1", "L", "LA", "La", "F"})
_ORIENTATION: Final = 0x0112  # EXIF's tag
_SWAPPING: Final = (5, 6, 7, 8)
_GAP: Final = 2  # an image is reduced cheaply down to this many times its size, and carefully from there


class BrokenImageError(Exception):
    """An image that cannot be read; the message says why, in words that follow its name."""


@contextmanager
def quiet() -> Iterator[None]:
    """Pillow without its warnings, except that an image of far too many pixels is an error, in all threads."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@dataclass(frozen=True)
class Look:
    """What can be told of an image at a glance.

    Attributes:
        size: (width, height) of the upright image.
        coloured: whether its form has room for colours.
        pixels: of a small image, in its own size, with colours if there is room for them and they are wanted; of
            others, and where the pixels are damaged, None.
    """

    size: tuple[int, int]
    coloured: bool
    pixels: NDArray[np.uint8] | None = None


def look_at(file: BinaryIO, *, gray: bool = False, small: int = 0) -> Look:
    """Look at an image without decoding it, unless it is small: then that costs less than opening it again.

    Args:
        file: of an image.
        gray: whether the pixels of a small image are grey, as `decode` has it.
        small: the longest side of an image that is decoded.

    Raises:
        BrokenImageError: it is no image that can be read.
    """
    with _reasons(), _opened(file) as image:
        turned = _orientation(image)
        size = image.size[::-1] if turned in _SWAPPING else image.size
        coloured = image.mode not in _GREY and not image.mode.startswith("I")
        pixels = None
        if max(size) <= small:
            with suppress(BrokenImageError), _reasons():
                pixels = _pixels(image, turned, size, gray=gray or not coloured)
        return Look(size, coloured, pixels)


def decode(content: bytes, size: tuple[int, int], *, gray: bool) -> NDArray[np.uint8]:
    """The pixels of an image, stretched to a size: (height, width), or (height, width, 3) for red, green and blue.

    The first picture of several is read; EXIF's orientation is heeded; what is transparent lies on white; 16 bits
    become 8. Reducing averages over all pixels.

    Args:
        content: of an image file.
        size: (width, height) of the result.
        gray: whether the result is grey: 0.299 red + 0.587 green + 0.114 blue.

    Raises:
        BrokenImageError: it is no image that can be read.
    """
    with _reasons(), _opened(io.BytesIO(content)) as image:
        return _pixels(image, _orientation(image), size, gray=gray)


def _pixels(image: "Image.Image", turned: int, size: tuple[int, int], *, gray: bool) -> NDArray[np.uint8]:
    from PIL import Image

    wanted = size[::-1] if turned in _SWAPPING else size
    image.draft("L" if gray else "RGB", (_GAP * wanted[0], _GAP * wanted[1]))  # JPEG alone heeds it
    flat = _flat(image, "L" if gray else "RGB")
    if flat.size != wanted:
        flat = flat.resize(wanted, Image.Resampling.BILINEAR, reducing_gap=_GAP)
    return np.asarray(flat if turned == 1 else _turn(flat, turned), np.uint8)


def _opened(file: BinaryIO) -> "Image.Image":
    from PIL import Image

    image = Image.open(file, formats=_FORMATS)
    if not all(image.size):
        raise BrokenImageError("it has no pixels")
    return image


@contextmanager
def _reasons() -> Iterator[None]:
    """Whatever Pillow raises for a file that is not as it should be, as one exception with the reason in words."""
    from PIL import Image, UnidentifiedImageError

    try:
        yield
    except (BrokenImageError, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise BrokenImageError("is not an image that can be read; save it as PNG or JPEG") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        most = Image.MAX_IMAGE_PIXELS or 0
        raise BrokenImageError(f"has more than the {most:,} pixels that an image may have; make it smaller") from error
    except Exception as error:  # a damaged file makes Pillow raise nearly anything
        raise BrokenImageError(f"is a damaged image ({str(error) or type(error).__name__}); save it again") from error


def reason_unread(error: Exception) -> str:
    """Why a file could not be opened, in words that follow its name."""
    return f"cannot be read ({getattr(error, 'strerror', None) or error})"


def _orientation(image: "Image.Image") -> int:
    if image.format == "PNG" and "exif" not in image.info:  # else all of it would be decoded, to look behind the pixels
        return 1
    if image.format == "TIFF":  # which Pillow turns by itself
        return 1
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF says nothing, and the pixels may be well
        return 1


def _turn(image: "Image.Image", orientation: int) -> "Image.Image":
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image


def _flat(image: "Image.Image", mode: str) -> "Image.Image":
    """An image of 8 bits per channel, without transparency."""
    from PIL import Image

    if image.mode == "F":
        raise BrokenImageError("holds numbers with a point; save it with 8 or 16 bits per channel")
    if image.mode.startswith("I"):
        image = Image.fromarray(_eight_bits(np.asarray(image)))
    if image.has_transparency_data:
        over = image.convert("RGBA")
        image = Image.new("RGBA", over.size, "white")
        image.alpha_composite(over)
    return image if image.mode == mode else image.convert(mode)


def _eight_bits(values: Ints) -> NDArray[np.uint8]:
    """16 bits as 8, rounded: 65,535 becomes 255."""
    if values.min() < 0 or values.max() > 65535:
        raise BrokenImageError("has more than 16 bits per pixel; save it with 8 or 16")
    return ((values.astype(np.uint32) * 255 + 32767) // 65535).astype(np.uint8)
