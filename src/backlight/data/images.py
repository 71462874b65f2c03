"""Image files as grey values, read through Pillow."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backlight.errors import InputError


def read_image(path: Path, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """The grey values of an image, row by row (1, height · width): 0 is black, 255 is white.

    Args:
        path: an image file of any format that Pillow reads.
        shape: (height, width) that the image must have.

    Raises:
        InputError: no such file, no image, another size, or more than 8 bits per channel.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            width, height = image.size
            if (height, width) != shape:
                raise InputError(
                    f"{path} has {width}x{height} pixels, but the model expects {shape[1]}x{shape[0]}; "
                    f"resize it to {shape[1]}x{shape[0]}"
                )
            if image.mode.startswith(("I", "F")):
                raise InputError(f"{path} has more than 8 bits per pixel; save it as an 8-bit image")
            return np.asarray(image.convert("L"), np.uint8).reshape(1, -1)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except UnidentifiedImageError as error:
        raise InputError(f"{path} is not an image that can be read; give a PNG or JPEG file") from error
    except (Image.DecompressionBombError, SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is a damaged image ({error}); save it again") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}; is the image damaged?") from error
