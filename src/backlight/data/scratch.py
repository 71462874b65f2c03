"""Files that hold what does not fit into memory, for as long as it is needed."""

import math
import tempfile
from collections.abc import Iterable
from typing import Any, BinaryIO

import numpy as np

from backlight.data.idx import cache_folder
from backlight.errors import BacklightError


def scratch_file() -> BinaryIO:
    """A file on the disk of the user's cache folder that vanishes when it is closed, or when the process ends.

    Raises:
        BacklightError: the folder cannot be written to.
    """
    folder = cache_folder("scratch")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by its owner
    except OSError as error:
        raise BacklightError(f"cannot write to {folder}: {error.strerror or error}; set XDG_CACHE_HOME") from error
    return file


def no_room(what: str, error: OSError) -> BacklightError:
    """The refusal where a scratch file cannot take what is written to it."""
    return BacklightError(
        f"no room for {what} in {cache_folder('scratch')}: {error.strerror or error}; "
        "make room, or set XDG_CACHE_HOME to a folder on a larger disk"
    )


def written(
    pieces: Iterable[np.ndarray[Any, Any]], dtype: np.dtype[Any], shape: tuple[int, ...], what: str
) -> np.ndarray[Any, Any]:
    """An array in a mapped scratch file that vanishes with it.

    Args:
        pieces: that follow each other, C-contiguous, of that dtype.
        dtype: of the array.
        shape: of the array.
        what: it holds, for messages.

    Raises:
        BacklightError: there is no room on the disk.
    """
    with scratch_file() as file:
        try:
            for piece in pieces:
                file.write(piece.data)
            file.flush()
        except OSError as error:
            raise no_room(f"{math.prod(shape) * dtype.itemsize / 1e9:.1f} GB of {what}", error) from error
        return np.memmap(file, dtype, "r+", shape=shape)
