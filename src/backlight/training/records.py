"""Records: what training says while it goes on. Frozen, so that no listener can disturb another, or learning."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True)
class StepsRecord:
    """A block of steps was taken.

    Attributes:
        epoch: the epoch that they belong to, counted from 1.
        step: how many steps had been taken in all when the block ended.
        examples: how many examples of this epoch had been visited when the block ended.
        objective: the mean objective over the epoch so far: penalties included, of smoothed labels.
        seconds: since training started or was resumed.
        examples_per_second: of this block.
    """

    epoch: int
    step: int
    examples: int
    objective: float
    seconds: float
    examples_per_second: float


@dataclass(frozen=True)
class EpochRecord:
    """An epoch has ended; epoch 0 is the untrained network.

    Attributes:
        epoch: how many epochs have been completed.
        step: how many steps have been taken.
        train: metrics of the training examples; `loss` alone, the mean objective over the epoch's steps, unless the
            training examples were evaluated. Only objectives hold penalties and smoothed labels.
        validation: metrics of the validation examples, None if there are none.
        best_epoch: the epoch whose weights are the best on validation so far, None if there is no validation.
        seconds: since training started or was resumed.
        lr: the learning rate of the epoch's last step; None where it is the same throughout.
    """

    epoch: int
    step: int
    train: Mapping[str, Any]
    validation: Mapping[str, Any] | None
    best_epoch: int | None
    seconds: float
    lr: float | None = None

    def watched(self) -> Mapping[str, Any]:
        """The metrics that stopping rules look at: validation's, or training's where there is no validation."""
        return self.train if self.validation is None else self.validation


@dataclass(frozen=True)
class EndRecord:
    """Training has ended.

    Attributes:
        reason: why, in a sentence.
        epoch: how many epochs were completed.
        step: how many steps were taken.
        best_epoch: the epoch whose weights the network now holds, None if it holds the last ones.
        failed: whether the loss was no longer a finite number.
        seconds: since training started or was resumed.
    """

    reason: str
    epoch: int
    step: int
    best_epoch: int | None
    failed: bool
    seconds: float


Record: TypeAlias = StepsRecord | EpochRecord | EndRecord


def to_dict(record: Record) -> dict[str, Any]:
    """A record as plain data, without what differs between equal runs (times), or never changes (`lr`)."""
    content = {k: v for k, v in asdict(record).items() if k not in ("seconds", "examples_per_second")}
    if content.get("lr", 0) is None:
        del content["lr"]
    return {"record": {StepsRecord: "steps", EpochRecord: "epoch", EndRecord: "end"}[type(record)], **content}
