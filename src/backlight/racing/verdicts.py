"""What each method's numbers prove, in words that the numbers choose."""

from collections.abc import Sequence
from dataclasses import replace

from backlight.plots import number
from backlight.racing.curse import curse_row
from backlight.racing.durations import duration_of, passes_text
from backlight.racing.result import Raced
from backlight.search import Combinations, OneWeight, RandomCombinations, parse_search


def verdicts(methods: Sequence[Raced], start: float, weights: int) -> tuple[Raced, ...]:
    """The methods with what each proves.

    Args:
        methods: of a race.
        start: the objective that all began with.
        weights: how many there are.
    """
    with_gradient = [one for one in methods if one.gradient]
    without = [one for one in methods if not one.gradient]
    best = min(without, key=lambda one: one.loss)
    told = {one.method: _gradient(one, best) for one in with_gradient}
    for one in without:
        quickest = min(with_gradient, key=lambda other: (_passes_to(other, one.loss), other.loss))
        told[one.method] = f"{_search(one, start, weights)} {_beside(one, quickest)}"
    return tuple(
        replace(one, proves=told[one.method] if one.passes else f"Nothing: {one.ended} before its first step was done.")
        for one in methods
    )


def _passes_to(one: Raced, loss: float) -> float:
    point = one.reached(loss)
    return float("inf") if point is None else point.passes


def _gradient(one: Raced, best: Raced) -> str:
    """A method with gradients beside the best of those without."""
    there, theirs = one.reached(best.loss), best.reached(best.loss)
    if there is None or theirs is None:
        return f"It got to {number(one.loss)}, above the {number(best.loss)} of {best.name}, {_overtaken(one, best)}."
    if not there.passes:
        return f"No other got lower than where all began; it went on to {number(one.loss)}."
    return (
        f"After {passes_text(there.passes)} ({duration_of(there.seconds)}) it was as low as the best of the others "
        f"({best.name}) after {number(theirs.passes)}: {_times(theirs.passes / there.passes)}. It went on to "
        f"{number(one.loss)}."
    )


def _overtaken(one: Raced, best: Raced) -> str:
    """Until when a method was ahead of the one that was better in the end, by passes."""
    ahead = [point.passes for point in one.points if point.passes and point.loss < _loss_at(best, point.passes)]
    return f"which was behind up to {passes_text(max(ahead))}" if ahead else "which was never behind"


def _loss_at(one: Raced, passes: float) -> float:
    """The loss that a method had last, when it had spent so many passes."""
    return [point.loss for point in one.points if point.passes <= passes][-1]


def _search(one: Raced, start: float, weights: int) -> str:
    """What a method without gradients did."""
    search, passes = parse_search(one.method), number(one.passes)
    lower = one.loss < start and number(one.loss) != number(start)
    change = f"from {number(start)} to {number(one.loss)}" if lower else f"no lower than {number(start)}"
    if isinstance(search, OneWeight):
        if one.passes < weights:
            return f"{passes} tries, fewer than the {weights:,} weights, brought the loss {change}."
        each = number(one.passes / weights)
        return f"{passes} tries, {each} for each of the {weights:,} weights, brought the loss {change}."
    if isinstance(search, RandomCombinations):
        return f"The best of {passes} draws of all {weights:,} weights brought the loss {change}."
    assert isinstance(search, Combinations)
    every = curse_row(weights, len(search.values), max(one.passes, 1.0) / max(one.seconds, 1e-9))
    if one.early:
        return f"The best of all {every.count} combinations brought the loss {change}."
    return (
        f"The best of {passes} combinations, of the {every.count} that there are, brought the loss {change}; to try "
        f"them all takes {every.words}."
    )


def _beside(one: Raced, other: Raced) -> str:
    """Backpropagation beside a method without it."""
    there, own = other.reached(one.loss), one.reached(one.loss)
    if there is None or own is None:
        return f"Backpropagation did not get as low: {number(other.loss)}."
    if not there.passes:
        return "The weights that all began with were as good."
    if not own.passes:
        return ""
    return (
        f"It had that loss after {passes_text(own.passes)}, backpropagation after {passes_text(there.passes)}: "
        f"{_times(own.passes / there.passes)}."
    )


def _times(ratio: float) -> str:
    return f"{number(ratio)} times fewer" if ratio >= 1 else f"{number(1 / ratio)} times more"
