"""How well inputs are given back: the error by input, and the share of what tells examples apart that is kept."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backlight.arrays import Floats
from backlight.scoring.intervals import mean_interval
from backlight.scoring.resampling import group_sums, percentiles, resampled


@dataclass(frozen=True)
class Reconstructions:
    """What was measured of each example.

    Attributes:
        losses: (n,).
        squares: the mean over its inputs of (output − input)² (n,).
        spreads: the mean over its inputs of (input − mean of that input over the examples)² (n,).
    """

    losses: Floats
    squares: NDArray[np.float64]
    spreads: NDArray[np.float64]


def reconstruction_metrics(found: Reconstructions) -> dict[str, Any]:
    """`loss`; `rmse` = √mean squares, in the units that the network sees; `r2` = 1 − Σ squares / Σ spreads.

    Example:
        >>> told = reconstruction_metrics(Reconstructions(np.ones(2), np.array([0.0, 0.02]), np.array([0.5, 0.5])))
        >>> told["rmse"], told["r2"]
        (0.1, 0.98)
    """
    spread = float(found.spreads.sum())
    return {
        "loss": float(np.mean(found.losses, dtype=np.float64)),
        "rmse": float(np.sqrt(found.squares.mean())),
        "r2": 1.0 - float(found.squares.sum()) / spread if spread else None,
    }


def reconstruction_quality(found: Reconstructions) -> Mapping[str, Any]:
    """The metrics with `score`, which is r2, its `interval`, and the `intervals` of the others."""
    intervals: dict[str, Any] = {"loss": mean_interval(found.losses), "rmse": None, "r2": None}
    sums = group_sums(len(found.squares), lambda rows: [found.squares[rows], found.spreads[rows], _ones(rows)])
    if len(found.squares) > 1 and np.isfinite(sums).all() and found.spreads.any():
        squares, spreads, counts = resampled(sums).T
        with np.errstate(divide="ignore", invalid="ignore"):
            intervals["rmse"] = percentiles(np.sqrt(squares / counts))
            intervals["r2"] = percentiles(1.0 - squares / spreads)
    told = {name: None if ends is None else list(ends) for name, ends in intervals.items()}
    return {**reconstruction_metrics(found), "score": "r2", "interval": told.pop("r2"), "intervals": told}


def _ones(rows: slice) -> NDArray[np.float64]:
    return np.ones(rows.stop - rows.start)
