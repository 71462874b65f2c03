"""New data for a trained model."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.images.files import is_image
from backlight.data.images.loading import is_images
from backlight.data.images.options import ImageOptions
from backlight.data.images.reading import read_many_images, read_one_image
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs
from backlight.data.loading import TABLES
from backlight.data.npz import check_inputs, check_lengths, check_target, is_one_hot, read_arrays, texts
from backlight.data.tables.inputs import TableInputs
from backlight.data.tables.new_rows import Rows, find_labels, read_table_rows
from backlight.data.tables.options import TableOptions
from backlight.data.tables.sources import is_frame
from backlight.data.targets import Classes, Reconstruction, SeveralClasses, Target
from backlight.errors import InputError, nearest


def read_rows(
    path: Any,
    inputs: Inputs,
    target: Target,
    *,
    labelled: bool,
    options: TableOptions | ImageOptions | None = None,
) -> Rows:
    """Read new data in the form that a model was trained on.

    Args:
        path: a table (a file or a data frame) with the columns that the model knows (others are ignored), an `.npz`
            with `x`, or, for a model of images, an image file, a folder or zip of them, a `.npy`, or one of a pair of
            IDX files.
        inputs: the model's inputs.
        target: the model's target.
        labelled: whether the targets are read as well (from the target's columns, from `y`, or where `options` says;
            an autoencoder's are its inputs).
        options: how the data was read that the model was trained on: the separator of tables; where the labels of
            images come from, and whether broken ones are left out.

    Raises:
        InputError: the file cannot be read, or does not fit the model.
    """
    if isinstance(target, Reconstruction) and labelled:
        rows = read_rows(path, inputs, target, labelled=False, options=options)
        return replace(rows, y=rows.x)
    if is_frame(path) or isinstance(inputs, TableInputs):
        separator = options.separator if isinstance(options, TableOptions) else None
        return _of_table(path, inputs, target, separator, labelled=labelled)
    path = Path(path)
    suffix = path.suffix.lower()
    if not path.exists():
        raise InputError(f"there is no file {path}")
    if is_images(path):
        _need_images(path, inputs)
        images = options if isinstance(options, ImageOptions) else ImageOptions()
        return _of_images(*read_many_images(path, inputs, target, images, labelled=labelled))
    if suffix in TABLES:
        raise InputError(f"{path} is a table, but the model was trained on {_form(inputs)}; give such a file")
    if suffix == ".npz":
        return _read_npz(path, inputs, target, labelled=labelled)
    if is_image(path.name):
        if labelled:
            raise InputError(f"{path} is a single image without its class; give a folder of them, or an .npz")
        _need_images(path, inputs)
        x, notes = read_one_image(path, inputs)
        return Rows(x, None, (str(path),), notes=notes)
    raise InputError(f"{path} is of a kind that Backlight does not read; give {_form(inputs)}")


def _of_table(source: Any, inputs: Inputs, target: Target, separator: str | None, *, labelled: bool) -> Rows:
    if not isinstance(inputs, TableInputs):
        raise InputError(f"a data frame was given, but the model was trained on {_form(inputs)}; give such a file")
    if not is_frame(source):
        path = Path(source)
        if not path.exists():
            raise InputError(f"there is no file {path}")
        if path.suffix.lower() not in TABLES and not path.is_dir():
            raise InputError(f"{path} is not a table, but the model was trained on one; give a file like 'new.csv'")
    return read_table_rows(source, inputs, target, separator, labelled=labelled)


def _form(inputs: ImageInputs | ArrayInputs) -> str:
    if isinstance(inputs, ImageInputs):
        return f"images of {inputs.shape[1]}x{inputs.shape[0]} pixels (.png, .jpg, a folder of them or an .npz with x)"
    return "arrays (an .npz with x)"


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
        return _find_codes(path, target, table[:, 0])
    if isinstance(target, SeveralClasses):
        if table.shape[1] != len(target.targets):
            raise InputError(
                f"{path}: y has shape {y.shape}; the model expects {len(target.targets)} classes per example, "
                f"of {', '.join(target.columns[:9])}{'' if len(target.columns) < 10 else ' and others'}"
            )
        pairs = zip(target.targets, table.T, strict=True)
        return np.stack([_find_codes(path, question, cells, k) for k, (question, cells) in enumerate(pairs)], axis=1)
    assert not isinstance(target, Reconstruction)
    if y.dtype.kind in "US" or table.shape[1] != target.width:
        raise InputError(
            f"{path}: y has shape {y.shape} and holds {y.dtype}; the model expects {target.width} numbers per example"
        )
    return target.encode(table)


def _find_codes(path: Path, target: Classes, cells: Array, column: int | None = None) -> NDArray[np.int64]:
    """Class indices (n,) of labels; in a column of several, whole numbers are indices unless classes are numbers."""
    numbered = any(name.lstrip("-").isdigit() for name in target.names)
    if column is not None and cells.dtype.kind in "iu" and not numbered:
        codes = np.where((cells >= 0) & (cells < target.width), cells, -1).astype(np.int64)
        hint = f"give a class, or its index from 0 to {target.width - 1}"
    else:
        codes, hint = find_labels(target, texts(cells)), ""
    for row in np.flatnonzero(codes < 0)[:1]:
        place, label = f"{row}" if column is None else f"{row}, {column}", texts(cells[row : row + 1])[0]
        raise InputError(
            f"{path}: y[{place}] is {label!r}, which is no class of this model; "
            f"{hint or nearest(label, list(target.names))}"
        )
    return codes


def _need_images(path: Path, inputs: ImageInputs | ArrayInputs) -> None:
    if len(inputs.shape) < 2 or (isinstance(inputs, ArrayInputs) and inputs.dtype != "uint8"):
        raise InputError(f"{path} holds images, but the model was trained on numbers; give an .npz with x")


def _of_images(x: Array, y: Array | None, labels: tuple[str, ...], notes: tuple[str, ...]) -> Rows:
    return Rows(x, y, labels, notes=notes)
