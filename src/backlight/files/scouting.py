"""Small tables: how long to train is found with a validation part, and then every row is learnt from."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from backlight.data import Dataset, TableInputs
from backlight.files.model import part_evaluation
from backlight.files.run import load_for
from backlight.files.settings import Settings
from backlight.training import EndRecord, EpochRecord

SMALL: Final = 1_500
"""Tables with fewer rows than this have none to spare for validation."""

DECIDED: Final = ("validation", "epochs", "until", "patience")
"""Settings with which the user decides how long to train; where one is given, nothing is scouted."""


@dataclass(frozen=True)
class Scouted:
    """What a first training, on some of the rows, has found.

    Attributes:
        settings: resolved, for the training on all rows.
        dataset: with the validation part as a part of the training part.
        epoch: the best on validation.
    """

    settings: Settings
    dataset: Dataset
    epoch: int


def scouted(settings: Settings, dataset: Dataset, given: Collection[str]) -> Scouted | None:
    """Find out how many epochs serve a small table; None where the data is no small table, or the user decides.

    Of few rows, those of a validation part are missed in learning more than they help to stop in time. So a first
    training is stopped by them, and the one that lasts learns from all rows, for as many epochs as were best. The test
    part is the same.

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
    rows = sum(map(len, dataset.rows.values()))
    held = len(dataset.rows["validation"])
    if not isinstance(dataset.inputs, TableInputs) or rows >= SMALL or not held:
        return None
    if settings.group or settings.time or settings.split or set(DECIDED) & set(given):
        return None
    training = settings.trainer(settings.network(dataset)).start(
        dataset.x,
        dataset.y,
        rows=dataset.rows["train"],
        validation=part_evaluation(dataset, "validation"),
        sample_weight=dataset.weights,
    )
    measured = []
    for record in training.records():
        if isinstance(record, EpochRecord):
            measured.append(record)
        if isinstance(record, EndRecord) and (record.failed or not record.best_epoch):
            return None
        last = record
    assert isinstance(last, EndRecord)
    assert last.best_epoch is not None
    longer = replace(settings, validation=0.0, epochs=last.best_epoch, patience=None)
    everything = load_for(longer)
    best = next(record.validation for record in measured if record.epoch == last.best_epoch)
    assert best is not None
    note = (
        f"with {held:,} rows kept back for validation, epoch {last.best_epoch} was the best of {last.epoch} "
        f"(validation loss {best['loss']:.4f}); now all {len(everything.rows['train']):,} rows are learnt from, as long"
    )
    return Scouted(longer, replace(everything, notes=(*everything.notes, note)), last.best_epoch)
