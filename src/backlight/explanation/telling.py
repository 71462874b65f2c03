"""An explanation of one example, told in blocks: the order in which a teacher would tell it."""

from typing import TYPE_CHECKING, Final

import numpy as np

from backlight.arrays import Floats
from backlight.explanation.desires import Example, Wish, activation_after
from backlight.explanation.parts import Parts
from backlight.explanation.paths import Chain
from backlight.plots import Bars, Block, Column, Drawing, Edge, Gallery, Heading, Picture, Table, Text, number
from backlight.plots.blocks import Cell

if TYPE_CHECKING:
    from backlight.explanation.one_example import Explanation

_ROWS: Final = 8
_DRAWN: Final = 10
_EDGES: Final = 30


def tell(told: "Explanation") -> list[Block]:
    """All of an explanation."""
    return [
        Heading(told.title, 1),
        *(Text(warning, "warning") for warning in told.warnings),
        Text(f"{_said(told)} The loss is {number(told.loss)}."),
        *(told.contributions.section() if told.contributions is not None else ()),
        *_inputs(told),
        draw(told.opened),
        *_forward(told),
        *_outputs(told),
        *_ways(told),
        *_asked(told),
        *_chain(told.chain),
    ]


def _said(told: "Explanation") -> str:
    if told.opened.moment.quantities is not None:
        return f"Predicted {told.prediction}; it should be {told.truth}. Below, outputs are as the network sees them."
    if told.confidence is None:
        return f"It says {told.prediction}; it should be {told.truth}."
    return f"Taken for {told.prediction} ({number(told.confidence)}); it should be {told.truth}."


def tell_briefly(told: "Explanation") -> list[Block]:
    """The heart of an explanation in a few lines: one unit's three ways, and one weight's chain rule."""
    ways, link = told.ways, told.chain
    best = [next(way for way in ways.ways if way.kind == kind) for kind in ("bias", "weight", "activation")]
    rows = tuple((_way_name(way.kind, way.name), way.strength, way.wish, f"{100 * way.share:.1f} %") for way in best)
    product = " · ".join(number(factor.value) for factor in link.factors)
    return [
        Heading(told.title),
        Text(_said(told)),
        Text(f"Output {ways.unit} wants its z to move by {number(ways.for_z)}. Three ways, the best of each:"),
        Table(("change", "in proportion to", "wish", "share of the fall"), rows, signed=(2,)),
        Text(f"All ways' falls of the cost: sum {number(ways.falls.sum)} = whole {number(ways.falls.whole)}."),
        Text(f"Weight {link.weight}: {' · '.join(factor.symbol for factor in link.factors)} = {product}"),
        Text(
            f"= {number(link.product)}; over {link.count:,} paths: sum {number(link.parts.sum)} = whole "
            f"{number(link.parts.whole)}."
        ),
    ]


def _inputs(told: "Explanation") -> list[Block]:
    moment = told.opened.moment
    blocks: list[Block] = [Heading("What goes in, and what it should do")]
    note = "Each input's wish is what all units above ask of it: −∂loss/∂x. Values are as the network sees them."
    if moment.image is not None:
        values = np.array([row.value for row in told.inputs]).reshape(moment.image)
        wished = np.array([row.wish for row in told.inputs]).reshape(moment.image)
        if wished.ndim == 3:  # one pixel's three colours together
            wished = wished.sum(axis=2)
        pictures = (Picture(values, caption="the image"), Picture(wished, signed=True, caption="brighter or darker?"))
        return [*blocks, Gallery(pictures), Text(note, "note")]
    ranked = sorted(told.inputs, key=lambda row: -abs(row.wish))
    rows = tuple((row.name, row.value, row.wish) for row in ranked[: 2 * _ROWS])
    return [*blocks, Table(("input", "value", "wish"), rows, signed=(2,)), Text(note, "note")]


def _forward(told: "Explanation") -> list[Block]:
    """Every dense layer's z and a: all units of a small layer, the most active of a large one."""
    blocks: list[Block] = [Heading("Forward, layer by layer")]
    for passed in told.forward:
        ranked = np.argsort(-np.abs(passed.a), kind="stable")[: 2 * _ROWS]
        shown = sorted(ranked.tolist())
        rows = tuple((passed.units[j], float(passed.z[j]), float(passed.a[j])) for j in shown)
        blocks.append(Table((f"layer {passed.layer}", "z", "a"), rows))
        if len(shown) < len(passed.units):
            blocks.append(Text(f"The {len(shown)} most active of {len(passed.units)} units.", "note"))
    return blocks


def _outputs(told: "Explanation") -> list[Block]:
    fused = all(wish.for_activation is None for wish in told.outputs)
    ranked = sorted(told.outputs, key=lambda wish: -abs(wish.for_z))[: 2 * _ROWS]
    if fused:
        columns: tuple[str, ...] = ("output", "z", "activation", "target", "wish for z")
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (wish.name, wish.z, wish.activation, wish.target, wish.for_z) for wish in ranked
        )
        how = "Output and loss are fused, so the wish for z is simply target − activation."
    else:
        columns = ("output", "z", "activation", "target", "wish for activation", "slope", "wish for z", "")
        rows = tuple(_wish_row(wish) for wish in ranked)
        how = "The wish for the activation times the slope of the activation is the wish for z that is passed on."
    silenced = [wish.name for wish in told.outputs if wish.saturated]
    blocks: list[Block] = [
        Heading("What the output wants"),
        Table(columns, rows, signed=(4,) if fused else (4, 6)),
        Text(how, "note"),
    ]
    if silenced:
        words = f"Saturated: the slope at {', '.join(silenced)} is so flat that a loud wish is hardly heard."
        blocks.append(Text(words, "warning"))
    return blocks


def _wish_row(wish: Wish) -> tuple[Cell, ...]:
    mark = "saturated" if wish.saturated else ""
    return (wish.name, wish.z, wish.activation, wish.target, wish.for_activation, wish.slope, wish.for_z, mark)


def _ways(told: "Explanation") -> list[Block]:
    ways = told.ways
    rows = tuple(
        (_way_name(way.kind, way.name), way.strength, way.wish, f"{100 * way.share:.1f} %") for way in ways.ways[:_ROWS]
    )
    return [
        Heading(f"Three ways to grant the wish of {ways.unit}"),
        Text(
            f"Its z should move by {number(ways.for_z)} per unit of step. Ranked by how much the cost falls per unit "
            "of change:"
        ),
        Table(("change", "in proportion to", "wish", "share of the fall"), rows, signed=(2,)),
        parts_table("All ways together: fall of the cost along the wishes", ways.falls),
    ]


def _way_name(kind: str, name: str) -> str:
    return {"bias": "the bias", "weight": f"weight from {name}", "activation": f"activation of {name}"}[kind]


def _asked(told: "Explanation") -> list[Block]:
    if told.asked is None:
        return []
    shown = told.asked.parts.shortened(_ROWS)
    return [
        Heading(f"What layer {told.asked.by} asks of unit {told.asked.unit}"),
        Bars(tuple(part.name for part in shown.parts), tuple(part.value for part in shown.parts), "−delta_j W_ji"),
        sum_text(shown),
    ]


def _chain(link: Chain) -> list[Block]:
    rows = tuple((factor.symbol, factor.name, factor.value) for factor in link.factors)
    paths = tuple(
        (" → ".join(path.units), " · ".join(number(factor.value) for factor in path.factors), path.value)
        for path in link.paths
    )
    rest = [part.value for part in link.parts.parts if part.name == "rest"]
    if rest:
        paths = (*paths, (f"rest ({link.count - len(link.paths):,} paths)", "", rest[0]))
    return [
        Heading(f"The chain rule for weight {link.weight}"),
        Table(("factor", "what it is", "value"), rows, signed=(2,)),
        Text(f"Their product is {number(link.product)}; the backward pass has {number(link.gradient)}."),
        Table(("through", "factors", "product"), paths, signed=(2,)),
        sum_text(link.parts),
    ]


def parts_table(title: str, parts: Parts) -> Table:
    """Parts with their sum and the whole."""
    rows = [(part.name, part.value) for part in parts.parts]
    return Table((title, "value"), (*rows, ("sum", parts.sum), ("whole, computed apart", parts.whole)))


def sum_text(parts: Parts) -> Text:
    """The sum of parts beside the whole."""
    return Text(f"Sum {number(parts.sum)} = whole {number(parts.whole)}, computed apart.", "note")


def draw(example: Example) -> Drawing:
    """The network: the units with the loudest wishes of every layer, and the weights that the example would change."""
    moment = example.moment
    layers = [index for index, _, _ in moment.network.dense_layers()]
    columns, chosen = [], []
    first = np.abs(example.trace.x[0] * example.backward.d_x[0])
    chosen.append(_top(first))
    columns.append(_column("inputs", list(moment.inputs), example.trace.x[0], -example.backward.d_x[0], chosen[0]))
    for layer in layers:
        passed = _activations(example, layer)
        delta = example.backward.errors[layer]
        assert delta is not None
        chosen.append(_top(np.abs(delta[0])))
        last = layer == layers[-1]
        names = list(moment.outputs) if last else [f"{layer}:{j}" for j in range(len(passed))]
        columns.append(_column("outputs" if last else f"layer {layer}", names, passed, -delta[0], chosen[-1]))
    edges: list[Edge] = []
    for k, layer in enumerate(layers):
        delta, a = example.backward.errors[layer], example.trace.a_in(layer)[0]
        assert delta is not None
        between = [
            Edge(k, s, t, float(-delta[0, j] * a[i]))
            for s, i in enumerate(chosen[k])
            for t, j in enumerate(chosen[k + 1])
        ]
        between.sort(key=lambda edge: -abs(edge.value))
        edges += [edge for edge in between[:_EDGES] if edge.value]
    caption = "Units: how active. Arrows: what each should do. Lines: how this example would change each weight."
    return Drawing(tuple(columns), tuple(edges), caption)


def _activations(example: Example, layer: int) -> Floats:
    following = activation_after(example, layer)
    passed: Floats = example.trace.outs[layer if following is None else following][0]
    return passed


def _top(sizes: Floats) -> list[int]:
    return sorted(int(k) for k in np.argsort(-sizes, kind="stable")[:_DRAWN])


def _column(title: str, names: list[str], values: Floats, marks: Floats, chosen: list[int]) -> Column:
    largest = float(np.abs(values).max()) or 1.0
    return Column(
        title,
        tuple(names[k] for k in chosen),
        tuple(float(abs(values[k])) / largest for k in chosen),
        tuple(float(marks[k]) for k in chosen),
        len(names) - len(chosen),
    )
