"""A part of the data only: some of the classes, or few labelled examples of each."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from backlight.arrays import Ints
from backlight.data.dataset import Dataset
from backlight.data.targets import Classes
from backlight.errors import InputError, nearest, whole_number
from backlight.randomness import Purpose, permutation

_PLACE: Final = (0, 2)  # of the draws, apart from those of the split and of folds


def only_classes(dataset: Dataset, names: Sequence[str]) -> Dataset:
    """The same data with some of their classes only; the examples of others are in no part.

    Row numbers stay what they are, and so does whatever was fitted on the training part.

    Args:
        dataset: data with one class per example.
        names: of at least two classes; they keep the order that they have in the data.

    Raises:
        InputError: there is no such class, or fewer than two are left, or a part has none of them to learn from.

    Example:
        >>> from backlight.data import load
        >>> odd = only_classes(load("digits"), ["1", "3"])
        >>> odd.target.names, [len(rows) for rows in odd.rows.values()], odd.set_aside
        (('1', '3'), [255, 55, 55], 1432)
    """
    target = dataset.target
    if not isinstance(target, Classes):
        raise InputError(f"--classes chooses among classes, and {dataset.name} has no single class per example")
    for name in names:
        if name not in target.names:
            raise InputError(f"--classes names {name!r}, which is no class here; {nearest(name, list(target.names))}")
    kept = [k for k, name in enumerate(target.names) if name in names]
    if len(kept) < 2:
        raise InputError(f"--classes names {len(kept)} class; two at least are needed for something to be learnt")
    lookup = np.full(target.width + 1, -1, np.int64)  # the last is for rows without a class, −1
    lookup[kept] = np.arange(len(kept))
    y = lookup[dataset.y]
    rows = {part: own[y[own] >= 0] for part, own in dataset.rows.items()}
    if not len(rows["train"]):
        raise InputError("no training example has one of the classes that --classes names")
    aside = sum(len(own) - len(rows[part]) for part, own in dataset.rows.items())
    return replace(
        dataset,
        y=y,
        rows=rows,
        target=replace(target, names=tuple(target.names[k] for k in kept)),
        set_aside=dataset.set_aside + aside,
    )


def few_per_class(dataset: Dataset, count: int, seed: int) -> Dataset:
    """The same data with `count` training examples of each class, drawn by the seed; the other parts are as they were.

    A class with fewer keeps all that it has. More examples contain those that fewer would.

    Args:
        dataset: data with one class per example.
        count: of each class, 1 or more.
        seed: the run's seed.

    Raises:
        InputError: the data have no classes, or the count is below 1.

    Example:
        >>> from backlight.data import load
        >>> few = few_per_class(load("digits"), 10, seed=0)
        >>> np.bincount(few.y[few.rows["train"]]).tolist(), len(few.rows["test"])
        ([10, 10, 10, 10, 10, 10, 10, 10, 10, 10], 270)
    """
    count = whole_number("per_class", count, 1)
    if not isinstance(dataset.target, Classes):
        raise InputError(f"--per-class counts examples of classes, and {dataset.name} has no single class per example")
    rows = dataset.rows["train"]
    drawn = rows[permutation(seed, Purpose.SPLITTING, len(rows), place=_PLACE)]
    codes = dataset.y[drawn]
    chosen: list[Ints] = [drawn[codes == k][:count] for k in range(dataset.target.width)]
    kept = np.sort(np.concatenate(chosen))
    aside = dataset.set_aside + len(rows) - len(kept)
    return replace(dataset, rows={**dataset.rows, "train": kept}, set_aside=aside)
