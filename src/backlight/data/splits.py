"""Which rows are learnt from, which steer the training, and which are kept for the test."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.data.dataset import PARTS
from backlight.errors import InputError
from backlight.randomness import Purpose, permutation

MOST: Final = 0.9
"""The largest fraction of the rows that validation or test may take."""

_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "train": ("train", "training", "learn", "fit"),
    "validation": ("validation", "valid", "val", "dev", "development"),
    "test": ("test", "testing", "holdout", "hold-out"),
}


def part_named(word: str) -> str | None:
    """The part that a word stands for, None if it stands for none.

    Example:
        >>> part_named("Val"), part_named("training"), part_named("cats")
        ('validation', 'train', None)
    """
    return next((part for part in PARTS if word.strip().lower() in _WORDS[part]), None)


def check_fractions(validation: float, test: float) -> None:
    """Refuse fractions that cannot be.

    Raises:
        InputError: a fraction is not from 0 to 0.9, or the two leave nothing to learn from.
    """
    for name, fraction in (("validation", validation), ("test", test)):
        if not 0 <= fraction <= MOST:
            raise InputError(f"{name} is {fraction!r}; it must be a fraction of the rows from 0 to {MOST}")
    if validation + test >= 1:
        raise InputError(
            f"validation ({validation}) and test ({test}) together leave nothing to learn from; "
            "they must add up to less than 1"
        )


def split(
    count: int, *, validation: float, test: float, seed: int, classes: Ints | None = None
) -> dict[str, NDArray[np.int64]]:
    """Split the numbers 0 .. count-1 into train, validation and test by a seeded permutation.

    With classes, each class is spread in proportion: floor(fraction · size) examples of it, and what the total
    still lacks from the classes with the largest remainders. At least one example of every class is learnt from.
    The test part does not depend on `validation`.

    Args:
        count: how many rows.
        validation: fraction of the rows, from 0 to 0.9.
        test: fraction of the rows, from 0 to 0.9.
        seed: the run's seed.
        classes: class indices (count,), or None for a plain split.

    Returns:
        Part → ascending numbers; the three are disjoint and cover everything.

    Raises:
        InputError: impossible fractions, or nothing to learn from.

    Example:
        >>> {part: len(rows) for part, rows in split(100, validation=0.15, test=0.15, seed=0).items()}
        {'train': 70, 'validation': 15, 'test': 15}
    """
    check_fractions(validation, test)
    if count == 0:
        raise InputError("there are no rows with a target, so there is nothing to learn from")
    codes = np.zeros(count, np.int64) if classes is None else np.asarray(classes, np.int64)
    sizes = np.bincount(codes)
    order = permutation(seed, Purpose.SPLITTING, count)
    room = np.maximum(sizes - 1, 0)
    tests = _quotas(sizes, test, room)
    validations = _quotas(sizes, validation, room - tests)
    members = order[np.argsort(codes[order], kind="stable")]  # class by class, each in the permutation's order
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.arange(count) - np.repeat(starts, sizes)
    tests_of, validations_of = np.repeat(tests, sizes), np.repeat(validations, sizes)
    in_test = rank < tests_of
    in_validation = ~in_test & (rank < tests_of + validations_of)
    return {
        "train": np.sort(members[~in_test & ~in_validation]),
        "validation": np.sort(members[in_validation]),
        "test": np.sort(members[in_test]),
    }


def _quotas(sizes: NDArray[np.int64], fraction: float, room: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of each class a part takes, by largest remainder, never more than there is room for."""
    ideal = sizes.astype(np.float64) * fraction
    quotas: NDArray[np.int64] = np.minimum(np.floor(ideal).astype(np.int64), room)
    lacking = int(np.floor(sizes.sum() * fraction + 0.5)) - int(quotas.sum())
    by_remainder = np.argsort(-(ideal - quotas), kind="stable")
    takers = by_remainder[room[by_remainder] > quotas[by_remainder]][: max(lacking, 0)]
    quotas[takers] += 1
    return quotas


def split_groups(
    groups: Ints, *, validation: float, test: float, seed: int, name: str = "the group"
) -> dict[str, NDArray[np.int64]]:
    """Split rows so that all rows of a group are in one part: groups in a seeded order fill test, then validation.

    A group goes to a part while it brings the part closer to its fraction of the rows.

    Args:
        groups: the group of every row (count,), from 0.
        validation: fraction of the rows.
        test: fraction of the rows.
        seed: the run's seed.
        name: of the column, for messages.

    Raises:
        InputError: there are fewer groups than parts.

    Example:
        >>> parts = split_groups(np.repeat(np.arange(10), 10), validation=0.2, test=0.2, seed=0)
        >>> [len(rows) for rows in parts.values()], len(np.intersect1d(parts["train"] // 10, parts["test"] // 10))
        ([60, 20, 20], 0)
    """
    check_fractions(validation, test)
    sizes = np.bincount(groups)
    wanted = 1 + (validation > 0) + (test > 0)
    if len(sizes) < wanted:
        many = "one group, the whole table" if len(sizes) == 1 else f"{len(sizes)} groups"
        raise InputError(
            f"{name} has {many}, and {wanted} parts need at least as many groups; split by another column, or give "
            "--validation 0 --test 0"
        )
    part_of = np.zeros(len(sizes), np.int64)
    order = permutation(seed, Purpose.SPLITTING, len(sizes)).tolist()
    for part, fraction in ((2, test), (1, validation)):
        if not fraction:
            continue
        left = [group for group in order if part_of[group] == 0]
        kept_back = 1 + (part == 2 and validation > 0)
        room, chosen = fraction * len(groups), 0
        for group in left:
            if len(left) - chosen > kept_back and sizes[group] <= 2 * room:
                part_of[group] = part
                room, chosen = room - sizes[group], chosen + 1
        if not chosen:
            part_of[min(left, key=lambda group: int(sizes[group]))] = part
    return {part: np.flatnonzero(part_of[groups] == number) for number, part in enumerate(PARTS)}


def split_in_order(values: NDArray[np.float64], *, validation: float, test: float) -> dict[str, NDArray[np.int64]]:
    """Split rows by time: the latest are the test, those before them the validation, and the earliest are learnt from.

    Rows of the same moment stay together, in the later part.

    Args:
        values: when each row was (count,).
        validation: fraction of the rows.
        test: fraction of the rows.

    Raises:
        InputError: impossible fractions, or every row is of the same moment.

    Example:
        >>> {part: rows.tolist() for part, rows in split_in_order(np.arange(5.0), validation=0.2, test=0.2).items()}
        {'train': [0, 1, 2], 'validation': [3], 'test': [4]}
    """
    check_fractions(validation, test)
    ordered = np.sort(values)
    tests, validations = (int(np.floor(len(values) * fraction + 0.5)) for fraction in (test, validation))
    first_test = ordered[len(values) - tests] if tests else np.inf
    before = np.searchsorted(ordered, first_test)
    first_validation = ordered[max(before - validations, 0)] if validations and before else first_test
    part_of = (values >= first_validation).astype(np.int64) + (values >= first_test)
    if not validations:
        part_of[values >= first_test] = 2
    parts = {part: np.flatnonzero(part_of == number) for number, part in enumerate(PARTS)}
    if not len(parts["train"]):
        many = "every row is" if ordered[0] == ordered[-1] else "too many rows are"
        raise InputError(f"{many} of the same moment, so that none is earlier to learn from; split in another way")
    return parts


def split_as_told(told: Sequence[str], values: Ints, name: str) -> dict[str, NDArray[np.int64]]:
    """Split rows by a column that names their part: `train`, `validation` or `test`, or a usual word for them.

    Args:
        told: the different words of the column.
        values: the place of every row's word in `told` (count,), −1 for none.
        name: of the column, for messages.

    Raises:
        InputError: a word names no part, a row has none, or none is to be learnt from.

    Example:
        >>> {k: v.tolist() for k, v in split_as_told(["Train", "val"], np.array([0, 1, 0]), "part").items()}
        {'train': [0, 2], 'validation': [1], 'test': []}
    """
    numbers = []
    for word in told:
        part = part_named(word)
        if part is None:
            raise InputError(f"column {name!r} holds {word!r}, which names no part; write train, validation or test")
        numbers.append(PARTS.index(part))
    if (values < 0).any():
        row = int(np.argmax(values < 0))
        raise InputError(
            f"column {name!r} is empty in row {row} of those with a target (counted from 0); write train, validation "
            "or test"
        )
    part_of = np.array(numbers, np.int64)[values]
    parts = {part: np.flatnonzero(part_of == number) for number, part in enumerate(PARTS)}
    if not len(parts["train"]):
        raise InputError(f"column {name!r} puts no row into the training part, so there is nothing to learn from")
    return parts
