"""IDX files, the format of the MNIST sets: found, read and checked.

A file holds a magic number of four bytes (two zeros, the type, the number of axes), the length of every axis as
a big-endian whole number of four bytes, and the values. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST
database of handwritten digits", 1998.
"""

import hashlib
import math
import os
import sys
import zlib
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.errors import InputError

FILES: Final = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)

_UINT8: Final = 8


def cache_folder(name: str) -> Path:
    """The user's cache folder for a data set, where `backlight data get` puts it."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - Path.home() fails where there is no home
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "backlight" / name


def folders(name: str) -> list[Path]:
    """Where the files of a data set are looked for, in this order."""
    own = os.environ.get("BACKLIGHT_DATA")
    first = [Path(own) / name] if own else []
    return [*first, cache_folder(name), Path("/usr/share/datasets") / name]


def find_files(name: str) -> list[Path]:
    """The four files of a data set, from the first folder that has them all.

    Raises:
        InputError: no folder has them all.
    """
    searched = folders(name)
    for folder in searched:
        found = [
            next((path for path in (folder / file, folder / f"{file}.gz") if path.is_file()), None) for file in FILES
        ]
        files = [path for path in found if path is not None]
        if len(files) == len(FILES):
            return files
        if files:
            lacking = ", ".join(f"{file}.gz" for file, path in zip(FILES, found, strict=True) if path is None)
            raise InputError(
                f"{folder} holds only a part of {name}: {lacking} is missing; put it there, "
                f"or run 'backlight data get {name}'"
            )
    places = ", ".join(str(folder) for folder in searched)
    raise InputError(
        f"{name} is not on this machine; run 'backlight data get {name}', or put {', '.join(FILES)} "
        f"(with .gz at the end or not) into one of {places}"
    )


def unpack(path: Path, content: bytes, most: int) -> bytes:
    """The content of a file, unpacked if it is gzipped.

    Args:
        path: named in errors.
        content: the file's bytes.
        most: how many bytes are unpacked at most, against files that would fill the memory.

    Raises:
        InputError: the gzipped data is damaged or cut short, or unpacks to more than `most` bytes.
    """
    if not content.startswith(b"\x1f\x8b"):
        return content
    unpacker = zlib.decompressobj(wbits=31)
    try:
        unpacked = unpacker.decompress(content, most + 1)
    except zlib.error as error:
        raise InputError(f"{path} is damaged: its gzipped data cannot be unpacked; fetch it again") from error
    if len(unpacked) > most:
        raise InputError(f"{path} unpacks to more than the {most:,} bytes that are expected; fetch it again")
    if not unpacker.eof:
        raise InputError(f"{path} is cut short: its gzipped data ends too early; fetch it again")
    return unpacked


def read_idx(path: Path, axes: int, *, most: int = 1 << 30) -> tuple[NDArray[np.uint8], str]:
    """The values of an IDX file of uint8, gzipped or not, and the SHA-256 of the file as it lies there.

    Args:
        path: the file.
        axes: how many axes its values must have: 1 for labels, 3 for images.
        most: how many bytes are unpacked at most.

    Raises:
        InputError: the file cannot be read, or has a wrong magic number or length.
    """
    try:
        packed = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    content = unpack(path, packed, most)
    expected = bytes([0, 0, _UINT8, axes])
    if content[:4] != expected:
        what = "it is empty" if not content else f"it begins with 0x{content[:4].hex()}"
        raise InputError(
            f"{path} is no IDX file of {'labels' if axes == 1 else 'images'}: {what}, "
            f"where 0x{expected.hex()} is expected; fetch it again"
        )
    start = 4 + 4 * axes
    if len(content) < start:
        raise InputError(f"{path} is cut short within its first {start} bytes; fetch it again")
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if len(content) - start != math.prod(shape):
        raise InputError(
            f"{path} holds {len(content) - start:,} values where its header promises "
            f"{' x '.join(map(str, shape))} = {math.prod(shape):,}; fetch it again"
        )
    values = np.frombuffer(content, np.uint8, offset=start).reshape(shape)
    return values, hashlib.sha256(packed).hexdigest()


def read_pair(images: Path, labels: Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8], list[tuple[str, str]]]:
    """Images (n, 28, 28), their labels (n,) from 0 to 9, and (path, SHA-256) of the two files.

    Raises:
        InputError: a file is damaged, or the two do not belong together.
    """
    x, x_sha256 = read_idx(images, 3)
    y, y_sha256 = read_idx(labels, 1)
    if len(x) != len(y):
        raise InputError(f"{images} holds {len(x):,} images but {labels} {len(y):,} labels; they must be as many")
    if x.shape[1:] != (28, 28):
        raise InputError(f"{images} holds images of {x.shape[1]}x{x.shape[2]} pixels where 28x28 is expected")
    if not len(x):
        raise InputError(f"{images} holds no images; fetch it again")
    if y.max() > 9:
        row = int(np.argmax(y > 9))
        raise InputError(f"{labels} holds label {y[row]} at row {row + 1}; labels go from 0 to 9")
    return x, y, [(str(images), x_sha256), (str(labels), y_sha256)]
