"""New images for a trained model: one file, a folder or a zip of them, or arrays; stretched to the model's size."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.images.arrays import fitted, is_idx, read_idx_pair, read_npy_images
from backlight.data.images.decoding import BrokenImageError, decode, look_at, quiet, reason_unread
from backlight.data.images.files import image_files, readable
from backlight.data.images.label_tables import Row, labels_of
from backlight.data.images.labels import Divided, divided_by_folder, find_labels, quantities
from backlight.data.images.options import ImageOptions, format_size
from backlight.data.images.pixels import chunks, joined, picked
from backlight.data.images.sets import read_images
from backlight.data.inputs import ArrayInputs, ImageInputs
from backlight.data.tables.new_rows import find_labels as find_codes
from backlight.data.targets import Classes, Labels, Quantities, Reconstruction, SeveralClasses, Target
from backlight.errors import InputError, nearest


def read_one_image(path: Path, inputs: ImageInputs | ArrayInputs) -> tuple[Array, tuple[str, ...]]:
    """The inputs (1, d) of an image file for a model, and what a reader should know.

    Raises:
        InputError: no such file, or no image that can be read.
    """
    size, gray = _wanted(inputs)
    try:
        with quiet(), path.open("rb") as file:
            there = look_at(file).size
            file.seek(0)
            pixels = decode(file.read(), size, gray=gray)
    except BrokenImageError as error:
        raise InputError(f"{path} {error}") from error
    except OSError as error:
        raise InputError(f"{path} {reason_unread(error)}") from error
    notes = () if there == size else (f"{path} has {format_size(there)} pixels, stretched to {format_size(size)}",)
    return inputs.encode(pixels.reshape(1, -1)), notes


def read_many_images(
    path: Path, inputs: ImageInputs | ArrayInputs, target: Target, options: ImageOptions, *, labelled: bool
) -> tuple[Array, Array | None, tuple[str, ...], tuple[str, ...]]:
    """Inputs (n, d), targets if they are asked for, names, and notes, of the images of a folder, a zip or an array.

    Args:
        path: a folder, a zip, a `.npy`, or one of a pair of IDX files.
        inputs: the model's.
        target: the model's.
        options: where labels come from, and whether broken images are left out.
        labelled: whether targets are read; images without a label are left out then.

    Raises:
        InputError: the images or their labels cannot be read, or do not fit the model.
    """
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return _of_arrays(path, inputs, target, options, labelled=labelled)
    size, gray = _wanted(inputs)
    with image_files(path) as every:
        if not every.names:
            raise InputError(f"{path} holds no images; give PNG, JPEG, GIF, WebP, TIFF or BMP files")
        divided = divided_by_folder(every) if labelled else Divided(every, None, every.names)
        files = divided.files
        rows: Sequence[Row | None] = [None] * len(files.names)
        notes: tuple[str, ...] = ()
        wanted = list(range(len(files.names)))
        if labelled:
            found = find_labels(files, divided.within, options, _columns(target, options))
            rows, notes = found.rows, (*divided.notes, *found.notes)
            wanted = [i for i, row in enumerate(rows) if row is not None]
        names = [files.names[i] for i in wanted]
        images = read_images(
            files, names, size=size, gray=gray, skip_broken=options.skip_broken, progress=options.progress
        )
        notes += tuple(
            f"{readable(names[i])} {reason.partition(';')[0]}, and was left out" for i, reason in images.broken
        )
        shown = tuple(files.shown(names[i]) for i in images.kept.tolist())
    chosen = [row for row in (rows[wanted[i]] for i in images.kept.tolist()) if row is not None]
    notes += _stretched(images.typical, size, ", their median")
    x = _encoded(images.pixels.reshape(-1, *images.shape), inputs)
    return x, _targets(path, chosen, target) if labelled else None, shown, notes


def _columns(target: Target, options: ImageOptions) -> tuple[str, ...]:
    """The columns of a table of labels that the model predicts, in its own order; none where labels have no columns."""
    if options.labels is None or options.labels.lower().endswith(".npy"):
        return ()
    if isinstance(target, Quantities):
        return target.names
    questions = target.targets if isinstance(target, SeveralClasses) else (target,)
    named = [question.column for question in questions if isinstance(question, Classes)]
    return tuple(name for name in named if name is not None)


def _wanted(inputs: ImageInputs | ArrayInputs) -> tuple[tuple[int, int], bool]:
    return (inputs.shape[1], inputs.shape[0]), len(inputs.shape) == 2


def _stretched(there: tuple[int, int], size: tuple[int, int], more: str = "") -> tuple[str, ...]:
    """A note where images had another size."""
    if there == size:
        return ()
    return (f"images were stretched to {format_size(size)} pixels from {format_size(there)}{more}",)


def _encoded(images: NDArray[np.uint8], inputs: ImageInputs | ArrayInputs) -> Array:
    """The network's inputs (n, d) of images of its size (n, height, width) or (n, height, width, 3)."""
    if len(inputs.shape) == 3 and images.ndim == 3:  # no image has colour, and the model wants three channels
        slices = chunks(len(images), inputs.width)
        images = joined((np.repeat(images[rows, :, :, None], 3, axis=3) for rows in slices), (*images.shape, 3))
    return inputs.encode(images.reshape(len(images), -1))


def _of_arrays(
    path: Path, inputs: ImageInputs | ArrayInputs, target: Target, options: ImageOptions, *, labelled: bool
) -> tuple[Array, Array | None, tuple[str, ...], tuple[str, ...]]:
    size, gray = _wanted(inputs)
    rows: Sequence[Row | None]
    if is_idx(path):
        if labelled and options.labels is not None:
            raise InputError(f"{path} has its labels in a file of its own; leave out --labels")
        raw, labels, _ = read_idx_pair(path)
        rows = [(label,) for label in labels]
    else:
        raw = read_npy_images(path)
        rows = [None] * len(raw)
        if labelled and options.labels is None:
            raise InputError(f"{path} holds images without labels; give 'evaluate' --labels FILE.npy or FILE.csv")
        if labelled and options.labels is not None:
            numbers = [str(number) for number in range(len(raw))]
            rows = labels_of(Path(options.labels), numbers, _columns(target, options)).rows
    chosen = np.flatnonzero([row is not None or not labelled for row in rows])
    y = _targets(path, [row for row in rows if row is not None], target) if labelled else None
    x = _encoded(fitted(picked(raw, chosen), size, gray=gray), inputs)
    return x, y, tuple(f"{path}:{number}" for number in chosen), _stretched((raw.shape[2], raw.shape[1]), size)


def _targets(path: Path, rows: Sequence[Row], target: Target) -> Array:
    """The targets of labels, in the form that the model was trained on.

    Raises:
        InputError: there is no label, or one is unknown to the model, or there are fewer or more than it answers.
    """
    if not rows:
        raise InputError(f"none of the images of {path} has a label; say where labels come from with --labels")
    if isinstance(target, Labels | Reconstruction):
        raise InputError(f"the model answers with labels that may co-occur, which {path} cannot be measured by")
    asked = 1 if isinstance(target, Classes) else len(getattr(target, "targets", target.names))
    if len(rows[0]) != asked:
        images = "an image has 1 label" if len(rows[0]) == 1 else f"an image has {len(rows[0])} labels"
        raise InputError(f"{path}: {images}, and the model answers {asked}")
    if isinstance(target, Quantities):
        return target.encode(quantities(target.names, rows, str(path)))
    questions = target.targets if isinstance(target, SeveralClasses) else (target,)
    codes = np.stack(
        [find_codes(known, labels) for known, labels in zip(questions, zip(*rows, strict=True), strict=True)], axis=1
    )
    for row, k in np.argwhere(codes < 0)[:1]:
        hint = nearest(rows[row][k], list(questions[k].names))
        raise InputError(f"{path}: the label {rows[row][k]!r} is no class of this model; {hint}")
    return codes if isinstance(target, SeveralClasses) else codes[:, 0]
