"""Which rows are learnt from, which steer the training, and which are kept for the test."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.errors import InputError
from backlight.randomness import Purpose, permutation

MOST: Final = 0.9
"""The largest fraction of the rows that validation or test may take."""


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
