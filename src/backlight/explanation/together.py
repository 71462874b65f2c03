"""Units that are active together get wired together: the weights that grow most, beside both activations.

The wish for a weight is −delta_j a_i: the more active the unit i behind it, the louder. So where unit j should become
more active, its weights from the active units grow.
"""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backlight.arrays import Floats
from backlight.errors import number_within, whole_number
from backlight.explanation.correlation import Products, pearson
from backlight.explanation.desires import Example, following_activation, incoming_names, unit_names
from backlight.explanation.moment import Moment
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.passes import check_examples, chunks
from backlight.explanation.places import Weight, dense_layer
from backlight.explanation.telling import sum_text
from backlight.network import Network, Trace
from backlight.plots import Block, Heading, Table, Text, number
from backlight.plots.shown import Shown

COUNT: Final = 10


@dataclass(frozen=True)
class Pair:
    """Two units and the weight between them.

    Attributes:
        weight: LAYER:TO:FROM.
        source: the name of unit i, behind the weight.
        to: the name of unit j.
        a_source: the activation of i for the one example.
        a_to: the activation of j for it.
        increase: −lr delta_j a_i: by how much a step of that example would move the weight.
        correlation: of the activations of i and j over the batch (Pearson); 0 where either never changes.
        mean_increase: −lr mean_n(delta_nj a_ni): by how much a step of the batch would move it.
    """

    weight: str
    source: str
    to: str
    a_source: float
    a_to: float
    increase: float
    correlation: float
    mean_increase: float


@dataclass(frozen=True, repr=False)
class Together(Shown):
    """Which units one example, and a batch, wire together in one layer.

    Attributes:
        example: the one example's name.
        when: the moment, in words.
        layer: the dense layer between the units.
        lr: the learning rate of the steps.
        count: n, how many examples the batch has.
        pairs: the weights that the one example would make grow most, the largest increase first.
        falls: what each of these weights adds to the fall of the example's loss per unit of learning rate,
            (delta_j a_i)², and the rest of the layer's weights; together ‖delta‖² ‖a‖².
        common: the weights that the batch would make grow most, the largest first.
        correlations: of a_i and a_j over the batch (j, i).
        mean_increases: −lr mean_n(delta_nj a_ni) (j, i).
        agreement: Pearson's correlation of these two arrays, over all weights of the layer: how far what is active
            together is wired together at this moment.
        growing: of the weights between units of positive correlation, the share that grows; None without any.
        growing_apart: the same between units of negative correlation.
    """

    example: str
    when: str
    layer: int
    lr: float
    count: int
    pairs: tuple[Pair, ...]
    falls: Parts
    common: tuple[Pair, ...]
    correlations: Floats = field(repr=False, compare=False)
    mean_increases: Floats = field(repr=False, compare=False)
    agreement: float
    growing: float | None
    growing_apart: float | None

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Active together, wired together: layer {self.layer}, {self.when}"

    def blocks(self) -> list[Block]:
        """The pairs of the one example, then the batch."""
        asked = (
            f"A step of {self.example} alone makes these weights grow most: each in proportion to how active the unit "
            f"behind it is. The learning rate is {number(self.lr)}."
        )
        shares = [
            f"{100 * share:.1f} % of the weights between units whose activations go {how}"
            for share, how in ((self.growing, "together"), (self.growing_apart, "against each other"))
            if share is not None
        ]
        return [
            Heading(self.title, 1),
            Text(asked if self.pairs else f"{self.example} asks no weight of this layer to grow."),
            _table(self.pairs),
            sum_text(self.falls),
            Heading(f"Over {self.count:,} examples"),
            Text(
                f"Their mean step makes {' and '.join(shares) or 'no weight'} grow. Over all weights of the layer, "
                f"the correlation of being active together with growing is {number(self.agreement)}."
            ),
            _table(self.common),
        ]


def _table(pairs: tuple[Pair, ...]) -> Table:
    columns = ("weight", "from", "its activation", "to", "its activation", "increase", "correlation", "mean increase")
    rows = tuple(
        (p.weight, p.source, p.a_source, p.to, p.a_to, p.increase, p.correlation, p.mean_increase) for p in pairs
    )
    return Table(columns, rows, signed=(5, 6, 7))


def together(example: Example, layer: int, x: Any, y: Any, lr: float = 1.0, count: int = COUNT) -> Together:
    """Show which units one example wires together, and whether those are active together over a batch.

        increase_ji      = −lr delta_j a_i
        correlation_ji   = Σ_n (a_nj − ā_j)(a_ni − ā_i) / √(Σ_n (a_nj − ā_j)² Σ_n (a_ni − ā_i)²), 0 where a side is
                           constant
        mean_increase_ji = −lr (1/n) Σ_n delta_nj a_ni

    All in float64; examples are passed in chunks, whose means and products are merged.

    Args:
        example: the one example, opened.
        layer: the dense layer between the units.
        x: inputs of the batch (n, i).
        y: its class indices (n,) or targets (n, j).
        lr: the learning rate of plain descent.
        count: how many weights to show; fewer where fewer grow.

    Raises:
        InputError: the layer has no weights, the learning rate is below 0, the count is no whole number above 0, or
            x or y does not fit.

    Example:
        >>> from backlight.explanation import open_moment
        >>> from backlight.explanation.desires import open_example
        >>> example = open_example(open_moment(Network.mlp(2, 3, 2, hidden="tanh", seed=0)), [0.5, -1.0], 0)
        >>> told = together(example, 2, [[0.5, -1.0], [1.0, 0.0], [0.0, 1.0]], [0, 1, 1])
        >>> told.correlations.shape, [pair.weight for pair in told.pairs]
        ((2, 3), ['2:1:0', '2:1:1', '2:1:2'])

    Source: the idea is Hebb's, "The organization of behavior", 1949.
    """
    moment = example.moment
    dense_layer(moment.network, layer)
    number_within("lr", lr, 0.0, float("inf"))
    whole_number("count", count, 1)
    delta, a = example.backward.errors[layer], example.trace.a_in(layer)[0]
    assert delta is not None
    increases = -lr * np.outer(delta[0], a)
    correlations, mean_increases = _over(moment, layer, x, y)
    mean_increases *= lr
    activations = _activations(example.trace, moment.network, layer)[0]
    sources, names = incoming_names(moment, layer), unit_names(moment, layer)

    def pair(j: int, i: int) -> Pair:
        return Pair(
            weight=str(Weight(layer, j, i)),
            source=sources[i],
            to=names[j],
            a_source=float(a[i]),
            a_to=float(activations[j]),
            increase=float(increases[j, i]),
            correlation=float(correlations[j, i]),
            mean_increase=float(mean_increases[j, i]),
        )

    places = _largest(increases, count)
    return Together(
        example=example.name,
        when=moment.when,
        layer=layer,
        lr=float(lr),
        count=len(np.asarray(x)),
        pairs=tuple(pair(j, i) for j, i in places),
        falls=_falls(delta[0], a, places, layer),
        common=tuple(pair(j, i) for j, i in _largest(mean_increases, count)),
        correlations=correlations,
        mean_increases=mean_increases,
        agreement=pearson(correlations.ravel(), mean_increases.ravel()),
        growing=_share(mean_increases[correlations > 0]),
        growing_apart=_share(mean_increases[correlations < 0]),
    )


def _over(moment: Moment, layer: int, x: Any, y: Any) -> tuple[Floats, Floats]:
    """Over a batch the correlations of a_j and a_i, and the wished increases −mean_n(delta_nj a_ni), both (j, i)."""
    dense = dense_layer(moment.network, layer)
    examples = check_examples(moment, x, y)
    products = Products(dense.units, dense.incoming)
    increases = np.zeros((dense.units, dense.incoming))
    for _, xs, ys in chunks(examples):
        trace = moment.network.forward(xs)
        delta = moment.network.backward(trace, ys, moment.loss).errors[layer]
        assert delta is not None
        products.add(_activations(trace, moment.network, layer), trace.a_in(layer))
        increases -= delta.T @ trace.a_in(layer)
    return products.correlations(), increases / examples.source.count


def _activations(trace: Trace, network: Network, layer: int) -> Floats:
    """The activations (n, j) of a dense layer's units."""
    following = following_activation(network, layer)
    return trace.outs[layer if following is None else following]


def _largest(values: Floats, count: int) -> list[tuple[int, int]]:
    """The places (j, i) of the largest positive values, the largest first; of equals, the first."""
    flat = values.ravel()
    least = np.partition(flat, -count)[-count] if count < flat.size else -np.inf
    candidates = np.flatnonzero((flat >= least) & (flat > 0))
    order = candidates[np.argsort(-flat[candidates], kind="stable")[:count]]
    return [divmod(int(place), values.shape[1]) for place in order]


def _falls(delta: Floats, a: Floats, places: list[tuple[int, int]], layer: int) -> Parts:
    squares = np.outer(delta, a) ** 2
    named = [(str(Weight(layer, j, i)), float(squares[j, i])) for j, i in places]
    for j, i in places:
        squares[j, i] = 0.0
    rest = [("rest", float(squares.sum()))] if squares.size > len(places) else []
    return add_up([*named, *rest], whole=float(delta @ delta) * float(a @ a))


def _share(increases: Floats) -> float | None:
    return float((increases > 0).mean()) if increases.size else None
