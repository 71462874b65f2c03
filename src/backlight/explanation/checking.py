"""The gradient check on the user's own network and data, layer by layer."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from backlight.arrays import Floats, Ints
from backlight.errors import whole_number
from backlight.explanation.moment import Subject, open_moment
from backlight.explanation.passes import all_losses, check_examples
from backlight.network import Dropout, gradcheck
from backlight.network.gradcheck import CheckedPart
from backlight.plots import Block, Heading, Table, Text
from backlight.plots.shown import Shown
from backlight.randomness import Purpose, permutation


@dataclass(frozen=True)
class CheckedArray:
    """One array of derivatives, compared with measured slopes.

    Attributes:
        layer: the dense layer's number; None for the inputs and for all parameters together.
        name: "W", "b", "x" or "all parameters".
        directions: how many random directions were compared.
        coordinates: how many single numbers were compared.
        skipped: how many of both were left out, because a kink was too near.
        error: the largest relative error.
        passed: whether something was compared and all of it was within the tolerance.
    """

    layer: int | None
    name: str
    directions: int
    coordinates: int
    skipped: int
    error: float
    passed: bool


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """The gradient check of a network at one moment.

    Attributes:
        when: the moment, in words.
        examples: the row numbers of the examples that it was checked on.
        arrays: W and b of every layer, all parameters together, and the inputs.
        error: the largest relative error of all.
        tolerance: the largest that passes.
        moved: whether parameters were moved a little first, because a unit stood exactly on a kink.
        passed: whether all passed.
        sentence: the verdict in plain words.
        warnings: what a reader should know.
    """

    when: str
    examples: tuple[int, ...]
    arrays: tuple[CheckedArray, ...]
    error: float
    tolerance: float
    moved: bool
    passed: bool
    sentence: str
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Gradient check, {self.when}"

    def blocks(self) -> list[Block]:
        """The verdict, and what was compared."""
        rows = tuple(
            (
                "" if array.layer is None else f"layer {array.layer}",
                array.name,
                f"{array.error:.1e}",
                array.directions,
                array.coordinates,
                array.skipped,
                "passed" if array.passed else "FAILED",
            )
            for array in self.arrays
        )
        columns = ("", "array", "largest error", "directions", "coordinates", "skipped at kinks", "")
        moved = "A unit stood exactly on a kink, so a copy with slightly moved parameters was checked."
        return [
            Heading(self.title, 1),
            *(Text(warning, "warning") for warning in self.warnings),
            Text(self.sentence, "plain" if self.passed else "warning"),
            Table(columns, rows),
            *([Text(moved, "note")] if self.moved else []),
        ]


def check(
    subject: Subject, x: Any, y: Any, *, at: str | int | None = None, examples: int = 8, seed: int = 0
) -> Checked:
    """Compare every derivative that backpropagation claims with the change of the objective that is measured.

    The check runs in float64 on a handful of the examples, dropout with fixed draws included: half of them those of
    largest loss, the others drawn. How the slopes are measured stands at `backlight.gradcheck`.

    Args:
        subject: a network, a run, a run's folder, or an opened moment.
        x: inputs (n, i).
        y: class indices (n,) or targets (n, j).
        at: for a run: 0, a step, "best" (the default) or "last".
        examples: how many examples are taken.
        seed: of that draw, and of the directions that are compared.

    Raises:
        InputError: there is no such moment, or x or y does not fit the network.

    Example:
        >>> from backlight import Network
        >>> check(Network.mlp(2, 4, 3, hidden="tanh", seed=1), np.eye(2), np.array([0, 2])).passed
        True
    """
    moment = open_moment(subject, at)
    given = check_examples(moment, x, y)
    count = min(whole_number("examples", examples, 1), given.source.count)
    rows = _chosen(all_losses(moment.network, moment.loss, given), count, seed)
    found = gradcheck(moment.network, given.source.array[rows], given.targets(rows), moment.loss, seed=seed)
    arrays = tuple(_checked(part, found.tolerance) for part in found.parts)
    dropped = any(isinstance(layer, Dropout) and layer.rate for layer in moment.network.layers)
    draws = ", dropout with fixed draws" if dropped else ""
    if moment.network.coupled:
        draws += ", batch normalisation with the batch's and with running statistics"
    if found.passed:
        verdict = f"Backpropagation is right on {count} examples{draws}"
    else:
        wrong = ", ".join(_name(array) for array in arrays if not array.passed)
        verdict = f"Backpropagation could not be confirmed for {wrong} on {count} examples{draws}"
    return Checked(
        when=moment.when,
        examples=tuple(rows.tolist()),
        arrays=arrays,
        error=found.error,
        tolerance=found.tolerance,
        moved=found.moved,
        passed=found.passed,
        sentence=f"{verdict}: its worst relative error is {found.error:.1e}, where {found.tolerance:.0e} is allowed.",
        warnings=moment.warnings,
    )


def _chosen(losses: Floats, count: int, seed: int) -> Ints:
    """Row numbers: half of them those of largest loss, for where nothing is wrong there is no slope to measure."""
    loudest = np.argsort(-losses, kind="stable")[: count // 2]
    drawn = permutation(seed, Purpose.CHECKING, len(losses), place=(2**30, 1))
    others = drawn[~np.isin(drawn, loudest)][: count - len(loudest)]
    return np.sort(np.concatenate([loudest, others]))


def _checked(part: CheckedPart, tolerance: float) -> CheckedArray:
    passed = part.directions + part.coordinates > 0 and part.error <= tolerance
    layer = part.layer if part.layer >= 0 else None
    return CheckedArray(layer, part.name, part.directions, part.coordinates, part.skipped, part.error, passed)


def _name(array: CheckedArray) -> str:
    return array.name if array.layer is None else f"{array.name} of layer {array.layer}"
