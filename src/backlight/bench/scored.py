"""What is compared by score: Backlight as its command trains it, and scikit-learn's estimators, on the same rows."""

import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats
from backlight.data import Classes, Dataset, Quantities, load
from backlight.data.tables.columns import CategoryColumn
from backlight.data.tables.inputs import TableInputs
from backlight.files import Settings, begin

MANY_ROWS: Final = 5_000
"""Training rows from which on the grid is searched on so many of them, with seed 0 alone, and always stops early."""

WIDTHS: Final = ((100,), (128, 64), (256, 128))
ALPHAS: Final = (1e-4, 1e-2, 1.0)


@dataclass(frozen=True)
class Answer:
    """What an estimator says about the test part.

    Attributes:
        predicted: class indices (m,), or quantities (m,) as the data set encodes them.
        seconds: what training took, the search for settings included.
        chosen: the settings that were chosen, in words.
    """

    predicted: Array
    seconds: float
    chosen: str = ""


def with_backlight(settings: Settings, given: Dataset) -> Answer:
    """Train as `backlight train` does with these settings, a small table on its validation part too in the end."""
    with tempfile.TemporaryDirectory() as name:
        start = time.perf_counter()
        conduct = begin(settings, given, folder=Path(name) / "run")
        conduct.complete()
        seconds = time.perf_counter() - start
    dataset = conduct.dataset
    outputs = conduct.network.predict(dataset.part("test")[0])
    if isinstance(given.target, Quantities) and isinstance(dataset.target, Quantities):
        outputs = given.target.encode(dataset.target.decode(outputs))  # a small table was standardised anew
    return Answer(outputs.argmax(axis=1) if _classifies(dataset) else outputs[:, 0], seconds)


@dataclass(frozen=True)
class Peer:
    """An estimator of scikit-learn.

    Attributes:
        key: in JSON.
        title: in words.
        short: in tables.
        answer: trains it for a seed and lets it answer; it is given what an earlier seed has chosen.
    """

    key: str
    title: str
    short: str
    answer: Callable[[Dataset, int, str], Answer]


def _classifies(dataset: Dataset) -> bool:
    return isinstance(dataset.target, Classes)


def _part(dataset: Dataset, *names: str) -> tuple[Floats, Array]:
    """Inputs as Backlight prepares them, as float32, and targets (m,), of several parts together."""
    rows = np.concatenate([dataset.rows[name] for name in names])
    x = dataset.x[rows]
    x = np.multiply(x, np.float32(1 / 255), dtype=np.float32) if x.dtype == np.uint8 else x
    y = dataset.y[rows]
    return x, (y if y.ndim == 1 else y[:, 0])


def _fitted(estimator: Any, dataset: Dataset, x: Array, y: Array, chosen: str = "", spent: float = 0.0) -> Answer:
    """Fit to the training and the validation part; `x` holds their rows and then those of the test part."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of iterations that were not enough: its defaults are what is measured
        estimator.fit(x[: len(y)], y)
    seconds = time.perf_counter() - start + spent
    return Answer(estimator.predict(x[len(y) :]), seconds, chosen)


def _rows(dataset: Dataset) -> tuple[Floats, Array]:
    """Inputs of all parts, and the targets of those that peers learn from."""
    return _part(dataset, "train", "validation", "test")[0], _part(dataset, "train", "validation")[1]


def _linear(dataset: Dataset, seed: int, chosen: str) -> Answer:
    models: Any = import_module("sklearn.linear_model")
    estimator = models.LogisticRegression() if _classifies(dataset) else models.Ridge()
    return _fitted(estimator, dataset, *_rows(dataset))


def _mlp(dataset: Dataset, seed: int, **settings: Any) -> Any:
    networks: Any = import_module("sklearn.neural_network")
    kind = networks.MLPClassifier if _classifies(dataset) else networks.MLPRegressor
    return kind(random_state=seed, **settings)


def _mlp_default(dataset: Dataset, seed: int, chosen: str) -> Answer:
    return _fitted(_mlp(dataset, seed), dataset, *_rows(dataset))


def grid(*, many: bool) -> Iterator[dict[str, Any]]:
    """The settings that are tried: 18, or 9 where there are many rows.

    Example:
        >>> len(list(grid(many=False))), len(list(grid(many=True)))
        (18, 9)
    """
    for widths, alpha, early in product(WIDTHS, ALPHAS, (True,) if many else (False, True)):
        yield {"hidden_layer_sizes": widths, "alpha": alpha, "early_stopping": early}


def _mlp_tuned(dataset: Dataset, seed: int, chosen: str) -> Answer:
    """The best of a grid on the validation part, then fitted to it as well."""
    many = len(dataset.rows["train"]) >= MANY_ROWS
    tried = {_in_words(settings): settings for settings in grid(many=many)}
    start = time.perf_counter()
    if not (many and chosen):
        few = replace(dataset, rows={**dataset.rows, "train": dataset.rows["train"][: MANY_ROWS if many else None]})
        chosen = max(tried, key=lambda words: _validated(few, _mlp(few, seed, **tried[words])))
    spent = time.perf_counter() - start
    return _fitted(_mlp(dataset, seed, **tried[chosen]), dataset, *_rows(dataset), chosen, spent)


def _in_words(settings: Mapping[str, Any]) -> str:
    widths = "-".join(map(str, settings["hidden_layer_sizes"]))
    early = ", stopped early" if settings["early_stopping"] else ""
    return f"{widths}, alpha {settings['alpha']:g}{early}"


def _validated(dataset: Dataset, estimator: Any) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        estimator.fit(*_part(dataset, "train"))
    return float(estimator.score(*_part(dataset, "validation")))


def _boosting(dataset: Dataset, seed: int, chosen: str) -> Answer:
    """Categories as such and missing values as such, which suits trees better than what suits networks."""
    ensembles: Any = import_module("sklearn.ensemble")
    kind = ensembles.HistGradientBoostingClassifier
    if not _classifies(dataset):
        kind = ensembles.HistGradientBoostingRegressor
    x, y = _rows(dataset)
    categories: list[int] = []
    if isinstance(dataset.inputs, TableInputs):
        x, categories = columns_again(dataset.inputs, x)
    return _fitted(kind(random_state=seed, categorical_features=categories or None), dataset, x, y)


def columns_again(inputs: TableInputs, x: Floats) -> tuple[Floats, list[int]]:
    """A table's columns from the inputs that they became: numbers, parts of dates, codes of categories; NaN if missing.

    Args:
        inputs: how the columns became inputs.
        x: the inputs (n, d).

    Returns:
        The columns (n, k), and which of them are categories.
    """
    found: list[Array] = []
    categories: list[int] = []
    start = 0
    for column in inputs.columns:
        block = x[:, start : start + len(column.names)]
        start += len(column.names)
        parts = block[:, :-1] if column.missing else block
        if isinstance(column, CategoryColumn):
            categories.append(len(found))
            parts = np.where(parts.any(axis=1), parts.argmax(axis=1), np.nan)[:, None]
        there = block[:, -1] == 0 if column.missing else np.ones(len(x), np.bool_)
        found += [np.where(there, part, np.nan) for part in parts.T.astype(np.float64)]
    return np.stack(found, axis=1), categories


PEERS_BY_SCORE: Final = (
    Peer("mlp", "scikit-learn's MLP", "MLP", _mlp_default),
    Peer("mlp_tuned", "scikit-learn's MLP, tuned", "tuned", _mlp_tuned),
    Peer("boosting", "HistGradientBoosting", "boosting", _boosting),
    Peer("linear", "logistic or ridge regression", "linear", _linear),
)
"""Estimators of scikit-learn, the network with its defaults first."""


def scored(place: str, target: str | None, seed: int, threads: int, chosen: Mapping[str, str]) -> dict[str, Any]:
    """Let Backlight and the peers that are installed learn, and answer for the test part; plain data.

    Args:
        place: a built-in name or a file.
        target: the column to predict.
        seed: of the split and of all that is drawn.
        threads: for Backlight; peers follow the process.
        chosen: settings that peers chose with an earlier seed, by key.
    """
    dataset = load(place, target=target, seed=seed)
    rows = dataset.rows["test"]
    settings = Settings(place, target=(target,) if target else (), seed=seed, threads=threads)
    answers = {"backlight": with_backlight(settings, dataset)}
    if find_spec("sklearn") is not None:
        answers |= {peer.key: peer.answer(dataset, seed, chosen.get(peer.key, "")) for peer in PEERS_BY_SCORE}
    facts = {
        "score": "accuracy" if _classifies(dataset) else "r2",
        "rows": sum(map(len, dataset.rows.values())),
        "inputs": dataset.inputs.width,
        "classes": dataset.target.width if _classifies(dataset) else None,
    }
    return {
        "facts": facts,
        "rows": rows.tolist(),
        "y": dataset.y[rows].reshape(-1).tolist(),
        "predicted": {key: answer.predicted.tolist() for key, answer in answers.items()},
        "seconds": {key: answer.seconds for key, answer in answers.items()},
        "chosen": {key: answer.chosen for key, answer in answers.items()},
    }
