"""Many images as one array: looked at and decoded by threads, for Pillow lets others work while it does."""

import hashlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from backlight.data.images.decoding import BrokenImageError, Look, decode, look_at, quiet, reason_unread
from backlight.data.images.files import UNREADABLE, ImageFiles
from backlight.data.images.options import Progress
from backlight.data.images.pixels import LARGE, blank
from backlight.errors import InputError
from backlight.processors import processors

LONGEST_SIDE: Final = 64
"""Images are reduced to a longer side of this many pixels unless a size is asked for."""

_SMALL: Final = 48
"""Images whose longer side has at most this many pixels are decoded when they are looked at, if memory takes all."""

_BLOCK: Final = 64
_Given = TypeVar("_Given")


@dataclass(frozen=True)
class ImageSet:
    """Images of one size.

    Attributes:
        pixels: uint8 (m, height · width) or (m, height · width · 3), of the images that are not broken.
        shape: (height, width), or (height, width, 3) for red, green and blue.
        kept: which of the files each row is, ascending (m,).
        broken: (file, why it cannot be read).
        typical: (width, height), the median of the images as they lie there.
        sha256: over the names of all files and the SHA-256 of their contents.
        twins: (file, the first one before it that has the same content).
    """

    pixels: NDArray[np.uint8]
    shape: tuple[int, ...]
    kept: NDArray[np.int64]
    broken: tuple[tuple[int, str], ...]
    typical: tuple[int, int]
    sha256: str
    twins: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class _Seen:
    look: Look | None = None
    reason: str | None = None
    digest: bytes = b""


@dataclass(frozen=True)
class _Read:
    digest: bytes
    coloured: bool = False
    reason: str | None = None


def read_images(
    files: ImageFiles,
    names: Sequence[str],
    *,
    size: tuple[int, int] | None = None,
    gray: bool = False,
    skip_broken: bool = False,
    progress: Progress | None = None,
) -> ImageSet:
    """Decode images; the result does not depend on the number of threads.

    Args:
        files: where they are.
        names: which of them.
        size: (width, height) that each is stretched to; None for the median, with a longer side of 64 at most.
        gray: whether colours are dropped; they are also where no image has any.
        skip_broken: whether images that cannot be read are left out.
        progress: told how far it is; half of the work is looking at the files, half is decoding them.

    Raises:
        InputError: an image cannot be read, or none can.
        BacklightError: there is no room on the disk for more pixels than fit into memory.
    """
    count = len(names)
    small = min(_SMALL, math.isqrt(LARGE // (3 * count)))
    with quiet(), ThreadPoolExecutor(processors()) as pool:
        glances = list(_in_blocks(pool, partial(_look, files, gray=gray, small=small), names, progress, 0))
        refuse(files, names, [seen.reason for seen in glances], skip_broken=skip_broken)
        looks = [seen.look for seen in glances if seen.look is not None]
        sizes = np.array([look.size for look in looks])
        typical = (int(np.median(sizes[:, 0])), int(np.median(sizes[:, 1])))
        width, height = size or reduced(typical)
        deep = not gray and any(look.coloured for look in looks)
        pixels = blank((count, height, width, *([3] if deep else [])))
        task = partial(_read, files, pixels, gray=not deep)
        reads = list(_in_blocks(pool, task, list(zip(range(count), names, glances, strict=True)), progress, count))
    refuse(files, names, [read.reason for read in reads], skip_broken=skip_broken)
    kept = np.flatnonzero([read.reason is None for read in reads])
    coloured = any(read.coloured for read in reads)
    content = _packed(pixels, kept, coloured=coloured)
    shape = (height, width, 3) if coloured else (height, width)
    broken = tuple((i, read.reason) for i, read in enumerate(reads) if read.reason is not None)
    digests = [read.digest for read in reads]
    return ImageSet(content, shape, kept, broken, typical, _checksum(names, digests), _twins(digests))


def reduced(size: tuple[int, int]) -> tuple[int, int]:
    """A size (width, height) with a longer side of at most 64, in proportion.

    Example:
        >>> reduced((640, 480)), reduced((28, 28)), reduced((2000, 10))
        ((64, 48), (28, 28), (64, 1))
    """
    shrink = min(1.0, LONGEST_SIDE / max(size))
    return max(1, round(size[0] * shrink)), max(1, round(size[1] * shrink))


_Done = TypeVar("_Done")


def _in_blocks(
    pool: ThreadPoolExecutor,
    task: Callable[[_Given], _Done],
    items: Sequence[_Given],
    progress: Progress | None,
    before: int,
) -> Iterator[_Done]:
    """What a task makes of every item, in order; blocks of them are handed to the threads."""
    size = max(1, min(_BLOCK, len(items) // (8 * processors())))
    blocks = [items[start : start + size] for start in range(0, len(items), size)]
    done = 0
    for results in pool.map(lambda block: [task(item) for item in block], blocks):
        done += len(results)
        if progress is not None:
            progress(before + done, 2 * len(items))
        yield from results


def _look(files: ImageFiles, name: str, *, gray: bool, small: int) -> _Seen:
    try:
        with files.open(name) as file:
            look = look_at(file, gray=gray, small=small)
            if look.pixels is None:
                return _Seen(look)
            file.seek(0)
            return _Seen(look, digest=hashlib.sha256(file.read()).digest())
    except BrokenImageError as error:
        return _Seen(reason=str(error))
    except UNREADABLE as error:
        return _Seen(reason=reason_unread(error))


def _read(files: ImageFiles, pixels: NDArray[np.uint8], given: tuple[int, str, _Seen], *, gray: bool) -> _Read:
    number, name, seen = given
    digest, image = seen.digest, None if seen.look is None else seen.look.pixels
    height, width = pixels.shape[1:3]
    if image is None or image.shape[:2] != (height, width):
        try:
            with files.open(name) as file:
                content = file.read()
            digest = hashlib.sha256(content).digest()
            image = decode(content, (width, height), gray=gray)
        except BrokenImageError as error:
            return _Read(digest, reason=str(error))
        except UNREADABLE as error:
            return _Read(digest, reason=reason_unread(error))
    pixels[number] = image if image.ndim == pixels.ndim - 1 else image[..., None]
    coloured = image.ndim == 3 and bool((image != image[..., :1]).any())
    return _Read(digest, coloured)


def refuse(files: ImageFiles, names: Sequence[str], reasons: Sequence[str | None], *, skip_broken: bool) -> None:
    """Refuse broken images.

    Args:
        files: where they are.
        names: of the images.
        reasons: why each cannot be read, None where it can.
        skip_broken: whether some may be broken, but not all.

    Raises:
        InputError: an image cannot be read.
    """
    broken = [(name, reason) for name, reason in zip(names, reasons, strict=True) if reason is not None]
    if not broken or (skip_broken and len(broken) < len(names)):
        return
    name, reason = broken[0]
    if len(broken) == len(names):
        raise InputError(f"{files.shown(name)} {reason}" + (_all(len(names)) if len(names) > 1 else ""))
    more = f" ({len(broken):,} are broken in all)" if len(broken) > 1 else ""
    raise InputError(f"{files.shown(name)} {reason}, or leave broken images out with --skip-broken{more}")


def _all(count: int) -> str:
    return f"; none of the {count:,} images can be read"


def _packed(pixels: NDArray[np.uint8], kept: NDArray[np.int64], *, coloured: bool) -> NDArray[np.uint8]:
    """The rows (m, inputs) of images, moved to the beginning of their own memory; one channel if there is no colour."""
    if pixels.ndim == 4 and not coloured:
        first = pixels[..., 0]
        width = pixels.shape[1] * pixels.shape[2]
    else:
        first = pixels
        width = int(np.prod(pixels.shape[1:]))
    if len(kept) == len(pixels) and first is pixels:
        return pixels.reshape(len(pixels), width)
    rows = pixels.reshape(-1)[: len(kept) * width].reshape(len(kept), width)
    for row, place in enumerate(kept):
        rows[row] = first[place].reshape(-1)
    return rows


def _checksum(names: Sequence[str], digests: Sequence[bytes]) -> str:
    total = hashlib.sha256()
    for name, digest in zip(names, digests, strict=True):
        total.update(os.fsencode(name) + b"\0" + digest)
    return total.hexdigest()


def _twins(digests: Sequence[bytes]) -> tuple[tuple[int, int], ...]:
    first: dict[bytes, int] = {}
    return tuple((i, first[digest]) for i, digest in enumerate(digests) if first.setdefault(digest, i) != i)
