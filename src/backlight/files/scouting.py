"""Small tables: how long to train is found by cross-validation, and then every row is learnt from."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.data import Classes, Dataset, TableInputs
from backlight.files.model import evaluation
from backlight.files.run import load_for
from backlight.files.settings import Settings
from backlight.randomness import Purpose, permutation
from backlight.training import EndRecord, EpochRecord

SMALL: Final = 1_500
"""Tables with fewer rows than this have none to spare for validation."""

FOLDS: Final = 5
"""How many trainings find out how long to train, each measured on another fold of the rows."""

DECIDED: Final = ("validation", "epochs", "until", "patience", "schedule")
"""Settings with which the user decides how long to train; where one is given, nothing is scouted."""


@dataclass(frozen=True)
class Scouted:
    """What the first trainings have found.

    Attributes:
        settings: resolved, for the training on all rows.
        dataset: with the validation part as a part of the training part.
        epoch: the best on validation, on average.
    """

    settings: Settings
    dataset: Dataset
    epoch: int


def scouted(settings: Settings, dataset: Dataset, given: Collection[str]) -> Scouted | None:
    """Find out how many epochs serve a small table; None where the data is no small table, or the user decides.

    Of few rows, those of a validation part are missed in learning, and are too few to tell when to stop. So the rows of
    training and validation are divided into five folds, each in turn is the validation of a training on the others, and
    the training that lasts learns from all of them, for as many epochs as were best on average. The test part is the
    same.

    Args:
        settings: resolved.
        dataset: its data.
        given: the settings that the user gave.

    Example:
        >>> settings = Settings("penguins", layers=(8,))
        >>> dataset = load_for(settings)
        >>> found = scouted(settings.resolved(dataset), dataset, ())
        >>> [len(rows) for rows in dataset.rows.values()], [len(rows) for rows in found.dataset.rows.values()]
        ([240, 52, 52], [292, 0, 52])
        >>> found.settings.epochs == found.epoch, found.settings.patience
        (True, None)
    """
    count = sum(map(len, dataset.rows.values()))
    if not isinstance(dataset.inputs, TableInputs) or count >= SMALL or not len(dataset.rows["validation"]):
        return None
    if settings.group or settings.time or settings.split or set(DECIDED) & set(given):
        return None
    if not len(dataset.rows["test"]):  # else nothing would be left to measure the result by
        return None
    rows = np.union1d(dataset.rows["train"], dataset.rows["validation"])
    if len(rows) < 2 * FOLDS:
        return None
    folds = _folds(rows, dataset, settings.seed)
    curves = []
    for fold in range(FOLDS):
        curve = _validation_losses(settings, dataset, rows[folds != fold], rows[folds == fold])
        if not curve:
            return None
        curves.append(curve)
    longest = max(map(len, curves))
    losses = np.mean([curve + [curve[-1]] * (longest - len(curve)) for curve in curves], axis=0)
    epoch = int(losses.argmin()) + 1
    longer = replace(settings, validation=0.0, epochs=epoch, patience=None)
    everything = load_for(longer)
    note = (
        f"{FOLDS} trainings, each with another fifth of the rows for validation, were best at epoch {epoch} on average "
        f"(loss {losses[epoch - 1]:.4f}); now all {len(rows):,} rows are learnt from, as long"
    )
    return Scouted(longer, replace(everything, notes=(*everything.notes, note)), epoch)


def _folds(rows: Ints, dataset: Dataset, seed: int) -> NDArray[np.int64]:
    """The fold of every row, drawn so that each has its share of every class."""
    drawn = permutation(seed, Purpose.SPLITTING, len(rows), place=(0, 1))
    if isinstance(dataset.target, Classes):
        drawn = drawn[np.argsort(dataset.y[rows[drawn]], kind="stable")]
    folds = np.empty(len(rows), np.int64)
    folds[drawn] = np.arange(len(rows)) % FOLDS
    return folds


def _validation_losses(settings: Settings, dataset: Dataset, learnt: Ints, held: Ints) -> list[float]:
    """The validation loss after every epoch; none at all if the training failed."""
    training = settings.trainer(settings.network(dataset)).start(
        dataset.x,
        dataset.y,
        rows=learnt,
        validation=evaluation(dataset.target, dataset.x, dataset.y, held),
        sample_weight=dataset.weights,
    )
    losses = []
    for record in training.records():
        if isinstance(record, EpochRecord) and record.epoch and record.validation is not None:
            losses.append(float(record.validation["loss"]))
        if isinstance(record, EndRecord) and record.failed:
            return []
    return losses


def prepared(settings: Settings, dataset: Dataset, given: Collection[str]) -> tuple[Settings, Dataset]:
    """The settings with every choice made, and the data as they are learnt from, a small table whole.

    Args:
        settings: as the user gave them.
        dataset: their data.
        given: the names of the settings that the user gave.

    Raises:
        InputError: two settings, or a setting and the data, do not go together.
    """
    resolved = settings.resolved(dataset)
    found = scouted(resolved, dataset, given)
    return (resolved, dataset) if found is None else (found.settings, found.dataset)
