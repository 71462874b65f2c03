"""One example at one moment, explained: forward, wishes, ways to grant them, the chain rule."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backlight.arrays import Floats
from backlight.errors import InputError
from backlight.explanation.columns import Contributions, contributions
from backlight.explanation.desires import (
    Example,
    ThreeWays,
    Wish,
    combined,
    incoming_names,
    input_wishes,
    open_example,
    three_ways,
    unit_names,
    wishes,
)
from backlight.explanation.moment import Moment, Subject, open_moment
from backlight.explanation.parts import Parts
from backlight.explanation.paths import Chain, chain
from backlight.explanation.places import Unit, Weight, dense_layer, parse_unit, parse_weight
from backlight.network.softmax import groups
from backlight.plots import Block
from backlight.plots.shown import Shown


@dataclass(frozen=True)
class LayerPassed:
    """A dense layer of the forward pass.

    Attributes:
        layer: its number.
        units: the names of its units.
        z: pre-activations (j,).
        a: activations (j,).
    """

    layer: int
    units: tuple[str, ...]
    z: Floats
    a: Floats


@dataclass(frozen=True)
class InputWish:
    """An input, its value, and what the example wants of it: −∂loss/∂x."""

    name: str
    value: float
    wish: float


@dataclass(frozen=True)
class Asked:
    """What the units of the next dense layer ask of one unit.

    Attributes:
        unit: the unit that is asked.
        by: the number of the dense layer that asks.
        parts: −delta_j W_ji for every unit j that asks; together −∂loss/∂a of the unit.
    """

    unit: str
    by: int
    parts: Parts


@dataclass(frozen=True, repr=False)
class Explanation(Shown):
    """How backpropagation reasons about one example.

    Attributes:
        example: its name.
        when: the moment, in words.
        step: how many steps had been taken, None if unknown.
        prediction: the output of largest activation, one for each of several questions; quantities by name and value,
            in their own units.
        confidence: the largest activation; None for quantities, several labels and several questions.
        truth: what it should be.
        loss: the example's loss.
        contributions: which columns the prediction rests on; None for a network on its own, which has no average row,
            and where the data are gone.
        forward: every dense layer's z and a.
        outputs: what the output wants.
        ways: the three ways to grant the wish of one unit.
        asked: what the next layer asks of a hidden unit; None for a network without hidden units.
        inputs: what each input should do, recursively.
        chain: the chain rule for one weight.
        warnings: what a reader should know.
    """

    example: str
    when: str
    step: int | None
    prediction: str
    confidence: float | None
    truth: str
    loss: float
    contributions: Contributions | None
    forward: tuple[LayerPassed, ...]
    outputs: tuple[Wish, ...]
    ways: ThreeWays
    asked: Asked | None
    inputs: tuple[InputWish, ...]
    chain: Chain
    warnings: tuple[str, ...]
    opened: Example = field(repr=False)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"{self.example}, {self.when}"

    def blocks(self) -> list[Block]:
        """The explanation as blocks."""
        from backlight.explanation.telling import tell

        return tell(self)


def explain(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    at: str | int | None = None,
    unit: str | None = None,
    weight: str | None = None,
    loss: str | None = None,
    name: str = "the example",
) -> Explanation:
    """Show how backpropagation reasons about one example, in float64.

    Args:
        subject: a network, a run, a run's folder, or an opened moment.
        x: the example's inputs (i,).
        y: its class index, one per question (k,), or its targets (j,).
        at: for a run: 0, a step, "best" (the default) or "last".
        unit: LAYER:UNIT, whose wish is granted in three ways; the output that wishes loudest unless given.
        weight: LAYER:TO:FROM, for which the chain rule is written out; the first-layer weight of largest gradient
            unless given.
        loss: for a network: the loss; by default the one that its output was made for.
        name: what the example is called.

    Raises:
        InputError: there is no such moment, unit or weight, or the example does not fit.

    Example:
        >>> from backlight import Network
        >>> told = explain(Network.mlp(2, 3, 2, seed=0), [0.5, -1.0], 1)
        >>> told.outputs[1].target, abs(told.chain.parts.sum - told.chain.parts.whole) < 1e-12
        (1.0, True)
    """
    moment = open_moment(subject, at, loss=loss)
    example = open_example(moment, x, y, name)
    layers = [index for index, _, _ in moment.network.dense_layers()]
    wished = wishes(example, layers[-1])
    chosen = _loudest(layers[-1], wished) if unit is None else parse_unit(unit, moment.network)
    linked = _steepest(example, layers[0]) if weight is None else parse_weight(weight, moment.network)
    best = int(example.trace.out[0].argmax())
    shared, missing = _contributions(moment, x, name)
    return Explanation(
        example=name,
        when=moment.when,
        step=moment.step,
        prediction=_several(moment, example.trace.out[0]) or moment.outputs[best],
        confidence=None if _several(moment, example.trace.out[0]) else float(example.trace.out[0, best]),
        truth=_several(moment, example.targets) or _truth(moment, example.targets),
        loss=float(example.backward.losses[0]),
        contributions=shared,
        forward=tuple(_passed(example, layer) for layer in layers),
        outputs=tuple(wished),
        ways=three_ways(example, chosen),
        asked=_asked(example, layers, chosen if unit is not None else None),
        inputs=_input_rows(example),
        chain=chain(example, linked),
        warnings=(*moment.warnings, *missing),
        opened=example,
    )


def _contributions(moment: Moment, x: Any, name: str) -> tuple[Contributions | None, tuple[str, ...]]:
    """Which columns the prediction rests on, or why that cannot be told."""
    if moment.run is None:
        return None, ()
    try:
        return contributions(moment, x, name=name), ()
    except InputError as error:
        return None, (f"which columns it rests on cannot be told: {error}",)


def _several(moment: Moment, values: Floats) -> str:
    """Quantities in their own units, true labels, or a class for each question; nothing where one class is picked."""
    if moment.network.sizes:
        picked = [group.start + int(values[group].argmax()) for group in groups(moment.network.sizes, len(values))]
        return ", ".join(moment.outputs[j] for j in picked)
    if moment.labels:
        true = [name for name, value in zip(moment.outputs, values, strict=True) if value > 0.5]
        return ", ".join(true) or "no label"
    if moment.quantities is None:
        return ""
    decoded = moment.quantities.decode(values[None])[0]
    return ", ".join(f"{name} {value:,.6g}" for name, value in zip(moment.outputs, decoded, strict=True))


def _truth(moment: Moment, targets: Floats) -> str:
    """The target class; for several labels or quantities, all of them."""
    if moment.network.output == "softmax" or (targets.sum() == 1 and set(targets.tolist()) <= {0.0, 1.0}):
        return moment.outputs[int(targets.argmax())]
    return ", ".join(f"{name} {value:.4g}" for name, value in zip(moment.outputs, targets, strict=True))


def _loudest(layer: int, wished: list[Wish]) -> Unit:
    return Unit(layer, int(np.argmax([abs(wish.for_z) for wish in wished])))


def _steepest(example: Example, layer: int) -> Weight:
    """The weight of a layer with the largest gradient."""
    delta = example.backward.errors[layer]
    assert delta is not None
    a = example.trace.a_in(layer)
    return Weight(layer, int(np.abs(delta[0]).argmax()), int(np.abs(a[0]).argmax()))


def _passed(example: Example, layer: int) -> LayerPassed:
    rows = wishes(example, layer)
    names = tuple(unit_names(example.moment, layer))
    return LayerPassed(layer, names, np.array([row.z for row in rows]), np.array([row.activation for row in rows]))


def _asked(example: Example, layers: list[int], chosen: Unit | None) -> Asked | None:
    """What is asked of the chosen hidden unit, or of the last hidden layer's unit that is asked for most."""
    if len(layers) == 1:
        return None
    if chosen is not None and chosen.layer != layers[-1]:
        by = layers[layers.index(chosen.layer) + 1]
        return Asked(str(chosen), by, combined(example, by, chosen.unit))
    by = layers[-1]
    delta = example.backward.errors[by]
    assert delta is not None
    number = int(np.abs(delta[0] @ dense_layer(example.moment.network, by).W).argmax())
    return Asked(incoming_names(example.moment, by)[number], by, combined(example, by, number))


def _input_rows(example: Example) -> tuple[InputWish, ...]:
    values, wished = example.trace.x[0].tolist(), input_wishes(example).tolist()
    return tuple(InputWish(*row) for row in zip(example.moment.inputs, values, wished, strict=True))


def example_of(moment: Moment, text: str) -> tuple[Any, Any, str]:
    """The inputs, target and name of one of a run's own examples, or of a row of a file.

    Args:
        moment: of a run.
        text: `test:42`, or `FILE:ROW` for a labelled file, rows counted from 0.

    Raises:
        InputError: the moment is not of a run, or there is no such example.
    """
    from backlight.data import PARTS, read_rows

    if moment.run is None:
        raise InputError(f"{text!r} names an example of a run, and only a network was given; give x and y")
    head, colon, tail = text.rpartition(":")
    if head in PARTS and colon:
        dataset = moment.dataset
        row = dataset.row_of(text)
        return dataset.x[row], dataset.target_of(row), dataset.called(text)
    if not colon or not (tail.isascii() and tail.isdigit()):
        raise InputError(f"{text!r} names no example; write test:42, or FILE:ROW for a row of a file")
    model = moment.run.model()
    rows = read_rows(head, model.inputs, model.target, labelled=True, options=moment.run.options_for(head))
    if int(tail) >= len(rows.x):
        raise InputError(f"{head} has rows 0 to {len(rows.x) - 1}, and row {tail} was asked for")
    assert rows.y is not None
    y = model.network.as_inputs(rows.x) if rows.y is rows.x else rows.y
    return rows.x[int(tail)], y[int(tail)], rows.labels[int(tail)]
