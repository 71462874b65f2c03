"""What a network learns from: inputs, targets, and which rows belong to which part."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array, Floats
from backlight.data.inputs import Inputs
from backlight.data.targets import Classes, SeveralClasses, Target
from backlight.errors import InputError, nearest

PARTS: Final = ("train", "validation", "test")


@dataclass(frozen=True)
class Source:
    """Where data came from, so that a run can be repeated and checked.

    Attributes:
        name: what the user typed: `digits`, `housing.csv`.
        kind: `builtin`, `generated`, `images`, `idx`, `csv`, `npy` or `npz`.
        files: pairs (path, SHA-256 of the file); for data without a file (None, SHA-256 of the arrays); for the images
            of a folder or a zip (its path, SHA-256 over their names and contents).

    Example:
        >>> Source("xor", "generated", ((None, "5e88"),)).to_dict()["files"]
        [{'path': None, 'sha256': '5e88'}]
    """

    name: str
    kind: str
    files: tuple[tuple[str | None, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """The source as JSON values."""
        files = [{"path": path, "sha256": checksum} for path, checksum in self.files]
        return {"name": self.name, "kind": self.kind, "files": files}


@dataclass(frozen=True)
class Dataset:
    """Examples, split into parts; the number of a row is its index into `x`, and never changes.

    Attributes:
        name: a short name, fit for a folder: `digits`, `housing`.
        x: inputs (n, d): float32 ready for the network, or uint8, which is read as value/255.
        y: class indices (n,) int64, or (n, k) where several classes are asked for, or targets (n, k) float32,
            standardised where they are quantities; `x` itself for an autoencoder. Rows whose target is missing hold −1
            or NaN and are in no part.
        rows: part → its row numbers, ascending.
        inputs: how raw input becomes `x`.
        target: what the outputs mean.
        source: where the data came from.
        weights: how much each row counts in training (n,), None where all count alike.
        names: what each row is called, such as the name of its image file; None where rows have numbers only.
        notes: what a reader should know of how the data was read, one sentence each.
        set_aside: how many rows with a target are in no part, because they were not asked for.
    """

    name: str
    x: Array
    y: Array
    rows: Mapping[str, NDArray[np.int64]]
    inputs: Inputs
    target: Target
    source: Source
    weights: Floats | None = None
    names: Sequence[str] | None = None
    notes: tuple[str, ...] = ()
    set_aside: int = 0

    @property
    def unlabelled(self) -> int:
        """How many rows are in no part, because their target is missing."""
        return len(self.x) - sum(len(rows) for rows in self.rows.values()) - self.set_aside

    def part(self, name: str) -> tuple[Array, Array]:
        """The inputs (m, d) and targets of one part: `train`, `validation` or `test`.

        Raises:
            InputError: there is no such part.
        """
        rows = self.rows_of(name)
        if len(rows) and rows[-1] - rows[0] + 1 == len(rows):  # neighbours: a view, without a copy
            window = slice(int(rows[0]), int(rows[-1]) + 1)
            x = self.x[window]
            return x, x if self.y is self.x else self.y[window]
        x = self.x[rows]
        return x, x if self.y is self.x else self.y[rows]

    def target_of(self, row: int) -> Array:
        """The target of one row as the network sees it; of an autoencoder's, its inputs as the network sees those."""
        if self.y is not self.x or self.x.dtype != np.uint8:
            return np.asarray(self.y[row])
        return np.asarray(self.x[row] / np.float32(255))

    def rows_of(self, name: str) -> NDArray[np.int64]:
        """The row numbers of one part, ascending.

        Raises:
            InputError: there is no such part.
        """
        if name not in self.rows:
            raise InputError(f"there is no part {name!r}; {nearest(name, list(PARTS))}")
        return self.rows[name]

    def called(self, example: str) -> str:
        """An example's name for people: with the name of its row behind it, if it has one.

        Raises:
            InputError: there is no such example.
        """
        return example if self.names is None else f"{example} ({self.names[self.row_of(example)]})"

    def row_of(self, example: str) -> int:
        """The row number of an example's name: `test:42` is the 43rd example of the test part.

        Raises:
            InputError: the name is not `part:number`, or that part has no such example.
        """
        part, colon, digits = example.partition(":")
        if part not in PARTS or not colon:
            raise InputError(f"{example!r} names no example; write train:0, validation:0 or test:0")
        if not (digits.isascii() and digits.isdigit()):
            raise InputError(f"{example!r} names no example; after '{part}:' comes a whole number from 0 up")
        count = len(self.rows[part])
        if count == 0:
            raise InputError(f"there is no example {example!r}: the {part} part of {self.name} is empty")
        if len(digits) > 18 or int(digits) >= count:
            raise InputError(
                f"there is no example {example!r}: the {part} part of {self.name} has {count:,} examples, "
                f"so its last is {part}:{count - 1}"
            )
        return int(self.rows[part][int(digits)])

    def example_of(self, row: int) -> str:
        """The name of a row's example, the inverse of `row_of`.

        Raises:
            InputError: the row is in no part.
        """
        for part in PARTS:
            place = int(np.searchsorted(self.rows[part], row))
            if place < len(self.rows[part]) and self.rows[part][place] == row:
                return f"{part}:{place}"
        raise InputError(f"row {row} of {self.name} is in no part; it does not exist or has no target")


def class_counts(dataset: Dataset) -> dict[str, dict[str, int]]:
    """How many examples of each class there are in all parts together, by question; nothing where there are no classes.

    Example:
        >>> from backlight.data import load
        >>> class_counts(load("moons"))
        {'target': {'0': 500, '1': 500}}
    """
    if not isinstance(dataset.target, Classes | SeveralClasses):
        return {}
    used = np.concatenate(list(dataset.rows.values()))
    questions = (dataset.target,) if isinstance(dataset.target, Classes) else dataset.target.targets
    columns = dataset.y[used].reshape(len(used), -1).T
    return {
        question.column or "target": dict(
            zip(question.names, np.bincount(codes, minlength=question.width).tolist(), strict=True)
        )
        for question, codes in zip(questions, columns, strict=True)
    }
