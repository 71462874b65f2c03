"""Decoded images, kept in the user's cache folder, so that no image is decoded twice.

An entry is two files named by a key: `KEY.npy` with the pixels, and, written after it, `KEY.json` with the rest. The
key is a checksum over the path, the names, sizes and times of all files and over what was asked for, so that a file
that was changed, added or removed leads to another key. Where no size is asked for, the size that was found is kept
under a key of its own, so that asking for that size finds the same entry. The entries that were not used for longest
are removed when there is no room for a new one. Removing any of it, or all, is safe at any time.
"""

import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import numpy as np

from backlight.data.idx import cache_folder
from backlight.data.images.files import ImageFiles
from backlight.data.images.options import ImageOptions
from backlight.data.images.pixels import LARGE
from backlight.data.images.sets import LONGEST_SIDE, ImageSet, read_images, refuse
from backlight.errors import BacklightError, InputError
from backlight.storage import read_json, replacing, write_json

MOST: Final = 8 << 30
"""How many bytes of pixels are kept at most, unless a single entry has more."""

_FORMAT: Final = 1
_ABANDONED: Final = 24 * 3600.0


def cached_images(files: ImageFiles, names: Sequence[str], options: ImageOptions) -> tuple[ImageSet, tuple[str, ...]]:
    """Decoded images, from the cache if they are there, and what a reader should know.

    Args:
        files: where they are.
        names: which of them, ascending.
        options: size, grey, and whether broken images are left out.

    Raises:
        InputError: an image cannot be read, or none can.
    """
    folder = cache_folder("images")
    digest = _digest(files, names, options)
    own = folder / f"{_key(digest, None)}.json"  # where no size is asked for: which one was found
    size = options.size or _size_found(own)
    found = None if size is None else _find(folder, _key(digest, size))
    if found is not None:
        reasons = dict(found.broken)
        refuse(files, names, [reasons.get(i) for i in range(len(names))], skip_broken=options.skip_broken)
        return found, ()
    made = read_images(
        files,
        names,
        size=options.size,
        gray=options.gray,
        skip_broken=options.skip_broken,
        progress=options.progress,
    )
    size = (made.shape[1], made.shape[0])
    key = _key(digest, size)
    try:
        _keep(folder, key, made)
        if options.size is None:
            write_json(own, {"size": size})
    except BacklightError as error:
        return made, (f"the decoded images could not be kept for the next time: {error}",)
    return _find(folder, key) or made, ()


def _digest(files: ImageFiles, names: Sequence[str], options: ImageOptions) -> "hashlib._Hash":
    from PIL import __version__ as pillow

    stamps = dict(zip(files.names, files.stamps, strict=True))
    asked = (_FORMAT, pillow, LONGEST_SIDE, options.gray, str(files.path.resolve()))
    digest = hashlib.sha256(os.fsencode(repr(asked)))
    for name in names:
        digest.update(os.fsencode(f"{name}\0{stamps[name]}\n"))
    return digest


def _key(digest: "hashlib._Hash", size: tuple[int, int] | None) -> str:
    whole = digest.copy()
    whole.update(repr(size).encode())
    return whole.hexdigest()[:32]


def _size_found(path: Path) -> tuple[int, int] | None:
    try:
        width, height = map(int, read_json(path)["size"])
    except (InputError, ValueError, KeyError, TypeError):
        return None
    return width, height


def _find(folder: Path, key: str) -> ImageSet | None:
    """The images of a key, None where they are not kept, or not wholly."""
    about, pixels = folder / f"{key}.json", folder / f"{key}.npy"
    try:
        content = read_json(about)
        mapped: Literal["r"] | None = "r" if pixels.stat().st_size > LARGE else None
        array = np.load(pixels, mmap_mode=mapped, allow_pickle=False)
        found = ImageSet(
            array,
            tuple(map(int, content["shape"])),
            np.array(content["kept"], np.int64),
            tuple((int(i), str(reason)) for i, reason in content["broken"]),
            (int(content["typical"][0]), int(content["typical"][1])),
            str(content["sha256"]),
            tuple((int(i), int(first)) for i, first in content["twins"]),
        )
        if array.dtype != np.uint8 or array.shape != (len(found.kept), int(np.prod(found.shape))):
            return None
        os.utime(pixels, ns=(time.time_ns(), time.time_ns()))  # finer than the clock that files are stamped by
    except (InputError, OSError, ValueError, KeyError, TypeError, IndexError, EOFError):
        return None
    return found


def _keep(folder: Path, key: str, images: ImageSet) -> None:
    """Write an entry, the file that makes it one last."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BacklightError(f"cannot make the folder {folder}: {error.strerror or error}") from error
    _make_room(folder, images.pixels.nbytes)
    with replacing(folder / f"{key}.npy") as file:
        header = {"descr": "|u1", "fortran_order": False, "shape": images.pixels.shape}
        np.lib.format.write_array_header_1_0(file, header)
        step = max(1, (1 << 24) // max(1, images.pixels.shape[1]))
        for start in range(0, len(images.pixels), step):
            file.write(images.pixels[start : start + step].tobytes())
    content = {
        "shape": images.shape,
        "kept": images.kept.tolist(),
        "broken": images.broken,
        "typical": images.typical,
        "sha256": images.sha256,
        "twins": images.twins,
    }
    write_json(folder / f"{key}.json", content)


def _make_room(folder: Path, needed: int) -> None:
    """Remove the entries that were not used for longest, until a new one fits."""
    for left in folder.glob(".*.part"):  # of a process that was killed
        with suppress(OSError):
            if left.stat().st_mtime < time.time() - _ABANDONED:
                left.unlink()
    entries = []
    for pixels in folder.glob("*.npy"):
        with suppress(OSError):
            status = pixels.stat()
            entries.append((status.st_mtime_ns, status.st_size, pixels))
    total = needed + sum(size for _, size, _ in entries)
    for _, size, pixels in sorted(entries):
        if total <= MOST:
            break
        with suppress(OSError):
            pixels.with_suffix(".json").unlink(missing_ok=True)
            pixels.unlink()
            total -= size
