"""Where the labels of images come from: their folders, their names, or a table; and which part a folder stands for."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np

from backlight.data.dataset import PARTS
from backlight.data.images.arrays import read_npy
from backlight.data.images.files import ImageFiles, is_image, readable
from backlight.data.images.options import ImageOptions
from backlight.data.npz import find_classes, texts
from backlight.data.splits import part_named
from backlight.data.tables.targets import MOST_NUMBERED_CLASSES
from backlight.data.targets import Classes, SeveralClasses
from backlight.errors import InputError, nearest

Row: TypeAlias = tuple[str, ...]
"""The labels of one image, one per question."""

_NAMED: Final = 3


@dataclass(frozen=True)
class Labelled:
    """The labels of images.

    Attributes:
        columns: what each label is called; a single one without a name is None.
        rows: one per image, None for an image without labels.
        notes: what a reader should know.
        measured: whether numbers among the labels may be quantities, which names of folders are not.
    """

    columns: tuple[str | None, ...]
    rows: tuple[Row | None, ...]
    notes: tuple[str, ...] = ()
    measured: bool = False


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
        _note(loose, "outside of the parts' folders", "was left out", "were left out"),
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
        found = labels_by_name(read_labels(Path(options.labels), targets), files.names, str(options.labels))
    elif options.label_from is not None:
        matches = [options.pattern.search(name) for name in within]
        groups = {number: name for name, number in options.pattern.groupindex.items()}
        count = options.pattern.groups
        columns = tuple(groups.get(k + 1, None if count == 1 else f"label {k + 1}") for k in range(count))
        found = Labelled(columns, tuple(_row(match.groups()) if match else None for match in matches))
    else:
        found = Labelled((None,), tuple((name.partition("/")[0],) if "/" in name else None for name in within))
    lacking = [name for name, row in zip(files.names, found.rows, strict=True) if row is None]
    if len(lacking) == len(files.names):
        raise InputError(_no_labels(files, options))
    rows = tuple(None if row is None else tuple(map(readable, row)) for row in found.rows)
    notes = (*found.notes, *_note(lacking, "without a label", "was left out", "were left out"))
    return replace(found, rows=rows, notes=notes)


def _row(groups: Sequence[str | None]) -> Row | None:
    labels = tuple(group for group in groups if group)
    return labels if len(labels) == len(groups) else None


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


def _note(names: Sequence[str], what: str, one: str, many: str) -> tuple[str, ...]:
    """A sentence that counts images and names the first of them."""
    if not names:
        return ()
    shown = ", ".join(readable(name) for name in names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    images, verb = ("image", one) if len(names) == 1 else ("images", many)
    return (f"{len(names):,} {images} {what} {verb}: {shown}",)


@dataclass(frozen=True)
class LabelTable:
    """A table of labels as it was read.

    Attributes:
        columns: of labels; None for a single one without a name.
        rows: name of an image, or number of a row → labels, None where one is missing.
    """

    columns: tuple[str | None, ...]
    rows: Mapping[str, Row | None]


def read_labels(path: Path, targets: Sequence[str] = ()) -> LabelTable:
    """Read a table of names and labels, or an array of labels.

    Args:
        path: delimited text whose first column holds names of images, or numbers of rows counted from 0, with or
            without a line of column names; or a `.npy` with a label, or several, for each row.
        targets: the columns of labels to use; all of them where there are none.

    Raises:
        InputError: it cannot be read, or says different things about one image.
    """
    if path.suffix.lower() == ".npy":
        return _label_array(path, targets)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            start = file.read(1 << 16)
            separator = max(",;\t|", key=start.partition("\n")[0].count)
            file.seek(0)
            lines = [(number, cells) for number, cells in _lines(file, separator) if any(cells)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the labels {path}: {reason}; give a CSV of names and labels") from error
    width = len(lines[0][1]) if lines else 0
    if width < 2:
        raise InputError(f"{path} must have a column of names and a column of labels, separated by commas")
    columns: tuple[str | None, ...] = (None,) if width == 2 else tuple(f"label {k}" for k in range(1, width))
    first = lines[0][1][0]
    if not (is_image(first) or first.isdigit()):
        columns = tuple(lines[0][1][1:])
        del lines[0]
    rows = _by_name(path, lines, width)
    if not targets or columns == (None,):
        return LabelTable(columns, rows)
    for target in targets:
        if target not in columns:
            raise InputError(f"{path} has no column {target!r}; {nearest(target, [name for name in columns if name])}")
    places = [columns.index(target) for target in targets]
    chosen = {name: row and tuple(row[place] for place in places) for name, row in rows.items()}
    return LabelTable(tuple(targets), chosen)


def _lines(file: Sequence[str] | object, separator: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(file, delimiter=separator, strict=True)  # type: ignore[arg-type]
    return [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]


def _by_name(path: Path, lines: Sequence[tuple[int, list[str]]], width: int) -> dict[str, Row | None]:
    rows: dict[str, Row | None] = {}
    for number, cells in lines:
        if len(cells) != width:
            raise InputError(f"{path}, line {number}: there are {len(cells)} cells where the first line has {width}")
        name, row = cells[0].replace("\\", "/").removeprefix("./"), _row(cells[1:])
        if rows.setdefault(name, row) != row:
            raise InputError(
                f"{path}, line {number}: {name!r} is labelled {_shown(row)}, and in another line {_shown(rows[name])}; "
                "keep one of them"
            )
    return rows


def _shown(row: Row | None) -> str:
    return "nothing" if row is None else ", ".join(map(repr, row))


def _label_array(path: Path, targets: Sequence[str]) -> LabelTable:
    array = read_npy(path)
    if targets:
        raise InputError(f"{path} has no columns with names; leave out the target {targets[0]!r}")
    if array.ndim not in {1, 2} or array.dtype.kind not in "buifUS" or not array.size:
        raise InputError(f"{path} has shape {array.shape} of {array.dtype}; give one label, or several, for each row")
    table = array.reshape(len(array), -1)
    columns = list(zip(*(texts(column) for column in table.T), strict=True))
    names = (None,) if table.shape[1] == 1 else tuple(f"label {k + 1}" for k in range(table.shape[1]))
    return LabelTable(names, {str(number): _row(labels) for number, labels in enumerate(columns)})


def labels_by_name(table: LabelTable, names: Sequence[str], path: str) -> Labelled:
    """The labels of images that a table names by path, or by the last part of it, with or without its ending."""
    places: dict[str, int] = {}
    for shorten in (lambda name: name, _last, lambda name: _last(name).rpartition(".")[0]):
        keys = [shorten(name) for name in names]
        once = {key: i for i, key in enumerate(keys)}
        twice = {key for i, key in enumerate(keys) if once[key] != i}
        places = {key: i for key, i in once.items() if key not in twice} | places
    rows: list[Row | None] = [None] * len(names)
    missing = []
    for name, row in table.rows.items():
        place = places.get(name)
        if place is None:
            missing.append(name)
        else:
            rows[place] = row
    few = _note(missing, f"that {path} has labels for", "does not exist", "do not exist")
    return Labelled(table.columns, tuple(rows), few, measured=True)


def _last(name: str) -> str:
    return name.rpartition("/")[2]


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
        InputError: there is one class only, or nearly as many as images, or regression is wanted of text.
    """
    every = list(zip(*rows, strict=True))
    if task == "regression" or (task is None and measured and all(map(_are_quantities, every))):
        for column, labels in zip(columns, every, strict=True):
            for label in (label for label in labels if _number(label) is None):
                of = "" if column is None else f" of {column!r}"
                raise InputError(f"{what}: the label {label!r}{of} is no number, and regression needs numbers")
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
