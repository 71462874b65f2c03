"""The parts of a report: each a few blocks of what was measured."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backlight.assessment.learning_curve import LearningCurve
from backlight.assessment.rival import Rival
from backlight.assessment.verdict import TITLES, interval_text, score_text
from backlight.plots import Block, Chart, Heading, Line, Matrix, Ranges, Table, Text, number
from backlight.scoring.intervals import share_interval

METRICS: Final[Mapping[str, str]] = {
    "loss": "loss",
    "accuracy": "accuracy",
    "exact": "all right",
    "macro_f1": "macro F1",
    "auc": "AUC",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
}


@dataclass(frozen=True)
class Errors:
    """How far off the answers about a quantity are, in its own units.

    Attributes:
        name: of the quantity.
        half: half of the errors are smaller, by size.
        most: nine in ten are smaller.
        truth: some examples' values.
        answers: what the network says of them.
    """

    name: str
    half: float
    most: float
    truth: tuple[float, ...]
    answers: tuple[float, ...]


_SHARES: Final = ("accuracy", "exact", "macro_f1")
_MOST_CLASSES: Final = 200
_WORST: Final = 10


def scored_text(metrics: Mapping[str, Any], score: str) -> str:
    """A score with its interval, where it has one.

    Example:
        >>> scored_text({"accuracy": 0.98519, "interval": [0.97, 0.9963]}, "accuracy")
        '98.52 % (97.0 to 99.6)'
    """
    text = score_text(score, metrics.get(score))
    interval = metrics.get("interval")
    return text if interval is None else f"{text} ({interval_text(score, interval)})"


def score_range(metrics: Mapping[str, Any], rivals: Sequence[Rival], network: str) -> Ranges:
    """The network's score above those of the linear model and of the baseline, on a common scale.

    Args:
        metrics: of the network.
        rivals: what it is compared with.
        network: what the network is called.
    """
    score = metrics["score"]
    told = [(network, metrics), *((rival.name, rival.metrics) for rival in rivals)]
    ends = [entry.get("interval") for _, entry in told]
    return Ranges(
        names=tuple(name for name, _ in told),
        values=tuple(entry.get(score) for _, entry in told),
        ends=tuple(None if pair is None else (pair[0], pair[1]) for pair in ends),
        texts=tuple(scored_text(entry, score) for _, entry in told),
        caption=f"{TITLES[score]}, with the interval that holds it 19 times in 20",
    )


def metric_table(metrics: Mapping[str, Any], rivals: Sequence[Rival], network: str) -> Table:
    """Every metric of the network with its interval, beside those of its rivals."""
    names = [name for name in METRICS if name in metrics]
    intervals = {**metrics["intervals"], metrics["score"]: metrics["interval"]}
    rows = [
        (
            METRICS[name],
            cell(name, metrics),
            _ends(name, intervals.get(name)),
            *(cell(name, rival.metrics) for rival in rivals),
        )
        for name in names
    ]
    return Table(("metric", network, "95 % interval", *(rival.name for rival in rivals)), tuple(rows))


def cell(name: str, metrics: Mapping[str, Any]) -> str | float | None:
    """A metric as a cell: a share in percent, another number as it is, a dash for what is not finite.

    Example:
        >>> measured = {"accuracy": 0.5, "r2": 0.25, "loss": None}
        >>> [cell(name, measured) for name in ("accuracy", "r2", "loss", "mae")]
        ['50.00 %', 0.25, '–', None]
    """
    value: float | None = metrics.get(name)
    if value is None:
        return "–" if name in metrics else None
    return f"{100 * value:.2f} %" if name in _SHARES else value


def _ends(name: str, interval: Sequence[float] | None) -> str | None:
    if interval is None:
        return None
    if name in _SHARES:
        return f"{100 * interval[0]:.1f} to {100 * interval[1]:.1f} %"
    return f"{number(interval[0])} to {number(interval[1])}"


def class_blocks(told: Mapping[str, Any], *, heading: str, noun: str = "class", level: int = 2) -> list[Block]:
    """A row for every class, or for every label.

    Args:
        told: what holds `per_class`.
        heading: of the section.
        noun: "class" or "label".
        level: of the heading.
    """
    rows = tuple(
        (
            row["name"],
            _percent(row["precision"]),
            _percent(row["recall"]),
            _percent(row["f1"]),
            row["auc"],
            row["support"],
        )
        for row in told["per_class"][:_MOST_CLASSES]
    )
    blocks: list[Block] = [
        Heading(heading, level),
        Table((noun, "precision", "recall", "F1", "AUC", "examples"), rows),
        Text(
            f"Precision: of those taken for the {noun}, how many are. Recall: of those that are, how many were found. "
            f"AUC: how often one that is scores higher than one that is not.",
            "note",
        ),
    ]
    if len(told["per_class"]) > _MOST_CLASSES:
        blocks.append(Text(f"and {len(told['per_class']) - _MOST_CLASSES:,} more", "note"))
    return blocks


def _percent(value: float | None) -> str | None:
    return None if value is None else f"{100 * value:.1f} %"


def confusion_blocks(confusion: Sequence[Sequence[int]], names: Sequence[str]) -> list[Block]:
    """What was taken for what."""
    caption = "Blue: right. Orange: mistakes. The stronger the colour, the larger the share of the row."
    return [
        Heading("What was taken for what"),
        Matrix(tuple(names), np.array(confusion, np.int64), ("is", "taken for"), caption),
    ]


def calibration_text(told: Mapping[str, Any], share: float) -> str:
    """Calibration in a sentence or two.

    Args:
        told: the entry `calibration`.
        share: how many answers are right.

    Example:
        >>> calibration_text({"confidence": 0.99, "ece": 0.02, "brier": 0.05}, 0.97)
        'On average 99.0 % sure and 97.0 % right; off by 2.0 % where it is compared bin by bin (ECE). Brier score 0.05.'
    """
    return (
        f"On average {100 * told['confidence']:.1f} % sure and {100 * share:.1f} % right; off by "
        f"{100 * told['ece']:.1f} % where it is compared bin by bin (ECE). Brier score {number(told['brier'])}."
    )


def calibration_blocks(told: Mapping[str, Any] | None, share: float, *, level: int = 2) -> list[Block]:
    """How confidence compares with how often answers are right."""
    if told is None:
        return []
    bins = [entry for entry in told["bins"] if entry["count"]]
    ends = [_share_ends(entry) for entry in bins]
    line = Line(
        "share that is right",
        tuple(entry["confidence"] for entry in bins),
        tuple(entry["accuracy"] for entry in bins),
        "line",
        tuple(ends),
    )
    caption = "Each dot: the answers of one bin of confidence. On the dashed line, confidence is what it says."
    return [
        Heading("Calibration: is it as right as it is sure?", level),
        Text(calibration_text(told, share)),
        Chart((line,), ("confidence", "share that is right"), (0.0, 1.0), caption),
    ]


def _share_ends(entry: Mapping[str, Any]) -> tuple[float, float]:
    return share_interval(round(entry["accuracy"] * entry["count"]), entry["count"])


def question_blocks(questions: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A row for every question, and a section for each."""
    rows = tuple(
        (
            question["name"],
            _percent(question["accuracy"]),
            interval_text("accuracy", question["interval"]),
            question["auc"],
            _ends("auc", question["intervals"]["auc"]),
        )
        for question in questions
    )
    blocks: list[Block] = [
        Heading("Question by question"),
        Table(("question", "accuracy", "95 % interval", "AUC", "95 % interval"), rows),
    ]
    for question in questions:
        worst = sorted(question["per_class"], key=lambda row: float(row["f1"]))[:_WORST]
        which = "" if len(worst) == len(question["per_class"]) else f": the {_WORST} classes of lowest F1"
        blocks += class_blocks({"per_class": worst}, heading=f"{question['name']}{which}", level=3)[:2]
    return blocks


def error_blocks(told: Errors) -> list[Block]:
    """How far answers are off, and a picture of answers against truth."""
    known = [value for value in (*told.truth, *told.answers) if np.isfinite(value)]
    diagonal = (min(known), max(known)) if known else None
    line = Line(told.name, told.truth, told.answers, "points")
    half, most = number(told.half), number(told.most)
    caption = "On the dashed line the answer is the truth."
    return [
        Heading(f"How far off: {told.name}"),
        Text(f"Half of the answers are off by less than {half}, nine in ten by less than {most}."),
        Chart((line,), (f"{told.name}, as it is", "as answered"), diagonal, caption),
    ]


def learning_text(curve: LearningCurve) -> str:
    """What twice the data would give, in a sentence."""
    unit = "" if curve.score == "r2" else " points"
    scale = 1.0 if curve.score == "r2" else 100.0

    def amount(value: float) -> str:
        return f"{scale * value:+.3f}" if curve.score == "r2" else f"{scale * value:+.2f}"

    if curve.interval is None:
        return "What twice the data would give cannot be told."
    low, high = (amount(end) for end in curve.interval)
    then = score_text(curve.score, curve.doubled)
    told = f"{amount(curve.gain)}{unit} ({low} to {high}), to about {then}"
    if curve.interval[0] <= 0 <= curve.interval[1]:
        return f"Twice the data may or may not help: {told}."
    return f"Twice the data would help by about {told}." if curve.gain > 0 else f"More data did not help: {told}."


def curve_blocks(curve: LearningCurve) -> list[Block]:
    """Scores by the number of training rows, and the fit."""
    points = [(m, score) for m, scores in zip(curve.rows, curve.scores, strict=True) for score in scores]
    last = curve.rows[-1]
    now = curve.doubled - curve.gain
    factor = (1 - now) * float(last) ** curve.exponent
    at = np.geomspace(curve.rows[0], 2 * last, 40)
    fit = 1 - factor * at**-curve.exponent
    ends = None if curve.interval is None else ((now + curve.interval[0], now + curve.interval[1]),)
    lines = (
        Line("trained on that many rows", tuple(float(m) for m, _ in points), tuple(s for _, s in points), "points"),
        Line("twice the data, foretold", (2.0 * last,), (curve.doubled,), "points", ends),
        Line("fit: error = a · rows^(−b)", tuple(at.tolist()), tuple(fit.tolist()), "dashes"),
    )
    rows = tuple(
        (m, ", ".join(score_text(curve.score, score) for score in scores))
        for m, scores in zip(curve.rows, curve.scores, strict=True)
    )
    return [
        Heading("Would more data help?"),
        Text(learning_text(curve)),
        Chart(lines, ("training rows", TITLES[curve.score]), caption="Each dot is a training of its own."),
        Table(("training rows", f"{TITLES[curve.score]} of each training"), rows),
        Text(
            f"The fit gives b = {number(curve.exponent)}. It is an extrapolation: data of another kind than these "
            "can help more.",
            "note",
        ),
    ]
