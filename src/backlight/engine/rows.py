"""A row source: where examples lie in memory, and how a batch of them is gathered."""

import mmap
from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Array, Ints
from backlight.errors import InputError


@dataclass(frozen=True)
class RowSource:
    """Rows of numbers, in memory or in a memory map, that an engine reads by pointer, stride and dtype.

    uint8 rows stay uint8 until a batch of them is gathered, and are then read as value / 255.

    Args:
        array: rows (n, i) of uint8, float32 or float64, C-contiguous. The source keeps it alive.

    Example:
        >>> source = row_source(np.array([[0, 255], [51, 0]], np.uint8))
        >>> out = np.empty((1, 2), np.float32)
        >>> source.gather(np.array([1]), np.empty((1, 2), np.uint8), out)
        >>> out.round(3).tolist()
        [[0.20000000298023224, 0.0]]
    """

    array: Array

    @property
    def pointer(self) -> int:
        """The address of the first row."""
        return int(self.array.ctypes.data)

    @property
    def stride(self) -> int:
        """The distance from row to row, in bytes."""
        return int(self.array.strides[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """uint8, float32 or float64."""
        return self.array.dtype

    @property
    def count(self) -> int:
        """n, the number of rows."""
        return int(self.array.shape[0])

    @property
    def width(self) -> int:
        """i, the number of values in a row."""
        return int(self.array.shape[1])

    @property
    def mapped(self) -> bool:
        """Whether the rows are in a file that is mapped into memory and shared with it."""
        return isinstance(self.array, np.memmap) and self.array.mode in {"r", "r+"}

    def release(self) -> None:
        """Let go of the memory that holds mapped rows, which stay in their file; others stay where they are."""
        mapping = getattr(self.array, "_mmap", None)
        if self.mapped and mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)

    @property
    def scale(self) -> float:
        """What a stored value is multiplied with."""
        return 1.0 / 255.0 if self.dtype == np.uint8 else 1.0

    def gather(self, rows: Ints, raw: Array, out: Array) -> None:
        """Write the rows' values, scaled, into `out` (m, i).

        Args:
            rows: row numbers (m,).
            raw: working memory (m, i) of the source's dtype; untouched where `out` has that dtype and no scaling.
            out: floating-point numbers (m, i).
        """
        direct = self.dtype == out.dtype
        # mode="clip" writes straight into `out`; the row numbers were checked when the session was opened
        np.take(self.array, rows, axis=0, out=out if direct else raw, mode="clip")
        if not direct:
            np.multiply(raw, out.dtype.type(self.scale), out=out, casting="same_kind")


def row_source(x: Any) -> RowSource:
    """The row source of an array; integers other than uint8 and half floats are converted to float32.

    Raises:
        InputError: x is not two-dimensional numbers, is empty, or holds NaN or an infinity.
    """
    x = np.asanyarray(x)
    if x.ndim != 2 or x.dtype.kind not in "iufb":
        raise InputError(f"x is {x.dtype} of shape {x.shape}; an array of numbers of shape (n, inputs) is needed")
    if x.shape[0] == 0:
        raise InputError("x has no rows; at least one example is needed")
    if x.dtype not in (np.uint8, np.float32, np.float64):
        x = x.astype(np.float32)
    x = np.ascontiguousarray(x) if not x.flags.c_contiguous else x
    x = x if x.flags.aligned else x.copy()
    source = RowSource(x)
    if x.dtype != np.uint8:
        _refuse_not_finite(source)
    return source


def _refuse_not_finite(source: RowSource, chunk: int = 1 << 14) -> None:
    for start in range(0, source.count, chunk):
        finite = np.isfinite(source.array[start : start + chunk])
        if not finite.all():
            row, column = (int(k) for k in np.argwhere(~finite)[0])
            raise InputError(
                f"x is {source.array[start + row, column]} in row {start + row}, column {column} (counted from 0); "
                "every input must be a finite number: fill or remove the missing values"
            )
        source.release()
