"""The cost of a gradient, told and drawn."""

from typing import TYPE_CHECKING

from backlight.plots import Block, Chart, Line, Table, Text, number
from backlight.racing.durations import duration_of

if TYPE_CHECKING:
    from backlight.racing.costs import GradientCost, GradientCosts


def cost_blocks(costs: "GradientCosts") -> list[Block]:
    """What it proves, the table, and the picture.

    Args:
        costs: what was measured.
    """
    if not costs.rows:
        return [Text("Nothing was measured.", "note")]
    return [Text(_told(costs)), _table(costs), _chart(costs)]


def _told(costs: "GradientCosts") -> str:
    last, most = costs.rows[-1], costs.most_forward_passes
    assert most is not None
    between = f"from {costs.rows[0].weights:,} to {last.weights:,}" if len(costs.rows) > 1 else f"with {last.weights:,}"
    text = f"By backpropagation it took at most {most:.2f} forward passes, {between} weights."
    if costs.exponent is not None:
        text += (
            f" By nudging every weight, one forward pass each, it took weights^{costs.exponent:.2f} times as long as "
            f"that (least squares over the {len(costs.measured)} networks where it was measured)."
        )
    extrapolated = "would take" if last.extrapolated else "took"
    text += (
        f" With {last.weights:,} weights backpropagation took {duration_of(last.backpropagation_seconds)}, and nudging "
        f"{extrapolated} {duration_of(last.nudging_seconds)}."
    )
    if costs.difference is not None:
        text += (
            f" Both gave the same gradient: in float64 they differed by {costs.difference:.0e} of its largest slope."
        )
    return text


def _table(costs: "GradientCosts") -> Table:
    columns = (
        *("weights", "forward pass", "backpropagation", "in forward passes"),
        *("nudging every weight", "in backpropagations", "how known"),
    )
    return Table(columns, tuple(_row(row) for row in costs.rows))


def _row(row: "GradientCost") -> tuple[str | float, ...]:
    return (
        f"{row.weights:,}",
        duration_of(row.forward_seconds),
        duration_of(row.backpropagation_seconds),
        f"{row.backpropagation_over_forward:.2f}",
        duration_of(row.nudging_seconds),
        number(row.nudging_over_backpropagation),
        "extrapolated" if row.extrapolated else "measured",
    )


def _chart(costs: "GradientCosts") -> Chart:
    """Seconds against weights; what was extrapolated is dashed, from the last that was measured on."""
    weights = tuple(float(row.weights) for row in costs.rows)
    count = len(costs.measured)
    nudging = tuple(row.nudging_seconds for row in costs.rows)
    first = max(count - 1, 0)
    lines = (
        Line("backpropagation", weights, tuple(row.backpropagation_seconds for row in costs.rows)),
        Line("nudging every weight, measured", weights[:count], nudging[:count]),
        Line("nudging every weight, extrapolated", weights[first:], nudging[first:], "dashes"),
        Line("one forward pass", weights, tuple(row.forward_seconds for row in costs.rows)),
    )
    return Chart(lines, ("weights", "seconds for one gradient"), logs=(True, True))
