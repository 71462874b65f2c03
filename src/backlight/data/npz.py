"""Arrays `x` and `y` from a NumPy `.npz` file, checked; Python objects in it are never opened."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.standardising import LARGEST
from backlight.data.targets import Classes, Labels, Quantities, SeveralClasses, Target
from backlight.errors import InputError

_SAVE: Final = "save it with numpy.savez(path, x=..., y=...)"

RawTarget: TypeAlias = list[str] | list[tuple[str, ...]] | NDArray[np.float64]
"""Labels as text, one or several per example, or numbers (n, k)."""


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, Array]:
    """The named arrays of an `.npz` file.

    Raises:
        InputError: no such file, no `.npz` file, an array that is not there, or one of Python objects.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            there = [entry.removesuffix(".npy") for entry in archive.namelist() if entry.endswith(".npy")]
            for name in names:
                if name not in there:
                    shown = ", ".join(repr(other) for other in there[:12]) or "no arrays at all"
                    raise InputError(f"{path} has no array {name!r}, only {shown}; {_SAVE}")
            return {name: _read_array(path, name, archive) for name in names}
    except FileNotFoundError as error:
        raise InputError(f"there is no file {path}") from error
    # NotImplementedError: a compression that zipfile does not know; RuntimeError: an encrypted archive
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(f"{path} is not a readable .npz file ({error}); {_SAVE}") from error
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _read_array(path: Path, name: str, archive: zipfile.ZipFile) -> Array:
    try:
        with archive.open(f"{name}.npy") as file:
            array: Array = np.lib.format.read_array(file, allow_pickle=False)
            return array
    except (ValueError, MemoryError) as error:
        reason = "holds Python objects" if "Object arrays" in str(error) else f"cannot be read ({error})"
        raise InputError(f"{path}: array {name!r} {reason}; save it as numbers or strings") from error


def check_inputs(path: Path, x: Array) -> tuple[Array, tuple[int, ...]]:
    """The inputs as rows (n, d), and the shape of one example: (d,) or (height, width).

    Raises:
        InputError: not numbers, not finite, no rows, or a wrong number of axes.
    """
    if x.dtype.kind not in "buif":
        raise InputError(f"{path}: x holds {x.dtype}; it must hold numbers")
    if x.ndim not in {2, 3}:
        raise InputError(
            f"{path}: x has shape {x.shape}; it must be (examples, inputs) or (examples, height, width); "
            "reshape it before saving"
        )
    if not x.size:
        raise InputError(f"{path}: x has shape {x.shape}, so it holds nothing; give at least one example")
    rows = np.ascontiguousarray(x.reshape(len(x), -1))
    _refuse_unusable(path, "x", rows)
    return rows, x.shape[1:]


def check_lengths(path: Path, x: Array, y: Array) -> None:
    """Refuse targets that do not belong to the inputs.

    Raises:
        InputError: y is a single number, or has another length than x.
    """
    if y.ndim == 0 or len(x) != len(y):
        count = "no rows" if y.ndim == 0 else f"{len(y):,} rows"
        raise InputError(f"{path}: x has {len(x):,} rows but y has {count}; they must have as many")


def _refuse_unusable(path: Path, name: str, rows: Array) -> None:
    if rows.dtype.kind != "f":
        return
    with np.errstate(invalid="ignore", over="ignore"):
        bad = ~(np.abs(rows) <= LARGEST) if rows.dtype.itemsize > 4 else ~np.isfinite(rows)
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"{path}: {name}[{row}] holds {rows[row, column]} in column {column}, and {int(bad.sum()):,} values "
            "are not finite numbers in all; replace them or leave their rows out"
        )


def check_target(path: Path, y: Array) -> Array:
    """The targets as a table (n, k).

    Raises:
        InputError: neither numbers nor strings, not finite, or a wrong number of axes.
    """
    if y.dtype.kind not in "buifUS":
        raise InputError(f"{path}: y holds {y.dtype}; it must hold numbers or strings")
    if y.ndim > 2 or not y.size:
        raise InputError(f"{path}: y has shape {y.shape}; it must be (examples,) or (examples, targets)")
    table = y.reshape(len(y), -1)
    _refuse_unusable(path, "y", table)
    return table


def read_target(path: Path, y: Array, task: str | None) -> tuple[Classes | Labels | SeveralClasses | None, RawTarget]:
    """What `y` means, and its values as labels or as numbers (n, k).

    | y | meaning |
    |---|---|
    | strings, whole numbers or booleans (n,) or (n, 1) | classes |
    | strings (n, k), or numbers (n, k) where the task is classification | k questions with classes of their own |
    | zeros and ones (n, k), one 1 in every row | classes 0 .. k-1 |
    | zeros and ones (n, k) | labels that may co-occur |
    | other numbers (n,) or (n, k) | quantities (None is returned: they are fitted on the training part) |

    Args:
        path: named in errors.
        y: as saved.
        task: `classification` or `regression` to decide it, None to follow the table.

    Raises:
        InputError: neither numbers nor strings, not finite, a wrong number of axes, or a single class.
    """
    table = check_target(path, y)
    width = table.shape[1]
    if y.dtype.kind in "US" and task == "regression":
        raise InputError(f"{path}: y has shape {y.shape} and holds text; regression needs numbers")
    if width > 1 and y.dtype.kind not in "US" and task != "regression" and bool(((table == 0) | (table == 1)).all()):
        if is_one_hot(table):
            codes = table.argmax(axis=1)
            return Classes(tuple(str(i) for i in range(width))), [str(code) for code in codes.tolist()]
        return Labels(tuple(f"label {i}" for i in range(width))), table.astype(np.float64)
    if width > 1 and (task == "classification" or y.dtype.kind in "US"):
        columns = [texts(column) for column in table.T]
        questions = zip(columns, quantity_names(width), strict=True)
        found = (replace(find_classes(labels, f"{path}: {name} of y"), column=name) for labels, name in questions)
        return SeveralClasses(tuple(found)), list(zip(*columns, strict=True))
    if (task or ("regression" if width > 1 or y.dtype.kind == "f" else "classification")) == "regression":
        return None, table.astype(np.float64)
    labels = texts(table[:, 0])
    return find_classes(labels, f"{path}: y"), labels


def is_one_hot(table: Array) -> bool:
    """Whether every row of numbers (n, k) has one 1 and otherwise zeros."""
    return bool(((table == 0) | (table == 1)).all() and (table.sum(axis=1) == 1).all())


def find_classes(labels: list[str], what: str) -> Classes:
    """The classes among labels: numbers by size, text in the order of the alphabet.

    Raises:
        InputError: there is only one.

    Example:
        >>> find_classes(["10", "9", "9"], "y").names
        ('9', '10')
    """
    return Classes(tuple(sorted_labels(labels, what)))


def sorted_labels(labels: Sequence[str], what: str) -> list[str]:
    """The different labels: numbers by size, then text in the order of the alphabet.

    Raises:
        InputError: there is only one.
    """
    different = set(labels)
    if len(different) < 2:
        raise InputError(
            f"{what} is {labels[0]!r} in every row, and one class gives nothing to learn; "
            "choose another target or give examples of the other classes"
        )
    return sorted(different, key=_size_then_text)


def _size_then_text(label: str) -> tuple[int, float, str]:
    try:
        return (0, float(label), label)
    except ValueError:
        return (1, 0.0, label)


def texts(values: Array) -> list[str]:
    """Labels as text; whole numbers without a point.

    Example:
        >>> texts(np.array([1.0, 2.5])), texts(np.array(["a"]))
        (['1', '2.5'], ['a'])
    """
    if values.dtype.kind == "S":
        return [value.decode("utf-8", "replace") for value in values.tolist()]
    if values.dtype.kind == "f":
        return [str(int(value)) if value.is_integer() else repr(value) for value in values.tolist()]
    return [str(value) for value in values.tolist()]


def quantity_names(width: int) -> tuple[str, ...]:
    """Names for quantities that have none.

    Example:
        >>> quantity_names(1), quantity_names(2)
        (('y',), ('y0', 'y1'))
    """
    return ("y",) if width == 1 else tuple(f"y{i}" for i in range(width))


def encode_target(
    target: Classes | Labels | SeveralClasses | None,
    raw: RawTarget,
    train: NDArray[np.int64],
    names: tuple[str, ...],
    *,
    standardised: bool = True,
) -> tuple[Target, Array]:
    """The target and the network's targets; quantities (None) are fitted on the training part, standardised or not.

    Raises:
        InputError: a quantity is constant in the training part.
    """
    if isinstance(target, Classes):
        return target, target.encode([str(label) for label in raw])
    if isinstance(target, SeveralClasses):
        return target, target.encode([tuple(labels) for labels in raw])
    values = np.asarray(raw, np.float64)
    known = Quantities.fit(names, values[train], standardised=standardised) if target is None else target
    return known, known.encode(values)
