"""New data for a trained model."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.image_files import is_image
from backlight.data.image_loading import is_images
from backlight.data.image_options import ImageOptions
from backlight.data.image_reading import read_many_images, read_one_image
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs
from backlight.data.loading import TABLES
from backlight.data.npz import check_inputs, check_lengths, check_target, is_one_hot, read_arrays, texts
from backlight.data.table_inputs import NumberColumn, TableInputs, absent
from backlight.data.tables import Table
from backlight.data.targets import Classes, Labels, Quantities, SeveralClasses, Target
from backlight.errors import InputError, nearest


@dataclass(frozen=True)
class Rows:
    """Examples for a trained model.

    Attributes:
        x: inputs (n, d): float32, or uint8, which is read as value/255.
        y: targets as in `Dataset`, or None where they were not asked for.
        labels: one name per example, to be found again: `new.csv:3` or `new.npz:3` (row 3 from 0), `seven.png`.
        unseen: column → how many of its cells held a category that the model does not know.
        notes: what a reader should know of how the data was read, one sentence each.
    """

    x: Array
    y: Array | None
    labels: tuple[str, ...]
    unseen: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def read_rows(
    path: str | Path, inputs: Inputs, target: Target, *, labelled: bool, images: ImageOptions | None = None
) -> Rows:
    """Read new data in the form that a model was trained on.

    Args:
        path: a table with the columns that the model knows (others are ignored), an `.npz` with `x`, or, for a
            model of images, an image file, a folder or zip of them, a `.npy`, or one of a pair of IDX files.
        inputs: the model's inputs.
        target: the model's target.
        labelled: whether the targets are read as well (from the target's columns, from `y`, or where `images` says).
        images: where the labels of images come from, and whether broken ones are left out.

    Raises:
        InputError: the file cannot be read, or does not fit the model.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if is_images(path) and isinstance(inputs, ImageInputs | ArrayInputs):
        _need_images(path, inputs)
        return _of_images(*read_many_images(path, inputs, target, images or ImageOptions(), labelled=labelled))
    if path.is_dir():
        raise InputError(f"{path} is a folder; give a file")
    if suffix in TABLES:
        if not isinstance(inputs, TableInputs):
            raise InputError(f"{path} is a table, but the model was trained on {_form(inputs)}; give such a file")
        return _read_table(path, inputs, target, labelled=labelled)
    if isinstance(inputs, TableInputs):
        raise InputError(f"{path} is not a table, but the model was trained on one; give a file like 'new.csv'")
    if suffix == ".npz":
        return _read_npz(path, inputs, target, labelled=labelled)
    if is_image(path.name):
        if labelled:
            raise InputError(f"{path} is a single image without its class; give a folder of them, or an .npz")
        _need_images(path, inputs)
        x, notes = read_one_image(path, inputs)
        return Rows(x, None, (str(path),), notes=notes)
    raise InputError(f"{path} is of a kind that Backlight does not read; give {_form(inputs)}")


def _form(inputs: ImageInputs | ArrayInputs) -> str:
    if isinstance(inputs, ImageInputs):
        return f"images of {inputs.shape[1]}x{inputs.shape[0]} pixels (.png, .jpg, a folder of them or an .npz with x)"
    return "arrays (an .npz with x)"


def _read_table(path: Path, inputs: TableInputs, target: Target, *, labelled: bool) -> Rows:
    wanted = [column.name for column in inputs.columns]
    with Table(path, wanted) as table:
        for name in wanted:
            _need_column(table, name)
        numbers = [column.name for column in inputs.columns if isinstance(column, NumberColumn)]
        others = [name for name in wanted if name not in set(numbers)]
        x, unseen = inputs.encode({**table.numbers(numbers), **table.texts(others)})
        y = _table_target(table, target) if labelled else None
        labels = tuple(f"{path}:{row}" for row in range(len(x)))
    return Rows(x, y, labels, unseen)


def _need_column(table: Table, name: str) -> None:
    if name not in table.names:
        hint = nearest(name, list(table.names))
        raise InputError(f"{table.path} lacks the column {name!r}, which the model needs; {hint}")


def _table_target(table: Table, target: Target) -> Array:
    """The targets of a table's rows, from the column that the model predicts."""
    name = target.column if isinstance(target, Classes) else target.names[0]
    if name is None or isinstance(target, Labels | SeveralClasses):
        raise InputError(f"the model's target is no column of a table, so {table.path} cannot be evaluated")
    _need_column(table, name)
    if isinstance(target, Quantities):
        values = table.numbers([name])[name]
        _need_values(table, name, np.isnan(values))
        return target.encode(values[:, None])
    cells = table.texts([name])[name]
    _need_values(table, name, absent(cells))
    labels = [str(cell) for cell in cells]
    codes = find_labels(target, labels)
    for row in np.flatnonzero(codes < 0)[:1]:
        raise InputError(
            f"{table.where(int(row))}, column {name!r}: {labels[row]!r} is no class of this model; "
            f"{nearest(labels[row], list(target.names))}"
        )
    return codes


def _need_values(table: Table, name: str, holes: Array) -> None:
    for row in np.flatnonzero(holes)[:1]:
        raise InputError(
            f"{table.where(int(row))}, column {name!r}: the target is missing; fill it in or leave the row out"
        )


def find_labels(target: Classes, labels: Sequence[str]) -> NDArray[np.int64]:
    """Class indices (n,), −1 for what is no class; `1.0` and `01` are the class `1` if they are none themselves.

    Example:
        >>> find_labels(Classes(("0", "1")), ["1.0", "0", "2"])
        array([ 1,  0, -1])
    """
    codes = target.find(labels)
    for row in np.flatnonzero(codes < 0):
        with suppress(ValueError):
            codes[row] = target.find(texts(np.array([float(labels[int(row)])])))[0]
    return codes


def _read_npz(path: Path, inputs: ImageInputs | ArrayInputs, target: Target, *, labelled: bool) -> Rows:
    arrays = read_arrays(path, ("x", "y") if labelled else ("x",))
    raw, shape = check_inputs(path, arrays["x"])
    if raw.shape[1] != inputs.width or (len(shape) == 2 and shape != inputs.shape):
        sizes = " x ".join(map(str, inputs.shape))
        raise InputError(
            f"{path}: an example of x has shape {shape}, but the model expects {sizes}"
            + (f" (or {inputs.width} in a row)" if len(inputs.shape) == 2 else "")
        )
    y: Array | None = None
    if labelled:
        check_lengths(path, raw, arrays["y"])
        y = _npz_target(path, arrays["y"], target)
    try:
        x = inputs.encode(raw)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return Rows(x, y, tuple(f"{path}:{row}" for row in range(len(raw))))


def _npz_target(path: Path, y: Array, target: Target) -> Array:
    """The targets of an array, in the form that the model was trained on."""
    table = check_target(path, y)
    if isinstance(target, Classes):
        if table.shape[1] == target.width and y.dtype.kind in "buif" and is_one_hot(table):
            return np.asarray(table.argmax(axis=1), np.int64)
        if table.shape[1] != 1:
            raise InputError(f"{path}: y has shape {y.shape}; the model expects one class per example")
        labels = texts(table[:, 0])
        codes = find_labels(target, labels)
        for row in np.flatnonzero(codes < 0)[:1]:
            hint = nearest(labels[row], list(target.names))
            raise InputError(f"{path}: y[{row}] is {labels[row]!r}, which is no class of this model; {hint}")
        return codes
    if isinstance(target, SeveralClasses) or y.dtype.kind in "US" or table.shape[1] != target.width:
        raise InputError(
            f"{path}: y has shape {y.shape} and holds {y.dtype}; the model expects {target.width} numbers per example"
        )
    return target.encode(table)


def _need_images(path: Path, inputs: ImageInputs | ArrayInputs) -> None:
    if len(inputs.shape) < 2 or (isinstance(inputs, ArrayInputs) and inputs.dtype != "uint8"):
        raise InputError(f"{path} holds images, but the model was trained on numbers; give an .npz with x")


def _of_images(x: Array, y: Array | None, labels: tuple[str, ...], notes: tuple[str, ...]) -> Rows:
    return Rows(x, y, labels, notes=notes)
