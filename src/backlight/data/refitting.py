"""Data for a network that has learnt from others already: its inputs stay as they are, and the data are made to fit."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.images.arrays import fitted
from backlight.data.images.negatives import negatives
from backlight.data.images.options import ImageOptions
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs
from backlight.data.tables.inputs import TableInputs
from backlight.errors import InputError


def form(inputs: Inputs) -> str:
    """What a network with these inputs is trained on, in words.

    Example:
        >>> form(ImageInputs((28, 20), "uint8")), form(ArrayInputs.fit(np.zeros((1, 2)), (2,)))
        ('images of 20x28 pixels', 'arrays of 2 numbers')
    """
    if isinstance(inputs, TableInputs):
        return "a table"
    if len(inputs.shape) > 1:
        return f"images of {inputs.shape[1]}x{inputs.shape[0]} pixels"
    return f"arrays of {inputs.width} numbers"


def image_inputs(known: Inputs, name: str) -> ImageInputs | ArrayInputs:
    """The known inputs, where images can be made to fit them.

    Raises:
        InputError: they are those of a table or of numbers.
    """
    fitting = isinstance(known, ImageInputs) or (isinstance(known, ArrayInputs) and known.dtype == "uint8")
    if not fitting or isinstance(known, TableInputs) or len(known.shape) < 2:
        raise InputError(f"{name} holds images, and the network to start from learnt from {form(known)}; give those")
    return known


def image_options(known: Inputs, options: ImageOptions, name: str) -> ImageOptions:
    """How images are read for known inputs: stretched to their size, in grey where they are.

    Raises:
        InputError: the inputs are no images.
    """
    shape = image_inputs(known, name).shape
    return replace(options, size=(shape[1], shape[0]), gray=len(shape) == 2)


def refit_pixels(pixels: NDArray[np.uint8], shape: tuple[int, ...], known: ImageInputs | ArrayInputs) -> Array:
    """The network's inputs (n, d) of pixels (n, height · width) or (n, height · width · 3) of the right size.

    Args:
        pixels: uint8.
        shape: of one image; images in grey are given three equal channels where the network knows colours.
        known: the network's inputs.
    """
    if len(shape) == 2 and len(known.shape) == 3:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2).reshape(len(pixels), -1)
    if isinstance(known, ImageInputs) and known.negative and known.dtype == "uint8":
        return negatives(pixels)
    return known.encode(pixels)


def refit_images(images: NDArray[np.uint8], known: Inputs, name: str) -> tuple[Array, Inputs]:
    """The network's inputs (n, d) of images uint8 (n, height, width) of any size, and those inputs.

    Raises:
        InputError: the known inputs are no images.

    Example:
        >>> x, _ = refit_images(np.full((1, 2, 2), 255, np.uint8), ImageInputs((1, 3), "uint8"), "two")
        >>> x.tolist()
        [[255, 255, 255]]
    """
    inputs = image_inputs(known, name)
    if images.shape[1:] != inputs.shape:
        options = image_options(inputs, ImageOptions(), name)
        images = fitted(images, options.size, gray=options.gray)
    return refit_pixels(np.ascontiguousarray(images).reshape(len(images), -1), tuple(images.shape[1:]), inputs), inputs


def refit_rows(rows: Array, shape: tuple[int, ...], known: Inputs, name: str) -> tuple[Array, Inputs]:
    """The network's inputs (n, d) of an array's rows (n, d), and those inputs.

    Args:
        rows: as they lie in the array.
        shape: of one example.
        known: the network's inputs.
        name: of the data, for messages.

    Raises:
        InputError: the rows do not fit.
    """
    if isinstance(known, TableInputs) or rows.shape[1] != known.width or len(shape) not in {1, len(known.shape)}:
        sizes = " x ".join(map(str, shape))
        raise InputError(
            f"an example of {name} has shape {sizes}, and the network to start from learnt from {form(known)}; "
            "give data of that form"
        )
    try:
        return known.encode(rows), known
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
