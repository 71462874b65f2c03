"""Scores on real data: Backlight's defaults beside scikit-learn's estimators, on the same rows, over several seeds.

A seed decides the split and all that is drawn in training. Backlight learns as its command does: from the training
part, ended by the validation part; of a small table from both, for as long as five folds of them tell. Peers need no
validation part and learn from both. All answer for the same test rows: by the share of right classes, or by R².
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.bench.processes import WorkerProcess
from backlight.bench.real_data import RealData
from backlight.randomness import Purpose, uniforms

MOST_SEEDS: Final = 5
OWN: Final = "backlight"
_RESAMPLES: Final = 1000
# Student's t: 95 % of it lies between −t and t, for 1, 2, … degrees of freedom
_STUDENT: Final = (12.706, 4.303, 3.182, 2.776)


@dataclass(frozen=True)
class Answers:
    """What all said about the test part of one seed.

    Attributes:
        rows: the numbers of the test rows (m,).
        y: the truth (m,), class indices or quantities.
        predicted: by each one's key (m,).
        seconds: what training took each of them.
        chosen: the settings that were chosen, where there was a choice.
    """

    rows: Ints
    y: Array
    predicted: Mapping[str, Array]
    seconds: Mapping[str, float]
    chosen: Mapping[str, str]


def score(y: Array, predicted: Array, counts: Array | None = None) -> float:
    """The share of right class indices, or R² of quantities.

        R² = 1 − Σ (y − predicted)² / Σ (y − mean of y)²

    Args:
        y: class indices (m,) of whole numbers, or quantities (m,) of floating-point numbers.
        predicted: likewise.
        counts: how often each row counts (m,); once unless given.

    Example:
        >>> score(np.array([0, 1, 1]), np.array([0, 1, 0]), np.array([2, 0, 2]))
        0.5
        >>> score(np.array([1.0, 2.0, 3.0]), np.array([2.0, 2.0, 3.0]))
        0.5
    """
    counts = np.ones(len(y)) if counts is None else counts
    if y.dtype.kind == "i":
        return float(counts @ (y == predicted) / counts.sum())
    y, predicted = y.astype(np.float64), predicted.astype(np.float64)
    middle = counts @ y / counts.sum()
    return float(1 - counts @ (y - predicted) ** 2 / (counts @ (y - middle) ** 2))


def resampled(answers: Sequence[Answers], resamples: int = _RESAMPLES) -> dict[str, Floats]:
    """Mean scores over seeds with the rows drawn anew, with replacement: by key, one per time that they were drawn.

    A row counts as often in one seed's test part as in another's, so that parts with rows in common are not taken for
    independent ones. Source: Efron, "Bootstrap methods: another look at the jackknife", 1979.
    """
    known = np.unique(np.concatenate([one.rows for one in answers]))
    places = [np.searchsorted(known, one.rows) for one in answers]
    found: dict[str, Floats] = {key: np.empty(resamples) for key in answers[0].predicted}
    for number in range(resamples):
        drawn = uniforms(0, Purpose.CHECKING, len(known), place=(number, 0)) * len(known)
        counts = np.bincount(drawn.astype(np.int64), minlength=len(known)).astype(np.float64)
        for key, scores in found.items():
            scores[number] = mean(
                score(one.y, one.predicted[key], counts[place]) for one, place in zip(answers, places, strict=True)
            )
    return found


def over_seeds(differences: Sequence[float]) -> list[float] | None:
    """A 95 % interval of the mean by Student's t; None for a single seed.

    Example:
        >>> over_seeds([0.0, 0.02])
        [-0.11706, 0.13706]
    """
    if len(differences) < 2:
        return None
    half = _STUDENT[len(differences) - 2] * stdev(differences) / math.sqrt(len(differences))
    return [round(mean(differences) - half, 5), round(mean(differences) + half, 5)]


def told(answers: Sequence[Answers]) -> dict[str, Any]:
    """Scores, intervals and differences as plain data.

    Args:
        answers: one per seed.

    Returns:
        For each `system` its mean `score`, its 95 % `interval` over test rows, its `scores` by seed, the median of its
        `seconds`, and what was `chosen`; for each peer what Backlight is `ahead` by, with both intervals.
    """
    drawn = resampled(answers)
    scores = {key: [score(one.y, one.predicted[key]) for one in answers] for key in drawn}
    systems = {
        key: {
            "score": round(mean(values), 5),
            "interval": _middle(drawn[key]),
            "scores": [round(value, 5) for value in values],
            "seconds": round(median(one.seconds[key] for one in answers), 3),
            "chosen": [one.chosen[key] for one in answers if one.chosen.get(key)],
        }
        for key, values in scores.items()
    }
    ahead = {}
    for key in (key for key in scores if key != OWN):
        differences = [ours - theirs for ours, theirs in zip(scores[OWN], scores[key], strict=True)]
        ahead[key] = {
            "mean": round(mean(differences), 5),
            "over_rows": _middle(drawn[OWN] - drawn[key]),
            "over_seeds": over_seeds(differences),
        }
    return {"systems": systems, "ahead": ahead}


def _middle(values: Floats) -> list[float]:
    """Where the middle 95 % lie."""
    return [round(float(bound), 5) for bound in np.quantile(values, (0.025, 0.975))]


def measure_accuracy(
    chosen: Sequence[RealData], folder: Path, *, seeds: int, threads: int, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    """Scores on each data set, as soon as it is measured; for one that is not here, `left_out` says why.

    Args:
        chosen: the data sets.
        folder: where tables may be written.
        seeds: how many, from 0 on; at most `MOST_SEEDS`.
        threads: for every system.
        say: is told how it goes on.
    """
    for data in chosen:
        entry: dict[str, Any] = {"name": data.name, "origin": data.origin}
        if (why := data.obstacle()) is not None:
            yield entry | {"left_out": why}
            continue
        place, answers = data.place(folder), list[Answers]()
        facts, settings = dict[str, Any](), dict[str, str]()
        with WorkerProcess(folder, threads) as worker:
            for seed in range(seeds):
                say(f"{data.name}: seed {seed}")
                answer = worker.ask("score", place=place, target=data.target, seed=seed, chosen=settings)
                facts = answer["facts"]
                answers.append(_read(answer))
                settings = answer["chosen"] | settings
        yield entry | facts | told(answers)


def _read(answer: Mapping[str, Any]) -> Answers:
    kind = np.int64 if answer["facts"]["score"] == "accuracy" else np.float64
    predicted = {key: np.array(values, kind) for key, values in answer["predicted"].items()}
    rows = np.array(answer["rows"], np.int64)
    return Answers(rows, np.array(answer["y"], kind), predicted, answer["seconds"], answer["chosen"])
