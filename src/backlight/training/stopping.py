"""Stopping rules: small objects that look at the record of an epoch and return a reason to stop, or None."""

import re
from dataclasses import dataclass
from typing import Protocol

from backlight.errors import InputError
from backlight.scoring.metrics import HIGHER_IS_BETTER, check_metric
from backlight.training.records import EpochRecord


class StoppingRule(Protocol):
    """Looks at every epoch's record."""

    def reason(self, record: EpochRecord) -> str | None:
        """Why training should stop now, or None."""


@dataclass(frozen=True)
class AfterEpochs:
    """Stop after a number of epochs.

    Example:
        >>> AfterEpochs(3).reason(EpochRecord(3, 30, {"loss": 0.1}, None, None, 0.0))
        '3 epochs were asked for'
    """

    epochs: int

    def reason(self, record: EpochRecord) -> str | None:
        """The reason, once that many epochs are complete."""
        noun = "epoch was" if self.epochs == 1 else "epochs were"
        return f"{self.epochs} {noun} asked for" if record.epoch >= self.epochs else None


@dataclass(frozen=True)
class Until:
    """Stop when a metric reaches a bound: on validation, or on training where there is no validation.

    Args:
        condition: `METRIC<NUMBER`, `<=`, `>` or `>=`; `loss<0.05` or `accuracy>=0.97`, for instance.

    Raises:
        InputError: the condition cannot be read.

    Example:
        >>> Until("loss<0.05").reason(EpochRecord(3, 30, {"loss": 0.04}, None, None, 0.0))
        'loss is 0.04 on training: loss<0.05 was asked for'
    """

    condition: str

    def __post_init__(self) -> None:
        self._parts()

    def _parts(self) -> tuple[str, str, float]:
        match = re.fullmatch(r"\s*(\w+)\s*(<=|>=|<|>)\s*([-+.\deE]+)\s*", self.condition)
        try:
            if match is None:
                raise ValueError(self.condition)
            metric, sign, bound = match[1], match[2], float(match[3])
        except ValueError:
            raise InputError(
                f"the condition {self.condition!r} cannot be read; "
                "write a metric, a sign and a number, such as 'loss<0.05' or 'accuracy>=0.97'"
            ) from None
        check_metric(metric, list(HIGHER_IS_BETTER))
        return metric, sign, bound

    @property
    def metric(self) -> str:
        """The metric that is looked at."""
        return self._parts()[0]

    def reason(self, record: EpochRecord) -> str | None:
        """The reason, once the metric has reached the bound."""
        metric, sign, bound = self._parts()
        watched = record.watched()
        if metric not in watched:
            raise InputError(
                f"the condition {self.condition!r} asks for {metric}, which is not measured here; "
                f"there are {', '.join(k for k in watched if k in HIGHER_IS_BETTER)}"
            )
        value = watched[metric]
        reached = (
            value is not None
            and {
                "<": value < bound,
                "<=": value <= bound,
                ">": value > bound,
                ">=": value >= bound,
            }[sign]
        )
        where = "training" if record.validation is None else "validation"
        return f"{metric} is {value:.4g} on {where}: {self.condition} was asked for" if reached else None


@dataclass(frozen=True)
class Patience:
    """Stop when validation has not become better for a number of epochs (Prechelt 1998).

    Example:
        >>> record = EpochRecord(7, 70, {"loss": 0.1}, {"loss": 0.2}, 2, 0.0)
        >>> Patience(5).reason(record)
        'no better on validation since epoch 2: a patience of 5 epochs was asked for'
    """

    epochs: int

    def __post_init__(self) -> None:
        if self.epochs < 1:
            raise InputError(f"patience is {self.epochs}; at least 1 epoch is needed")

    def reason(self, record: EpochRecord) -> str | None:
        """The reason, once the best epoch lies that far back."""
        if record.best_epoch is None or record.epoch - record.best_epoch < self.epochs:
            return None
        return (
            f"no better on validation since epoch {record.best_epoch}: a patience of {self.epochs} epochs was asked for"
        )
