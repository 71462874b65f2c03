"""What an autoencoder gives back, as pictures."""

import numpy as np

from backlight.arrays import Array
from backlight.data import Inputs, TableInputs
from backlight.files import Model
from backlight.plots import Block, Gallery, Heading, Picture, Text


def picture_blocks(model: Model, x: Array, names: list[str], *, least: int = 1) -> list[Block]:
    """Each example as an image, left what went in and right what came out; nothing where examples are no images.

    Args:
        model: an autoencoder.
        x: a few inputs (n, i).
        names: one per example.
        least: how many pixels high a picture should be; each pixel is drawn as a square of several where it is less.
    """
    shape = image_shape(model.inputs)
    if shape is None:
        return []
    zoom = np.ones((-(-least // shape[0]),) * 2 + (1,) * (len(shape) - 2))
    seen, given = model.network.as_inputs(x), model.network.predict(x)
    pictures = tuple(
        Picture(
            np.asarray(np.kron(beside(before.reshape(shape), after.reshape(shape)), zoom), np.float64), caption=name
        )
        for before, after, name in zip(seen, given, names, strict=True)
    )
    return [Heading("Inputs and reconstructions"), Text("left what went in, right what came out"), Gallery(pictures)]


def image_shape(inputs: Inputs) -> tuple[int, ...] | None:
    """The (height, width) or (height, width, 3) of examples that are images, else None."""
    if isinstance(inputs, TableInputs) or len(inputs.shape) < 2:
        return None
    return inputs.shape


def beside(left: Array, right: Array) -> Array:
    """Two images (height, width) or (height, width, 3) with a strip of two pixels in the darkest value between.

    Example:
        >>> beside(np.ones((1, 1)), np.zeros((1, 1))).tolist()
        [[1.0, 0.0, 0.0, 0.0]]
    """
    strip = np.full((left.shape[0], 2, *left.shape[2:]), min(float(left.min()), float(right.min())))
    return np.clip(np.concatenate([left, strip, right], axis=1, dtype=np.float64), None, float(left.max()) or 1.0)
