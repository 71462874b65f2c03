"""Schedules: how the learning rate changes from step to step, as a factor of the rate that was given.

With s the steps taken before, S the steps of an epoch, T those of the whole training, e = ⌊s / S⌋ the epoch:

| name | factor |
|---|---|
| `constant` | 1 |
| `step=N:F` | F^⌊e / N⌋ |
| `1/t=N` | 1 / (1 + s / (N S)) |
| `cosine` | (1 + cos(π s / T)) / 2 |
| `one-cycle` | up from 1/25 to 1 over the first 0.3 T steps, down to 1/250,000 by the last, both along a cosine |
| `plateau=N:F` | F^cuts; a cut when the loss has not become lower for N epochs |
| `warmup=N` | (s + 1) / (N S) in the first N epochs, and then another schedule, from its beginning |
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import ClassVar, Final, Protocol, TypeAlias

from backlight.errors import InputError, nearest, number_within, whole_number


@dataclass(frozen=True)
class Place:
    """Where a step stands in its training.

    Attributes:
        step: how many steps were taken before it.
        per_epoch: steps of an epoch.
        total: steps of the whole training, if nothing ends it early.
        cuts: how often reduce on plateau has cut the rate.
    """

    step: int
    per_epoch: int
    total: int
    cuts: int = 0


@dataclass(frozen=True)
class Watched:
    """What reduce on plateau has seen.

    Attributes:
        epoch: the last epoch that it looked at.
        best: the lowest loss.
        since: the epoch of that loss, or of the last cut where it is later.
        cuts: how many there were.
    """

    epoch: int
    best: float
    since: int
    cuts: int


class Schedule(Protocol):
    """The learning rate's factor, step by step."""

    @property
    def name(self) -> str:
        """As it is typed, without its numbers."""

    def factor(self, place: Place) -> float:
        """What the learning rate is multiplied with at a step."""


@dataclass(frozen=True)
class Constant:
    """The same rate throughout."""

    name: ClassVar[str] = "constant"

    def factor(self, place: Place) -> float:
        """1."""
        return 1.0


@dataclass(frozen=True)
class StepDecay:
    """The rate is cut every so many epochs: F^⌊e / N⌋.

    Args:
        epochs: N.
        by: F, above 0 and below 1.

    Example:
        >>> [StepDecay(2, 0.1).factor(Place(step, 10, 100)) for step in (19, 20)]
        [1.0, 0.1]
    """

    epochs: int
    by: float = 0.1
    name: ClassVar[str] = "step"

    def __post_init__(self) -> None:
        whole_number("the epochs of the schedule step", self.epochs, 1)
        _share("the factor of the schedule step", self.by)

    def factor(self, place: Place) -> float:
        """F^⌊e / N⌋."""
        return self.by ** (place.step // place.per_epoch // self.epochs)


@dataclass(frozen=True)
class InverseTime:
    """1 / (1 + s / (N S)): half the rate after N epochs, a third after 2 N (Robbins and Monro 1951).

    Args:
        epochs: N, any number above 0.

    Example:
        >>> [InverseTime(5).factor(Place(step, 10, 100)) for step in (0, 50)]
        [1.0, 0.5]
    """

    epochs: float
    name: ClassVar[str] = "1/t"

    def __post_init__(self) -> None:
        if number_within("the epochs of the schedule 1/t", self.epochs, 0, math.inf) == 0:
            raise InputError("the epochs of the schedule 1/t are 0; give a number above 0: then the rate is halved")

    def factor(self, place: Place) -> float:
        """1 / (1 + s / (N S))."""
        return 1.0 / (1.0 + place.step / (self.epochs * place.per_epoch))


@dataclass(frozen=True)
class Cosine:
    """(1 + cos(π s / T)) / 2: slowly at first, down to nothing (Loshchilov and Hutter, arXiv:1608.03983, no restarts).

    Example:
        >>> [round(Cosine().factor(Place(step, 10, 100)), 3) for step in (0, 50, 99)]
        [1.0, 0.5, 0.0]
    """

    name: ClassVar[str] = "cosine"

    def factor(self, place: Place) -> float:
        """(1 + cos(π s / T)) / 2."""
        return (1.0 + math.cos(math.pi * place.step / place.total)) / 2.0


@dataclass(frozen=True)
class OneCycle:
    """Up to the rate and far down below it (Smith and Topin, arXiv:1708.07120), with the numbers that PyTorch has.

    From 1/25 up to 1 over the first 0.3 T steps, then down to 1/250,000 by the last, both along a cosine. PyTorch's
    OneCycleLR changes momentum, too, unless it is told not to.

    Example:
        >>> [round(OneCycle().factor(Place(step, 10, 100)), 3) for step in (0, 29, 99)]
        [0.04, 1.0, 0.0]
    """

    name: ClassVar[str] = "one-cycle"

    def factor(self, place: Place) -> float:
        """The factor at a step; the peak is at step 0.3 T − 1."""
        peak, first = max(_RISE * place.total - 1.0, 0.0), 1.0 / _BELOW_PEAK
        if place.step < peak:
            return _along_cosine(first, 1.0, place.step / peak)
        return _along_cosine(1.0, first / _BELOW_FIRST, (place.step - peak) / max(place.total - 1.0 - peak, 1.0))


@dataclass(frozen=True)
class Plateau:
    """The rate is cut when the loss has not become lower for a number of epochs.

    It looks at validation, or at training where there is no validation. PyTorch's ReduceLROnPlateau waits an epoch
    longer than its `patience` says, and takes a loss for lower only by a `threshold`.

    Args:
        epochs: how many.
        by: what the rate is multiplied with, above 0 and below 1.

    Example:
        >>> watched, rule = None, Plateau(2, 0.5)
        >>> for epoch, loss in enumerate([0.5, 0.6, 0.5, 0.4], 1):
        ...     watched = rule.look(watched, epoch, loss)
        >>> watched
        Watched(epoch=4, best=0.4, since=4, cuts=1)
    """

    epochs: int
    by: float = 0.1
    name: ClassVar[str] = "plateau"

    def __post_init__(self) -> None:
        whole_number("the epochs of the schedule plateau", self.epochs, 1)
        _share("the factor of the schedule plateau", self.by)

    def factor(self, place: Place) -> float:
        """F^cuts."""
        return self.by**place.cuts

    def look(self, watched: Watched | None, epoch: int, loss: float) -> Watched:
        """What has been seen once an epoch's loss was looked at; the cut, if there is one, acts on the next epoch."""
        if watched is None:
            return Watched(epoch, loss, epoch, 0)
        if loss < watched.best:
            return Watched(epoch, loss, epoch, watched.cuts)
        if epoch - watched.since >= self.epochs:
            return Watched(epoch, watched.best, epoch, watched.cuts + 1)
        return replace(watched, epoch=epoch)


Following: TypeAlias = Constant | StepDecay | InverseTime | Cosine | Plateau


@dataclass(frozen=True)
class Warmup:
    """The rate rises over the first epochs, (s + 1) / (N S), and another schedule begins behind them.

    Source: Goyal and others, arXiv:1706.02677, section 2.2.

    Args:
        epochs: N.
        then: the schedule that follows.

    Example:
        >>> [Warmup(1, StepDecay(2)).factor(Place(step, 4, 100)) for step in (0, 1, 2, 3, 4, 11, 12)]
        [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.1]
    """

    epochs: int
    then: Following = field(default=Constant())
    name: ClassVar[str] = "warmup"

    def __post_init__(self) -> None:
        whole_number("the epochs of the schedule warmup", self.epochs, 1)
        if not isinstance(self.then, Following):
            raise InputError(f"after a warm-up comes another schedule, not {self.then!r}; write warmup=5,cosine")

    def factor(self, place: Place) -> float:
        """The factor at a step."""
        steps = self.epochs * place.per_epoch
        if place.step < steps:
            return (place.step + 1) / steps
        return self.then.factor(replace(place, step=place.step - steps, total=max(place.total - steps, 1)))


_RISE: Final = 0.3
_BELOW_PEAK: Final = 25.0
_BELOW_FIRST: Final = 1e4

Kind: TypeAlias = Following | OneCycle | Warmup

SCHEDULES: Final[dict[str, Callable[..., Kind]]] = {
    "constant": Constant,
    "step": StepDecay,
    "1/t": InverseTime,
    "cosine": Cosine,
    "one-cycle": OneCycle,
    "plateau": Plateau,
    "warmup": Warmup,
}
_FORMS: Final = {
    "step": "step=10:0.1: times 0.1 every 10 epochs",
    "1/t": "1/t=10: half the rate after 10 epochs",
    "plateau": "plateau=5:0.1: times 0.1 after 5 epochs without a lower loss",
    "warmup": "warmup=5: rising over 5 epochs",
}


def _along_cosine(start: float, end: float, share: float) -> float:
    return end + (start - end) / 2.0 * (1.0 + math.cos(math.pi * share))


def _share(what: str, value: float) -> None:
    if number_within(what, value, 0, 1) == 0:
        raise InputError(f"{what} is 0; it must be above 0 and below 1")


def parse_schedule(text: str) -> Schedule:
    """A schedule from its text form: NAME, NAME=NUMBER or NAME=NUMBER:FACTOR; `warmup=N,` may stand before another.

    Raises:
        InputError: it cannot be read; the message says how it is written.

    Example:
        >>> parse_schedule("warmup=3,step=10:0.5")
        Warmup(epochs=3, then=StepDecay(epochs=10, by=0.5))
    """
    first, comma, rest = text.partition(",")
    schedule = _one(first.strip())
    if not comma:
        return schedule
    then = _one(rest.strip())
    if not isinstance(schedule, Warmup) or isinstance(then, Warmup):
        raise InputError(f"the schedule is {text!r}; only a warm-up goes before another: warmup=3,{then.name}")
    if isinstance(then, OneCycle):
        raise InputError("one-cycle begins with a warm-up of its own; leave out the other")
    return Warmup(schedule.epochs, then)


def needs_the_end(text: str) -> bool:
    """Whether a schedule is laid out over the whole training, so that one that ends early is cut short.

    Example:
        >>> needs_the_end("warmup=3,cosine"), needs_the_end("step=10:0.1")
        (True, False)
    """
    schedule = parse_schedule(text)
    return isinstance(schedule.then if isinstance(schedule, Warmup) else schedule, Cosine | OneCycle)


def _one(text: str) -> Kind:
    name, equals, numbers = text.partition("=")
    if name not in SCHEDULES:
        raise InputError(f"there is no schedule {name!r}; {nearest(name, list(SCHEDULES))}")
    form = _FORMS.get(name)
    if form is None and equals:
        raise InputError(f"the schedule {name} takes no numbers, and {text!r} was given")
    try:
        return SCHEDULES[name](*map(_number, numbers.split(":"))) if equals else SCHEDULES[name]()
    except (ValueError, TypeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"the schedule {text!r} cannot be read; write {form}") from error


def _number(text: str) -> int | float:
    return int(text) if text.strip().isdecimal() else float(text)
