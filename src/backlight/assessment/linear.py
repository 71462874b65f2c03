"""A linear model: the run's own network without its hidden layers, trained on the same rows.

They are learnt from as they are, neither augmented nor penalised nor clipped, whatever the run's own training was. With
softmax and cross-entropy that is multinomial logistic regression, with identity and squared error linear
regression. Validation ends both; without a validation part, five folds of a small training part tell for how long it is
learnt from. What a network is better than this by is what its hidden layers are for.
"""

from dataclasses import replace
from typing import Any, Final

import numpy as np

from backlight.arrays import Ints
from backlight.assessment.rival import Rival
from backlight.data import Dataset
from backlight.files import Settings, finite, quality
from backlight.files.scouting import FOLDS, SMALL, best_epoch
from backlight.training import Evaluation, outcomes

LR: Final = 0.01
PATIENCE: Final = 5
MOST_EPOCHS: Final = 200
MOST_VISITS: Final = 1_000_000
MOST_WORK: Final = 10**10  # visits times weights: about two seconds on two cores
_LEAST_ROWS: Final = 1_000
_SAME: Final = ("data", "target", "task", "output", "loss", "init", "seed", "threads", "engine")
_KEPT: Final = ("loss", "accuracy", "exact", "macro_f1", "auc", "rmse", "mae", "r2", "interval")


def linear_model(settings: Settings, dataset: Dataset, examples: Evaluation) -> Rival | None:
    """Train and measure the linear model; None for a run that is one itself.

    Adam with learning rate 0.01 and batches of 100, at most 200 epochs and 1,000,000 visits of rows (10¹⁰ divided by
    the number of weights, if that is less), ended when validation has not become better for 5 epochs. Where a fifth of
    the visits is less than the training part, evenly spaced rows of it are learnt from.

    Without a validation part, as in a run whose own epochs five folds have found, fewer than 1,500 rows are learnt from
    for as many epochs as five folds of them find best in the same way; more rows for as many epochs as there may be.

    Args:
        settings: of the run, resolved.
        dataset: its data.
        examples: what is measured.

    Example:
        >>> from backlight.files import Settings, load_for, part_evaluation
        >>> settings = Settings("moons", layers=(8,))
        >>> dataset = load_for(settings)
        >>> found = linear_model(settings.resolved(dataset), dataset, part_evaluation(dataset, "test"))
        >>> 0.8 < found.metrics["accuracy"] < 0.95
        True
    """
    if not settings.layers:
        return None
    rows, validation = dataset.rows["train"], dataset.rows["validation"]
    weights = (dataset.inputs.width + 1) * dataset.target.width
    visits = max(min(MOST_VISITS, MOST_WORK // weights), _LEAST_ROWS)
    learnt, checked = (spread(part, max(visits // 5, _LEAST_ROWS)) for part in (rows, validation))
    plain = Settings(
        **{name: getattr(settings, name) for name in _SAME},
        layers=(),
        lr=LR,
        dropout=0.0,
        epochs=min(MOST_EPOCHS, max(visits // len(learnt), 1)),
        patience=PATIENCE,
    )
    if not len(checked):
        best = best_epoch(plain, dataset, learnt) if FOLDS <= len(learnt) < SMALL else None
        plain = replace(plain, epochs=best[0] if best else plain.epochs, patience=None)
    training = plain.training(dataset, learnt, checked)
    end = training.complete()
    found = quality(dataset.target, examples, outcomes(training.network, examples, plain.loss, engine=plain.engine))
    metrics: dict[str, Any] = {key: found[key] for key in _KEPT if key in found}
    what = f"no hidden layer, {len(learnt):,} rows, {end.epoch} epochs"
    return Rival("linear model", what, finite({**metrics, "rows": len(learnt), "epochs": end.epoch}))


def spread(rows: Ints, most: int) -> Ints:
    """At most so many of the rows, evenly spaced.

    Example:
        >>> spread(np.arange(10), 4).tolist(), spread(np.arange(3), 4).tolist()
        ([0, 2, 5, 7], [0, 1, 2])
    """
    if len(rows) <= most:
        return rows
    chosen: Ints = rows[np.arange(most) * len(rows) // most]
    return chosen
