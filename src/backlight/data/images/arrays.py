"""Images that are arrays already: a pair of IDX files, or a `.npy` with a file of labels."""

import re
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.idx import read_idx
from backlight.data.images.pixels import LARGE, joined
from backlight.errors import InputError

_IDX: Final = re.compile(r"(.*)(images|labels)(.*idx)([13])(.*?)(\.gz)?", re.IGNORECASE)


def is_idx(path: Path) -> bool:
    """Whether a file is one of a pair of IDX files by its name.

    Example:
        >>> is_idx(Path("train-images-idx3-ubyte.gz")), is_idx(Path("images.zip"))
        (True, False)
    """
    return _IDX.fullmatch(path.name) is not None


def idx_pair(path: Path) -> tuple[Path, Path]:
    """The files of images and of labels, one of which is given.

    Raises:
        InputError: the other one does not lie beside it.
    """
    found = _IDX.fullmatch(path.name)
    assert found is not None
    before, kind, between, _, after, packed = found.groups()
    other, axes = ("labels", 1) if kind.lower() == "images" else ("images", 3)
    name = f"{before}{other}{between}{axes}{after}"
    places = [path.with_name(name + ending) for ending in dict.fromkeys((packed or "", "", ".gz"))]
    partner = next((place for place in places if place.is_file()), None)
    if not path.is_file():
        raise InputError(f"there is no file {path}")
    if partner is None:
        raise InputError(f"{path} needs its {other} beside it, and there is no file {places[0].name}")
    return (path, partner) if other == "labels" else (partner, path)


def read_idx_pair(path: Path) -> tuple[NDArray[np.uint8], list[str], list[tuple[str, str]]]:
    """Images (n, height, width), their labels as text, and (path, SHA-256) of the two files.

    Raises:
        InputError: a file is missing or damaged, or the two do not belong together.
    """
    images, labels = idx_pair(path)
    x, x_sha256 = read_idx(images, 3)
    y, y_sha256 = read_idx(labels, 1)
    if len(x) != len(y):
        raise InputError(f"{images} holds {len(x):,} images but {labels} {len(y):,} labels; they must be as many")
    if not x.size:
        raise InputError(f"{images} holds no images, or images without pixels")
    files = [(str(images.resolve()), x_sha256), (str(labels.resolve()), y_sha256)]
    return x, [str(label) for label in y.tolist()], files


def read_idx_images(path: Path) -> tuple[NDArray[np.uint8], list[tuple[str, str]]]:
    """Images (n, height, width) without labels, and (path, SHA-256) of their file.

    Raises:
        InputError: the file is missing or damaged, or holds labels and none with images lies beside it.
    """
    found = _IDX.fullmatch(path.name)
    images = path if found is not None and found[2].lower() == "images" else idx_pair(path)[0]
    x, sha256 = read_idx(images, 3)
    if not x.size:
        raise InputError(f"{images} holds no images, or images without pixels")
    return x, [(str(images.resolve()), sha256)]


def read_npy(path: Path) -> Array:
    """The array of a `.npy` file, mapped where it is large; Python objects in it are never opened.

    Raises:
        InputError: it cannot be read.
    """
    try:
        mapped: Literal["r"] | None = "r" if path.stat().st_size > LARGE else None
        array: Array = np.load(path, mmap_mode=mapped, allow_pickle=False)
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    except (ValueError, EOFError) as error:
        raise InputError(f"{path} is not a .npy file that can be read ({error}); save it with numpy.save") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    if not isinstance(array, np.ndarray):
        raise InputError(f"{path} holds several arrays; save one with numpy.save")
    return array


def read_npy_images(path: Path) -> NDArray[np.uint8]:
    """The images of a `.npy`: uint8 (n, height, width), or (n, height, width, 3) for red, green and blue.

    Raises:
        InputError: it cannot be read, or holds something else.
    """
    array = read_npy(path)
    fits = array.ndim == 3 or (array.ndim == 4 and array.shape[3] == 3)
    if array.dtype != np.uint8 or not fits or not array.size:
        raise InputError(
            f"{path} has shape {array.shape} of {array.dtype}; images are uint8 (n, height, width) or "
            "(n, height, width, 3); for other numbers save an .npz with x and y"
        )
    return array


def fitted(images: NDArray[np.uint8], size: tuple[int, int] | None, *, gray: bool) -> NDArray[np.uint8]:
    """Images stretched to a size (width, height) if one is asked for, and without colours if they shall be grey."""
    deep = images.ndim == 4
    if size is None or size == (images.shape[2], images.shape[1]):
        if not (gray and deep):
            return images
        size = (images.shape[2], images.shape[1])
    shape = (len(images), size[1], size[0], *([3] if deep and not gray else []))
    return joined((_stretched(image, size, gray=gray and deep)[None] for image in images), shape)


def _stretched(image: NDArray[np.uint8], size: tuple[int, int], *, gray: bool) -> NDArray[np.uint8]:
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    picture = picture.convert("L") if gray else picture
    return np.asarray(picture.resize(size, Image.Resampling.BILINEAR, reducing_gap=2))
