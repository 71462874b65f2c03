"""Why a weight is where it is: its displacement as a sum of gradient, penalties, clipping, momentum and decay.

And, for a single step, over examples.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from backlight.errors import InputError, whole_number
from backlight.explanation.desires import incoming_names, unit_names
from backlight.explanation.moment import Moment, engine_warnings
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.places import Weight, parse_weight
from backlight.explanation.step_examples import StepExamples, examples_of
from backlight.explanation.steps import OpenedStep, opened_steps
from backlight.explanation.telling import parts_table
from backlight.files import Conduct, Run
from backlight.plots import Block, Curve, Heading, Text, number
from backlight.plots.shown import Shown
from backlight.training import Training, replay

_POINTS: Final = 200
_COUPLED: Final = (
    "what each example added cannot be told: with batch normalisation an example's gradient depends on the others of "
    "its batch; layer normalisation has no such ties"
)
_WORDS: Final = {
    "gradient": "what the gradients of these steps added",
    "penalty": "what the penalties l1 and l2 took",
    "clipping": "what was given back where gradients were too long",
    "momentum": "what was carried from earlier steps",
    "decay": "what weight decay took",
}


@dataclass(frozen=True)
class Series:
    """A weight's way, step by step; long ways are thinned out.

    Attributes:
        steps: how many steps had been taken.
        weight: the weight at these moments.
        sums: kind of part → what it had added since the first of these moments.
    """

    steps: tuple[int, ...]
    weight: tuple[float, ...]
    sums: dict[str, tuple[float, ...]]


@dataclass(frozen=True, repr=False)
class Moves(Shown):
    """Why a weight is where it is.

    Attributes:
        weight: the weight's name LAYER:TO:FROM.
        source: where it comes from: an input, a unit, or "bias".
        to: the unit that it goes into.
        first: how many steps had been taken before.
        last: how many steps had been taken after.
        before: the weight before.
        after: the weight after.
        parts: what gradient, penalties, clipping, momentum and decay added, and in float32 what rounding did; the whole
            is after − before.
        limit: the most that rounding can amount to.
        series: the weight's way.
        examples: for a single step: what each of its examples added.
        warnings: what a reader should know.
    """

    weight: str
    source: str
    to: str
    first: int
    last: int
    before: float
    after: float
    parts: Parts
    limit: float
    series: Series
    examples: StepExamples | None
    warnings: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Weight {self.weight}, from step {self.first:,} to step {self.last:,}"

    def blocks(self) -> list[Block]:
        """The explanation as blocks."""
        what = f"the bias of {self.to}" if self.source == "bias" else f"the weight from {self.source} to {self.to}"
        rounding = next((part.value for part in self.parts.parts if part.name == "rounding"), None)
        blocks: list[Block] = [
            Heading(self.title, 1),
            *(Text(warning, "warning") for warning in self.warnings),
            Text(
                f"From {number(self.before)} to {number(self.after)}: {what} moved by {number(self.parts.whole)}. "
                + "; ".join(f"{part.name}: {_WORDS[part.name]}" for part in self.parts.parts if part.name in _WORDS)
                + "."
            ),
            parts_table("part", self.parts),
        ]
        if rounding is not None:
            words = f"Every step was rounded to float32: {number(rounding)} in all, at most {number(self.limit)}."
            blocks.append(Text(words, "note"))
        if len(self.series.steps) > 2:
            steps = tuple(map(float, self.series.steps))
            blocks.append(Curve(steps, self.series.weight, labels=("step", "weight"), caption="the weight's way"))
            blocks += [
                Curve(steps, sums, labels=("step", name), caption=f"{name}: {_WORDS[name]}, added up")
                for name, sums in self.series.sums.items()
            ]
        return [*blocks, *(self.examples.blocks() if self.examples else [])]


def moves(run: Run | Path | str, weight: str | Weight, first: int, last: int, *, examples: bool = True) -> Moves:
    """Why a weight is where it is: the sum of what every step from `first` to `last` added to it.

    With g_t the gradient of step t, and everything else as the optimizer had it,

    | optimizer | gradient | momentum |
    |---|---|---|
    | sgd | −lr g_t | – |
    | momentum | −lr g_t | −lr · momentum · u_{t−1} |
    | nesterov | −lr (1 + momentum) g_t | −lr · momentum² · u_{t−1} |
    | adagrad, rmsprop | −lr g_t / d_t | – |
    | adam, adamw | −lr (1 − b1) g_t / ((1 − b1ᵗ) d_t) | −lr b1 m_{t−1} / ((1 − b1ᵗ) d_t) |

    with the denominators d_t = √v_t + eps (adam: √v̂_t + eps) that really occurred, and decay −lr · weight_decay · w.
    What multiplies g_t multiplies the penalties' own gradient l1 sign(w) + l2 w as well, and what clipping took from
    the sum of the two. Where the run keeps averages, these moves are those of the weights that the training goes on
    from. The run is replayed, nothing need have been switched on; `replay_seconds` says beforehand how long that takes.

    Args:
        run: a run or its folder.
        weight: LAYER:TO:FROM, with `b` for FROM to name the bias.
        first: how many steps had been taken at the beginning; 0 is the untrained network.
        last: how many steps had been taken at the end.
        examples: whether to say what each example added, where it is a single step without batch normalisation.

    Raises:
        InputError: there is no such weight or step, or the run's data have changed.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    first, last = _checked_steps(run, first, last)
    conduct = Conduct(run, run.dataset())
    network, dataset = conduct.network, conduct.dataset
    weight = parse_weight(str(weight), network)
    if weight.layer in conduct.training.plan.frozen:
        raise InputError(f"layer {weight.layer} was frozen, so its weights never moved; choose a layer that learns")
    outputs = tuple(dataset.target.names)[-network.outputs :]
    assert run.settings.loss is not None
    moment = Moment(network, run.settings.loss, "", first, tuple(dataset.inputs.names), outputs, run=run)
    source = "bias" if weight.source is None else incoming_names(moment, weight.layer)[weight.source]
    to = unit_names(moment, weight.layer)[weight.to]
    replay(conduct.training, first, run.checkpoint())
    optimizer = run.settings.trainer(network).chosen_optimizer()
    single, warnings = examples and last == first + 1, engine_warnings(run)
    if single and network.coupled:
        single, warnings = False, (*warnings, _COUPLED)
    steps = list(opened_steps(conduct.training, optimizer, weight, last, examples=single))
    return told(
        conduct.training,
        weight,
        first,
        steps,
        (source, to),
        lambda row: dataset.called(dataset.example_of(row)),
        warnings,
    )


def step_examples(run: Run | Path | str, weight: str | Weight, step: int) -> StepExamples:
    """What each example of one step added to a weight: its share −lr/B ∂loss_n/∂w of the gradient part.

    With adam the shares have the denominators that the step really had; see `moves`.

    Args:
        run: a run or its folder.
        weight: LAYER:TO:FROM, with `b` for FROM to name the bias.
        step: how many steps had been taken before the one that is opened.

    Raises:
        InputError: there is no such weight or step, or the run's data have changed, or batch normalisation leaves no
            example a share of its own.
    """
    found = moves(run, weight, step, step + 1).examples
    if found is None:
        raise InputError(_COUPLED)
    return found


def _checked_steps(run: Run, first: int, last: int) -> tuple[int, int]:
    """Refuse steps that the run has not taken."""
    first, last = whole_number("first", first, 0), whole_number("last", last, 0)
    if last <= first:
        raise InputError(f"a move goes from a step to a later one, and {first} to {last} was asked for")
    taken = run.taken
    if last > taken:
        raise InputError(
            f"step {last} was asked for; {run.folder} has taken {taken} steps, so give one of 0 to {taken}"
        )
    return first, last


def told(
    training: Training,
    weight: Weight,
    first: int,
    steps: Sequence[OpenedStep],
    names: tuple[str, str],
    name_of: Callable[[int], str] = "row {}".format,
    warnings: tuple[str, ...] = (),
) -> Moves:
    """Opened steps of a training as moves.

    Args:
        training: the training.
        weight: the weight that was opened.
        first: how many steps had been taken before these.
        steps: at least one.
        names: of where the weight comes from, and of the unit that it goes into.
        name_of: the name of a row's example.
        warnings: what a reader should know.
    """
    values: dict[str, list[float]] = {"gradient": [step.gradient for step in steps]}
    for name in ("penalty", "clipping", "momentum", "decay"):
        if getattr(steps[0], name) is not None:
            values[name] = [getattr(step, name) or 0.0 for step in steps]
    before, after, limit = steps[0].before, steps[-1].after, math.fsum(step.limit for step in steps)
    rounding, rounded = math.fsum(step.rounding for step in steps), training.network.dtype != np.float64
    named = [(name, math.fsum(added)) for name, added in values.items()]
    parts = add_up([*named, *([("rounding", rounding)] if rounded else [])], whole=after - before)
    if not abs(rounding) <= limit:
        unexplained = f"{number(rounding)} is left unexplained, and rounding can be {number(limit)} at most"
        warnings = (*warnings, f"the parts do not add up: {unexplained}; please report this")
    return Moves(
        weight=str(weight),
        source=names[0],
        to=names[1],
        first=first,
        last=first + len(steps),
        before=before,
        after=after,
        parts=parts,
        limit=limit,
        series=_series(first, steps, values),
        examples=examples_of(training, weight, first, steps[0], name_of),
        warnings=warnings,
    )


def _series(first: int, steps: Sequence[OpenedStep], values: dict[str, list[float]]) -> Series:
    count = len(steps)
    places = np.unique(np.linspace(0, count, min(count + 1, _POINTS)).round().astype(int)).tolist()
    weight = [steps[0].before, *(step.after for step in steps)]
    sums = {name: np.concatenate([[0.0], np.cumsum(added)]) for name, added in values.items()}
    return Series(
        tuple(first + k for k in places),
        tuple(weight[k] for k in places),
        {name: tuple(float(added[k]) for k in places) for name, added in sums.items()},
    )
