"""Small tables: how long to train is found by cross-validation, and then every row is learnt from."""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Ints
from backlight.data import Classes, Dataset, TableInputs
from backlight.files.run import load_for
from backlight.files.settings import PATIENCE, Settings
from backlight.randomness import Purpose, permutation
from backlight.training import EndRecord, EpochRecord

SMALL: Final = 1_500
"""Tables with fewer rows than this have none to spare for validation."""

FOLDS: Final = 5
"""How many trainings find out how long to train, each measured on another fold of the rows."""

DECIDED: Final = ("validation", "epochs", "until", "patience", "schedule")
"""Settings with which the user decides how long to train; where one is given, nothing is scouted."""


def scouted(settings: Settings, dataset: Dataset, given: Collection[str]) -> tuple[Settings, Dataset] | None:
    """Find out how many epochs serve a small table; None where the data is no small table, or the user decides.

    Of few rows, those of a validation part are missed in learning, and are too few to tell when to stop. So the rows of
    training and validation are divided into five folds, each in turn is the validation of a training on the others, and
    the training that lasts learns from all of them, for as many epochs as were best on average. The test part is the
    same.

    Args:
        settings: resolved.
        dataset: its data.
        given: the settings that the user gave.

    Returns:
        Resolved settings and data for the training on all rows; the validation part is a part of the training part.

    Example:
        >>> settings = Settings("penguins", lr=0.01)
        >>> dataset = load_for(settings)
        >>> longer, everything = scouted(settings.resolved(dataset), dataset, ())
        >>> [len(rows) for rows in dataset.rows.values()], [len(rows) for rows in everything.rows.values()]
        ([240, 52, 52], [292, 0, 52])
        >>> longer.epochs < settings.epochs, longer.patience
        (True, None)
    """
    count = sum(map(len, dataset.rows.values()))
    if not isinstance(dataset.inputs, TableInputs) or count >= SMALL or not len(dataset.rows["validation"]):
        return None
    decided = settings.patience is None or set(DECIDED) & set(given)
    if decided or settings.group or settings.time or settings.split or settings.per_class:
        return None
    if not len(dataset.rows["test"]):  # else nothing would be left to measure the result by
        return None
    rows = np.union1d(dataset.rows["train"], dataset.rows["validation"])
    if len(rows) < 2 * FOLDS:
        return None
    best = best_epoch(settings, dataset, rows)
    if best is None:
        return None
    epoch, loss = best
    longer = replace(settings, validation=0.0, epochs=epoch, patience=None, scouted=True)
    everything = load_for(longer)
    more = "more epochs" if settings.lr is None else "more epochs or a larger --lr"
    bound = f", the last that was tried, so {more} may help" * (epoch == settings.epochs)
    note = (
        f"{FOLDS} trainings, each with another fifth of the rows for validation, were best at epoch {epoch} on average "
        f"(loss {loss:.4f}){bound}; now all {len(rows):,} rows are learnt from, as long"
    )
    return longer, replace(everything, notes=(*everything.notes, note))


def best_epoch(settings: Settings, dataset: Dataset, rows: Ints) -> tuple[int, float] | None:
    """The epoch at which five trainings, each with another fifth of the rows for validation, are best on average.

    Args:
        settings: resolved, with a patience.
        dataset: the data.
        rows: which of them (m,), at least five.

    Returns:
        The epoch, and the mean validation loss after it; None where a training failed.
    """
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
    return epoch, float(losses[epoch - 1])


def for_fewer(settings: Settings, dataset: Dataset, rows: Ints) -> Settings:
    """The settings of a run, for fewer of its rows: of a scouted run, for as many epochs as five folds of these like.

    Args:
        settings: of the run, resolved.
        dataset: its data.
        rows: which of them (m,), at least five.

    Example:
        >>> settings = Settings("penguins", lr=0.01)
        >>> settings, dataset = prepared(settings, load_for(settings))
        >>> few = for_fewer(settings, dataset, dataset.rows["train"][::8])
        >>> few.epochs > settings.epochs, few == replace(settings, epochs=few.epochs)
        (True, True)
    """
    if not settings.scouted:
        return settings
    best = best_epoch(replace(settings, epochs=Settings.epochs, patience=PATIENCE), dataset, rows)
    return settings if best is None else replace(settings, epochs=best[0])


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
    losses = []
    for record in settings.training(dataset, learnt, held).records():
        if isinstance(record, EpochRecord) and record.epoch and record.validation is not None:
            losses.append(float(record.validation["loss"]))
        if isinstance(record, EndRecord) and record.failed:
            return []
    return losses


def prepared(settings: Settings, dataset: Dataset, given: Collection[str] | None = None) -> tuple[Settings, Dataset]:
    """The settings with every choice made, and the data as they are learnt from, a small table whole.

    Args:
        settings: as the user gave them.
        dataset: their data.
        given: the names of the settings that the user gave; those that differ from the defaults unless told.

    Raises:
        InputError: two settings, or a setting and the data, do not go together.
    """
    if given is None:
        given = [name for name in DECIDED if getattr(settings, name) != getattr(Settings, name)]
    resolved = settings.resolved(dataset)
    return scouted(resolved, dataset, given) or (resolved, dataset)
