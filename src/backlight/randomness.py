"""Counter-based random numbers: Philox4x32-10, keyed by a seed and a purpose.

A draw is a function of its place (row, epoch, layer, unit), not of the draws before it. So it is the same on
any number of threads, in either engine, and after a run is resumed in its middle.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

from enum import IntEnum
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.errors import InputError, whole_number

Words: TypeAlias = NDArray[np.uint64]

_M0: Final = np.uint64(0xD2511F53)
_M1: Final = np.uint64(0xCD9E8D57)
_W0: Final = 0x9E3779B9
_W1: Final = 0xBB67AE85
_LOW: Final = np.uint64(0xFFFFFFFF)
_SHIFT: Final = np.uint64(32)
_ROUNDS: Final = 10
_BLOCK: Final = 1 << 14  # counters whose words stay in the processor's cache

PIECE: Final = 4096
"""How many neighbouring rows stay together when data on a disk is put into a random order."""


class Purpose(IntEnum):
    """What a stream is for; each has its own key, so that no two of them ever share a draw."""

    INITIALISATION = 1
    SHUFFLING = 2
    DROPOUT = 3
    AUGMENTATION = 4
    SPLITTING = 5
    GENERATION = 6
    CHECKING = 7
    RESAMPLING = 8
    PERMUTING = 12
    SEARCHING = 13
    DIRECTIONS = 14


class PhiloxBlock:
    """Draws for a fixed shape of counters, with all memory taken beforehand.

    Args:
        shape: one counter, and so four words of 32 bits, per element.

    Example:
        The known answer for counter 0 and key 0 from the authors' Random123 test file:

        >>> words = PhiloxBlock((1,)).draw((0, 0), 0, 0, 0, 0)
        >>> [hex(int(word[0])) for word in words]
        ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._x = [np.empty(shape, np.uint64) for _ in range(4)]
        self._p = [np.empty(shape, np.uint64) for _ in range(2)]

    def draw(
        self, key: tuple[int, int], c0: int | Words, c1: int | Words, c2: int | Words, c3: int | Words
    ) -> list[Words]:
        """The four 32-bit words of every counter, as uint64 arrays that the next draw overwrites.

        Where `c0` is an array, only as many rows of the block are drawn as it has.

        Args:
            key: two words of 32 bits.
            c0: first word of the counters; anything that broadcasts to the block's shape.
            c1: second word.
            c2: third word.
            c3: fourth word.
        """
        rows = slice(len(c0)) if isinstance(c0, np.ndarray) and c0.ndim else ...
        x, (p0, p1) = [word[rows] for word in self._x], [word[rows] for word in self._p]
        for word, counter in zip(x, (c0, c1, c2, c3), strict=True):
            word[...] = counter
        k0, k1 = key
        for _ in range(_ROUNDS):
            np.multiply(x[0], _M0, out=p0)
            np.multiply(x[2], _M1, out=p1)
            np.bitwise_and(p1, _LOW, out=x[0])
            np.right_shift(p1, _SHIFT, out=p1)
            np.bitwise_xor(p1, x[1], out=x[1])
            np.bitwise_xor(x[1], np.uint64(k0), out=x[1])
            np.bitwise_and(p0, _LOW, out=x[2])
            np.right_shift(p0, _SHIFT, out=p0)
            np.bitwise_xor(p0, x[3], out=x[3])
            np.bitwise_xor(x[3], np.uint64(k1), out=x[3])
            x = [x[1], x[0], x[3], x[2]]
            k0, k1 = (k0 + _W0) & 0xFFFFFFFF, (k1 + _W1) & 0xFFFFFFFF
        return x


def check_seed(seed: int) -> None:
    """Refuse a seed that is not a whole number from 0 to 2⁶⁴ − 1.

    Raises:
        InputError: it is something else.
    """
    if whole_number("seed", seed, 0) >= 2**64:
        raise InputError(f"seed is {seed}; it must be below 2^64")


@cache
def stream_key(seed: int, purpose: Purpose) -> tuple[int, int]:
    """The key of the stream that a seed gives for a purpose.

    Raises:
        InputError: the seed is not a whole number from 0 to 2⁶⁴ − 1.

    Example:
        >>> stream_key(0, Purpose.DROPOUT) != stream_key(0, Purpose.SHUFFLING)
        True
    """
    check_seed(seed)
    words = PhiloxBlock(()).draw((0, 0), int(seed) & 0xFFFFFFFF, int(seed) >> 32, int(purpose), 0)
    return int(words[0]), int(words[1])


def words(
    seed: int, purpose: Purpose, count: int, *, first: int = 0, place: tuple[int, int] = (0, 0)
) -> NDArray[np.uint32]:
    """Random words of 32 bits (count,): word r of the stream for r = first, first + 1, ….

    Args:
        seed: the run's seed.
        purpose: which stream.
        count: how many words.
        first: the number of the first one, a multiple of 4.
        place: the two high words of the counter.

    Example:
        >>> all_of_them = words(0, Purpose.RESAMPLING, 10)
        >>> bool((words(0, Purpose.RESAMPLING, 6, first=4) == all_of_them[4:]).all())
        True
    """
    assert first % 4 == 0
    counters = -(-count // 4)
    drawn = np.empty((counters, 4), np.uint32)
    block = PhiloxBlock((min(counters, _BLOCK),))
    for start in range(0, counters, _BLOCK):
        stop = min(start + _BLOCK, counters)
        r = np.arange(first // 4 + start, first // 4 + stop, dtype=np.uint64)
        for column, word in enumerate(block.draw(stream_key(seed, purpose), r & _LOW, r >> _SHIFT, *place)):
            drawn[start:stop, column] = word
    return drawn.reshape(-1)[:count]


def uniforms(seed: int, purpose: Purpose, count: int, *, place: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """Uniform draws in the open interval (0, 1): the middles of 2⁵² equal cells.

    Args:
        seed: the run's seed.
        purpose: which stream.
        count: how many draws.
        place: the two high words of the counter, (epoch, layer) for instance.

    Returns:
        Draws (count,) in float64; draw r depends on seed, purpose, place and r alone.

    Example:
        >>> a = uniforms(0, Purpose.GENERATION, 1000)
        >>> bool((a[:10] == uniforms(0, Purpose.GENERATION, 10)).all())
        True
        >>> 0.45 < a.mean() < 0.55
        np.True_
    """
    r = np.arange((count + 1) // 2, dtype=np.uint64)
    words = PhiloxBlock(r.shape).draw(stream_key(seed, purpose), r & _LOW, r >> _SHIFT, place[0], place[1])
    pairs = np.empty((len(r), 2), np.uint64)
    for column in range(2):
        pairs[:, column] = (words[2 * column] << np.uint64(20)) | (words[2 * column + 1] >> np.uint64(12))
    return ((pairs.reshape(-1)[:count]).astype(np.float64) + 0.5) * 2.0**-52


def normals(seed: int, purpose: Purpose, count: int, *, place: tuple[int, int] = (0, 0)) -> NDArray[np.float64]:
    """Standard normal draws by the Box–Muller transform of `uniforms`.

    Source: Box and Muller, "A note on the generation of random normal deviates", 1958.

    Example:
        >>> a = normals(0, Purpose.GENERATION, 10_000)
        >>> bool(abs(a.mean()) < 0.05) and bool(abs(a.std() - 1) < 0.05)
        True
    """
    u = uniforms(seed, purpose, 2 * ((count + 1) // 2), place=place).reshape(-1, 2)
    radius, angle = np.sqrt(-2.0 * np.log(u[:, 0])), 2.0 * np.pi * u[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)[:count]


def permutation(seed: int, purpose: Purpose, count: int, *, place: tuple[int, int] = (0, 0)) -> NDArray[np.int64]:
    """A random order of 0 .. count-1: the order of one 64-bit draw per element.

    Example:
        >>> permutation(0, Purpose.SHUFFLING, 5).tolist() == permutation(0, Purpose.SHUFFLING, 5).tolist()
        True
        >>> sorted(permutation(0, Purpose.SHUFFLING, 5).tolist())
        [0, 1, 2, 3, 4]
    """
    keys = np.empty(count, np.uint64)
    block = PhiloxBlock((min(count, _BLOCK),))
    for start in range(0, count, _BLOCK):
        r = np.arange(start, min(start + _BLOCK, count), dtype=np.uint64)
        words = block.draw(stream_key(seed, purpose), r & _LOW, r >> _SHIFT, place[0], place[1])
        keys[start : start + len(r)] = (words[0] << _SHIFT) | words[1]
    return np.argsort(keys, kind="stable")


def windowed_permutation(seed: int, count: int, window: int, *, place: tuple[int, int] = (0, 0)) -> NDArray[np.int64]:
    """A random order of 0 .. count-1 that stays within a window of memory for a while.

    Pieces of neighbouring numbers are put into a random order, as many pieces as fill a window are taken
    together, and the numbers within each window are put into a random order. So data that lies on a disk is read
    in pieces, each once.

    Args:
        seed: the run's seed.
        count: how many numbers.
        window: how many numbers are visited before the next ones are begun.
        place: the two high words of the counters; of the second, the lowest 2²⁰ must be free.

    Example:
        >>> order = windowed_permutation(0, 40 * PIECE, 10 * PIECE)
        >>> bool((np.sort(order) == np.arange(40 * PIECE)).all()), len(np.unique(order[: 10 * PIECE] // PIECE))
        (True, 10)
    """
    pieces = permutation(seed, Purpose.SHUFFLING, -(-count // PIECE), place=place)
    order = (pieces[:, None] * PIECE + np.arange(PIECE)).reshape(-1)
    order = order[order < count]
    for number, start in enumerate(range(0, count, window)):
        part = order[start : start + window]
        part[...] = part[permutation(seed, Purpose.SHUFFLING, len(part), place=(place[0], place[1] + number + 1))]
    return order
