"""How much the classes count in training."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Array
from backlight.data.dataset import Dataset
from backlight.data.tables.options import parse_class_weights
from backlight.data.targets import Classes, Target
from backlight.errors import InputError


def weights_by_class(given: str, target: Target, y: Array, train: NDArray[np.int64]) -> NDArray[np.float64]:
    """The weight of each row's class (n,); 1 for rows without one.

    Balanced weights are n / (K n_k), with n training rows, n_k of them of the row's class, and K classes, so that every
    class counts alike and the training rows count 1 on average.

    Args:
        given: `balanced`, or `CLASS=WEIGHT` with commas between; classes that are not named weigh 1.
        target: what the outputs mean.
        y: class indices (n,), −1 where there is none.
        train: the row numbers of the training part.

    Raises:
        InputError: the target does not have one class per row, there is no such class, or a weight is no number from 0.

    Example:
        >>> weights_by_class("balanced", Classes(("a", "b")), np.array([0, 0, 0, 1]), np.arange(4)).round(3).tolist()
        [0.667, 0.667, 0.667, 2.0]
    """
    if not isinstance(target, Classes):
        raise InputError("class weights are for a target with one class per row, and this one has not; leave them out")
    if given == "balanced":
        counts = np.bincount(y[train], minlength=target.width)
        of_class = len(train) / (len(counts) * np.maximum(counts, 1))
    else:
        of_class = np.array(list(parse_class_weights(given, target.names).values()))
    return np.where(y >= 0, of_class[y], 1.0)


def with_class_weights(dataset: Dataset, given: str) -> Dataset:
    """The data with every row's weight times that of its class; arguments and errors as for `weights_by_class`.

    Args:
        dataset: the data.
        given: how much the classes count.
    """
    train = dataset.rows["train"]
    each = weights_by_class(given, dataset.target, dataset.y, train)
    weights = (each if dataset.weights is None else dataset.weights * each).astype(np.float32)
    if not weights[train].any():
        raise InputError(f"{dataset.name}: every row of the training part weighs 0; give weights above 0")
    return replace(dataset, weights=weights)
