"""Labels of images from a table of names and labels, or from an array with a label for each row."""

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from backlight.data.images.arrays import read_npy
from backlight.data.images.files import is_image
from backlight.data.images.notes import counted
from backlight.data.npz import texts
from backlight.data.tables.delimited import MISSING
from backlight.data.tables.encodings import find_encoding
from backlight.errors import InputError, nearest

Row: TypeAlias = tuple[str, ...]
"""The labels of one image, one per question."""

_Line: TypeAlias = tuple[int, str, Row | None]  # its number in the file, the name of an image, and its labels


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


def complete(labels: Iterable[str | None]) -> Row | None:
    """The labels of an image, None if one is missing.

    Example:
        >>> complete(["a", "b"]), complete(["a", None])
        (('a', 'b'), None)
    """
    row = tuple(labels)
    there = tuple(label for label in row if label)
    return there if len(there) == len(row) else None


def labels_of(path: Path, names: Sequence[str], targets: Sequence[str] = (), folder: str = "") -> Labelled:
    """The labels that a file has for images.

    Args:
        path: delimited text whose first column holds names of images (their paths, the last parts of these, or these
            without their endings) or numbers of rows counted from 0, with or without a line of column names; or a
            `.npy` with a label, or several, for each row. Words that stand for a missing value in tables do here.
        names: of the images, relative to their folder.
        targets: the columns of labels to use; all of them where there are none. A single column without a name takes
            the name of a single target.
        folder: the whole path of the images' folder, the end of which, or all, may precede their names.

    Raises:
        InputError: it cannot be read, or says different things about one image.
    """
    places = _places(names)

    def find(name: str) -> int | None:
        return places.get(name, places.get(_inside(name, folder)))

    read = _label_array if path.suffix.lower() == ".npy" else _label_table
    columns, lines = read(path, find, targets)
    rows: list[Row | None] = [None] * len(names)
    said: dict[int | str, tuple[str, Row | None]] = {}
    for number, name, row in lines:
        place = find(name)
        before, other = said.setdefault(name if place is None else place, (name, row))
        if other != row:
            also = "" if before == name else f", as {before!r},"
            raise InputError(
                f"{path}, line {number}: {name!r} is labelled {_shown(row)}, and in another line{also} "
                f"{_shown(other)}; keep one of them"
            )
        if place is not None:
            rows[place] = row
    missing = [name for name in said if isinstance(name, str)]
    notes = counted(missing, f"that {path} has labels for", "does not exist", "do not exist")
    return Labelled(columns, tuple(rows), notes, measured=True)


def _places(names: Sequence[str]) -> dict[str, int]:
    """What an image may be called, as far as it leaves no doubt → its place."""
    places: dict[str, int] = {}
    for shorten in (lambda name: name, _last, lambda name: _last(name).rpartition(".")[0]):
        keys = [shorten(name) for name in names]
        once = {key: i for i, key in enumerate(keys)}
        twice = {key for i, key in enumerate(keys) if once[key] != i}
        places = {key: i for key, i in once.items() if key and key not in twice} | places
    return places


def _inside(name: str, folder: str) -> str:
    """A name without the folders before it that the path of a folder ends with."""
    return next((name[k + 1 :] for k, c in enumerate(name) if c == "/" and f"/{folder}".endswith(f"/{name[:k]}")), "")


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def _shown(row: Row | None) -> str:
    return "nothing" if row is None else ", ".join(map(repr, row))


def _present(label: str) -> str | None:
    return None if label.upper() in MISSING else label


def _label_table(
    path: Path, find: Callable[[str], int | None], targets: Sequence[str]
) -> tuple[tuple[str | None, ...], list[_Line]]:
    """The columns of labels that are used, and the lines of a table."""
    lines = _cells(path)
    width, first = len(lines[0][1]), _name(lines[0][1])
    header = not (is_image(first) or first.isdigit() or find(first) is not None)
    columns: tuple[str | None, ...] = tuple(f"label {k}" for k in range(1, width))
    if header:
        columns = tuple(cell or unnamed for cell, unnamed in zip(lines[0][1][1:], columns, strict=True))
        twice = next((column for k, column in enumerate(columns) if column in columns[:k]), None)
        if twice is not None:
            raise InputError(
                f"{path}, line {lines[0][0]}: two columns are named {twice!r}; give every column a name of its own"
            )
        del lines[0]
    elif width == 2:
        columns = tuple(targets) if len(targets) == 1 else (None,)
    for target in targets:
        if target not in columns:
            lead = f"{path} has no column {target!r}"
            if not header:
                raise InputError(f"{lead}, for its first line is no line of names; leave the target out, or write one")
            raise InputError(f"{lead}; {nearest(target, [column for column in columns if column])}")
    used = [columns.index(target) for target in targets] or range(len(columns))
    rows = [(number, _name(cells), complete(_present(cells[k + 1]) for k in used)) for number, cells in lines]
    return tuple(columns[k] for k in used), rows


def _name(cells: Sequence[str]) -> str:
    return cells[0].replace("\\", "/").removeprefix("./")


def _cells(path: Path) -> list[tuple[int, list[str]]]:
    """The lines of a table, each with its number, without those and without columns that are empty."""
    encoding = find_encoding(path)
    try:
        with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as file:
            start = file.read(1 << 16).lstrip()
            separator = max(",;\t|", key=start.partition("\n")[0].count)
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True)
            lines = [(reader.line_num, [cell.strip() for cell in cells]) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the labels {path}: {reason}; give a CSV of names and labels") from error
    lines = [(number, cells) for number, cells in lines if any(cells)]
    width = len(lines[0][1]) if lines else 0
    for number, cells in lines:
        if len(cells) != width:
            raise InputError(f"{path}, line {number}: there are {len(cells)} cells where the first line has {width}")
    filled = [k for k in range(width) if k == 0 or any(cells[k] for _, cells in lines)]
    if len(filled) < 2:
        raise InputError(f"{path} must have a column of names and a column of labels, separated by commas")
    return [(number, [cells[k] for k in filled]) for number, cells in lines]


def _label_array(
    path: Path, _: Callable[[str], int | None], targets: Sequence[str]
) -> tuple[tuple[str | None, ...], list[_Line]]:
    """The columns of labels, and a line for every row of an array."""
    array = read_npy(path)
    if targets:
        raise InputError(f"{path} has no columns with names; leave out the target {targets[0]!r}")
    if array.ndim not in {1, 2} or array.dtype.kind not in "buifUS" or not array.size:
        raise InputError(
            f"{path} has shape {array.shape} of {array.dtype}; give one label, or several, "
            "for each row, as numbers or text"
        )
    table = array.reshape(len(array), -1)
    rows = zip(*(texts(column) for column in table.T), strict=True)
    names = (None,) if table.shape[1] == 1 else tuple(f"label {k + 1}" for k in range(table.shape[1]))
    return names, [(number, str(number), complete(map(_present, row))) for number, row in enumerate(rows)]
