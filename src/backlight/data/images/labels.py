"""Where the labels of images come from: their folders, their names, or a table; and which part a folder stands for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from backlight.data.dataset import PARTS
from backlight.data.images.files import ImageFiles, readable
from backlight.data.images.label_tables import Labelled, Row, complete, labels_of
from backlight.data.images.notes import counted
from backlight.data.images.options import ImageOptions
from backlight.data.npz import find_classes
from backlight.data.splits import part_named
from backlight.data.tables.targets import MOST_NUMBERED_CLASSES
from backlight.data.targets import Classes, SeveralClasses
from backlight.errors import InputError


@dataclass(frozen=True)
class Divided:
    """Images and the part that each one's folder stands for.

    Attributes:
        files: the images; where folders are parts, those inside them.
        parts: one per image, None where folders are no parts.
        within: the path of each image, relative to the folder of its part if there is one.
        notes: what a reader should know.
    """

    files: ImageFiles
    parts: tuple[str, ...] | None
    within: tuple[str, ...]
    notes: tuple[str, ...] = ()


def divided_by_folder(files: ImageFiles) -> Divided:
    """Images by part, where the outermost folders are called `train` and `test` or `validation`, or a word for them.

    Images outside of these folders are left out then, and folders without images do not matter.
    """
    filled = {name.partition("/")[0] for name in files.names if "/" in name}
    tops = filled | {folder.partition("/")[0] for folder in files.folders if part_named(folder.partition("/")[0])}
    parts = {part_named(top) or "" for top in tops}
    if not ({"train"} < parts <= set(PARTS)) or len(parts) < len(tops):
        return Divided(files, None, files.names)
    inside = [i for i, name in enumerate(files.names) if "/" in name]
    loose = [name for name in files.names if "/" not in name]
    names = tuple(files.names[i] for i in inside)
    return Divided(
        replace(files, names=names, stamps=tuple(files.stamps[i] for i in inside)),
        tuple(part_named(name.partition("/")[0]) or "" for name in names),
        tuple(name.partition("/")[2] for name in names),
        counted(loose, "outside of the parts' folders", "was left out", "were left out"),
    )


def find_labels(files: ImageFiles, within: Sequence[str], options: ImageOptions, targets: Sequence[str]) -> Labelled:
    """The labels of all images of a folder or zip.

    Args:
        files: the images.
        within: their paths, relative to the folder of their part where folders are parts.
        options: that say where labels come from; from the name of the first folder unless they do.
        targets: columns of the table of labels; all of them where there are none.

    Raises:
        InputError: no image has a label, or the labels cannot be read.
    """
    if targets and options.labels is None:
        raise InputError(f"{files.path} has no columns to choose from; leave out the target {targets[0]!r}")
    if options.labels is not None:
        found = labels_of(Path(options.labels), files.names, targets, files.folder)
    elif options.label_from is not None:
        matches = [options.pattern.search(name) for name in within]
        groups = {number: name for name, number in options.pattern.groupindex.items()}
        count = options.pattern.groups
        columns = tuple(groups.get(k + 1, None if count == 1 else f"label {k + 1}") for k in range(count))
        found = Labelled(columns, tuple(complete(match.groups()) if match else None for match in matches))
    else:
        found = Labelled((None,), tuple((name.partition("/")[0],) if "/" in name else None for name in within))
    lacking = [name for name, row in zip(files.names, found.rows, strict=True) if row is None]
    if len(lacking) == len(files.names):
        raise InputError(_no_labels(files, options))
    rows = tuple(None if row is None else tuple(map(readable, row)) for row in found.rows)
    notes = (*found.notes, *counted(lacking, "without a label", "was left out", "were left out"))
    return replace(found, rows=rows, notes=notes)


def _no_labels(files: ImageFiles, options: ImageOptions) -> str:
    example = readable(files.names[0])
    if options.labels is not None:
        return f"{options.labels} has labels for none of the {len(files.names):,} images, such as {example!r}"
    if options.label_from is not None:
        return (
            f"--label-from {options.label_from!r} matches none of the {len(files.names):,} names, such as {example!r}"
        )
    return (
        f"{files.path} holds {len(files.names):,} images, such as {example!r}, but no folder for each class; "
        "sort them into folders, or say where labels come from with --labels or --label-from"
    )


def find_target(
    columns: Sequence[str | None], rows: Sequence[Row], task: str | None, what: str, *, measured: bool
) -> Classes | SeveralClasses | None:
    """What labels mean: classes, several questions with classes of their own, or quantities (None).

    Args:
        columns: what each label is called.
        rows: one per image.
        task: `classification`, `regression`, or None to follow the labels.
        what: they are, for messages.
        measured: whether many different numbers are quantities.

    Raises:
        InputError: there is one class only, or nearly as many as images.
    """
    every = list(zip(*rows, strict=True))
    if task == "regression" or (task is None and measured and all(map(_are_quantities, every))):
        return None
    found = tuple(
        replace(find_classes(list(labels), what if column is None else f"{what}: {column!r}"), column=column)
        for column, labels in zip(columns, every, strict=True)
    )
    for classes in found:
        if classes.width > max(len(rows) // 2, MOST_NUMBERED_CLASSES):
            raise InputError(
                f"{what}: there are {classes.width:,} different labels in {len(rows):,} images, too many to be "
                "classes; where a name holds several labels, give each a group of its own, such as '(.)(.)(.)_'"
            )
    return found[0] if len(found) == 1 else SeveralClasses(found)


def quantities(columns: Sequence[str | None], rows: Sequence[Row], what: str) -> NDArray[np.float64]:
    """Labels as numbers (n, k).

    Args:
        columns: what each label is called.
        rows: one per image.
        what: they are, for messages.

    Raises:
        InputError: one is no number, or not a finite one.

    Example:
        >>> quantities(("age",), [("3",), ("4.5",)], "ages").ravel().tolist()
        [3.0, 4.5]
    """
    values = [[_number(label) for label in row] for row in rows]
    for row, numbers in zip(rows, values, strict=True):
        for column, label, number in zip(columns, row, numbers, strict=True):
            if number is None:
                of = "" if column is None else f" of {column!r}"
                raise InputError(f"{what}: the label {label!r}{of} is no number, and regression needs numbers")
    return np.array(values, np.float64)


def _number(label: str) -> float | None:
    try:
        value = float(label)
    except ValueError:
        return None
    return value if np.isfinite(value) else None


def _are_quantities(labels: Sequence[str]) -> bool:
    """Whether labels are numbers, and too many different ones, or too broken ones, to be classes."""
    different = {label: _number(label) for label in set(labels)}
    values = [value for value in different.values() if value is not None]
    if len(values) < len(different):
        return False
    few = len(values) <= MOST_NUMBERED_CLASSES and 2 * len(values) <= len(labels)
    return len(values) > 1 and not (few and all(value.is_integer() for value in values))
