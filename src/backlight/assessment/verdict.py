"""What must be said beside a score, in plain words."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backlight.assessment.rival import Rival

_WIDE: Final = 0.1  # a score that is open by more than this is not known
_FEW: Final = 5
_NAMED: Final = 3
TITLES: Final = {
    "accuracy": "accuracy",
    "exact": "share of examples wholly right",
    "r2": "R²",
}


def score_text(name: str, value: float | None) -> str:
    """A score as people write it.

    Example:
        >>> score_text("accuracy", 0.98519), score_text("r2", -0.0001), score_text("r2", None)
        ('98.52 %', '0.000', '–')
    """
    if value is None:
        return "–"
    return f"{round(value, 3) + 0.0:.3f}" if name == "r2" else f"{100 * value:.2f} %"


def interval_text(name: str, interval: Sequence[float] | None) -> str:
    """The interval of a score.

    Example:
        >>> interval_text("accuracy", [0.97, 0.9963]), interval_text("r2", [0.8, 0.84]), interval_text("r2", None)
        ('97.0 to 99.6', '0.800 to 0.840', '–')
    """
    if interval is None:
        return "–"
    low, high = interval
    return f"{low:.3f} to {high:.3f}" if name == "r2" else f"{100 * low:.1f} to {100 * high:.1f}"


def verdict(
    metrics: Mapping[str, Any], count: int, baseline: Rival | None, linear: Rival | None, *, learnt: bool = False
) -> tuple[str, ...]:
    """The warnings that a reader of the score needs.

    Args:
        metrics: of the network.
        count: how many examples were measured.
        baseline: what ignores the inputs.
        linear: the linear model.
        learnt: whether these are the rows that were learnt from.

    Example:
        >>> metrics = {"score": "accuracy", "accuracy": 0.9, "interval": [0.85, 0.94]}
        >>> verdict(metrics, 200, Rival("baseline", "always 'a'", {"accuracy": 0.5}),
        ...         Rival("linear model", "", {"accuracy": 0.88}))
        ('No clear gain over the linear model: its accuracy of 88.00 % lies within the interval, 85.0 to 94.0.',)
    """
    name, interval = metrics["score"], metrics["interval"]
    said = []
    if learnt:
        said.append("These rows were learnt from, so they say little about new ones.")
    if metrics[name] is None or interval is None:
        return (*said, f"The {TITLES[name]} cannot be told: {_why_untold(metrics, name, count)}.")
    said += [_no_gain(metrics, rival) for rival in (baseline, linear) if rival is not None and _within(metrics, rival)]
    if interval[1] - interval[0] > _WIDE:
        said.append(
            f"{count:,} examples are too few to tell: the {TITLES[name]} may lie anywhere from "
            f"{interval_text(name, interval)}."
        )
    return (*said, *_rare(metrics))


def _why_untold(metrics: Mapping[str, Any], name: str, count: int) -> str:
    if count < 2:
        return "one example is not enough"
    if name == "r2" and metrics.get("rmse") is not None:
        return "all the targets are the same"
    return "outputs or losses are not finite numbers"


def _within(metrics: Mapping[str, Any], rival: Rival) -> bool:
    value = rival.metrics.get(metrics["score"])
    return value is not None and bool(value >= metrics["interval"][0])


def _no_gain(metrics: Mapping[str, Any], rival: Rival) -> str:
    name, interval, value = metrics["score"], metrics["interval"], rival.metrics[metrics["score"]]
    told = f"its {TITLES[name]} of {score_text(name, value)}"
    if value > interval[1]:
        return f"Worse than the {rival.name}: {told} lies above the interval, {interval_text(name, interval)}."
    return f"No clear gain over the {rival.name}: {told} lies within the interval, {interval_text(name, interval)}."


def _rare(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """Classes with too few examples for their row to mean much."""
    rare = [row for row in metrics.get("per_class", ()) if row["support"] < _FEW]
    if not rare:
        return ()
    shown = ", ".join(f"{row['name']!r} ({row['support']})" for row in rare[:_NAMED])
    more = f" and {len(rare) - _NAMED} more" if len(rare) > _NAMED else ""
    return (f"Fewer than {_FEW} examples of {shown}{more}: their own figures mean little.",)
