"""New images for a trained model: one file, a folder or a zip of them, or arrays; stretched to the model's size."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from backlight.arrays import Array
from backlight.data.images.arrays import fitted, is_idx, read_idx_pair, read_npy_images
from backlight.data.images.decoding import BrokenImageError, decode, look_at, quiet, reason_unread
from backlight.data.images.files import image_files, readable
from backlight.data.images.labels import Row, find_labels, labels_by_name, parts_by_folder, read_labels
from backlight.data.images.options import ImageOptions, format_size
from backlight.data.images.sets import read_images
from backlight.data.inputs import ArrayInputs, ImageInputs
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
            there, _ = look_at(file)
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
    with image_files(path) as files:
        if not files.names:
            raise InputError(f"{path} holds no images; give PNG, JPEG, GIF, WebP, TIFF or BMP files")
        rows: Sequence[Row | None] = [None] * len(files.names)
        notes: tuple[str, ...] = ()
        wanted = list(range(len(files.names)))
        if labelled:
            divided = parts_by_folder(files.names, files.folders)
            found = find_labels(
                files, files.names if divided is None else divided[1], options, _columns(target, options)
            )
            rows, notes = found.rows, found.notes
            wanted = [i for i in wanted if rows[i] is not None]
        names = [files.names[i] for i in wanted]
        images = read_images(
            files, names, size=size, gray=gray, skip_broken=options.skip_broken, progress=options.progress
        )
        notes += tuple(
            f"{readable(names[i])} {reason.partition(';')[0]}, and was left out" for i, reason in images.broken
        )
        shown = tuple(files.shown(names[i]) for i in images.kept.tolist())
    chosen = [row for row in (rows[wanted[i]] for i in images.kept.tolist()) if row is not None]
    if images.typical != size:
        notes += (
            f"images were stretched to {format_size(size)} pixels from {format_size(images.typical)}, their median",
        )
    pixels = images.pixels
    if not gray and len(images.shape) == 2:  # no image has colour, and the model wants three channels
        pixels = np.repeat(pixels[:, :, None], 3, axis=2).reshape(len(pixels), -1)
    return inputs.encode(pixels), _targets(path, chosen, target) if labelled else None, shown, notes


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


def _of_arrays(
    path: Path, inputs: ImageInputs | ArrayInputs, target: Target, options: ImageOptions, *, labelled: bool
) -> tuple[Array, Array | None, tuple[str, ...], tuple[str, ...]]:
    size, gray = _wanted(inputs)
    rows: Sequence[Row | None]
    if is_idx(path):
        raw, labels, _ = read_idx_pair(path)
        rows = [(label,) for label in labels]
    else:
        raw = read_npy_images(path)
        rows = [None] * len(raw)
        if labelled and options.labels is None:
            raise InputError(f"{path} holds images without labels; give them with --labels FILE.npy or FILE.csv")
        if labelled and options.labels is not None:
            table = read_labels(Path(options.labels), _columns(target, options))
            rows = labels_by_name(table, [str(number) for number in range(len(raw))], options.labels).rows
    wanted = np.array([row is not None or not labelled for row in rows])
    images = fitted(raw[wanted], size, gray=gray)
    if not gray and images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    there = (raw.shape[2], raw.shape[1])
    notes = () if there == size else (f"images were stretched to {format_size(size)} pixels from {format_size(there)}",)
    y = _targets(path, [row for row in rows if row is not None], target) if labelled else None
    names = tuple(f"{path}:{number}" for number in np.flatnonzero(wanted))
    return inputs.encode(np.ascontiguousarray(images).reshape(len(images), -1)), y, names, notes


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
        raise InputError(f"{path}: images have {len(rows[0])} labels, and the model answers {asked}")
    if isinstance(target, SeveralClasses | Classes):
        questions = target.targets if isinstance(target, SeveralClasses) else (target,)
        codes = np.stack(
            [known.find(labels) for known, labels in zip(questions, zip(*rows, strict=True), strict=True)], axis=1
        )
        for row, k in np.argwhere(codes < 0)[:1]:
            hint = nearest(rows[row][k], list(questions[k].names))
            raise InputError(f"{path}: the label {rows[row][k]!r} is no class of this model; {hint}")
        return codes if isinstance(target, SeveralClasses) else codes[:, 0]
    try:
        return target.encode(np.array(rows, np.float64))
    except ValueError as error:
        raise InputError(f"{path}: the model predicts numbers, and a label is none ({error})") from error
