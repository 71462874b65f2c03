"""How sensitive the cost is: parameters ranked by |∂C/∂w|."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from backlight.arrays import FloatName, Floats, Ints
from backlight.errors import whole_number
from backlight.explanation.desires import incoming_names, unit_names
from backlight.explanation.moment import Moment, Subject, open_moment
from backlight.explanation.nudge import weight_value
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.passes import check_examples, full_gradient, in_precision, precision_for
from backlight.explanation.places import Weight
from backlight.explanation.telling import parts_table
from backlight.network import Network
from backlight.plots import Bars, Block, Heading, Table, Text, number
from backlight.plots.shown import Shown

BIAS: Final = "bias"


@dataclass(frozen=True)
class Sensitive:
    """One parameter.

    Attributes:
        weight: LAYER:TO:FROM, or LAYER:TO:b for a bias; LAYER:TO:scale or LAYER:TO:shift of a normalisation.
        source: the name of the input or unit behind the weight; "bias", "scale" or "shift" for one of these.
        to: the name of the unit that listens.
        value: the parameter itself.
        slope: ∂C/∂w, by how much the cost rises per unit of w.
    """

    weight: str
    source: str
    to: str
    value: float
    slope: float


@dataclass(frozen=True, repr=False)
class Sensitivity(Shown):
    """Which parameters the cost is most sensitive to.

    Attributes:
        when: the moment, in words.
        count: n, how many examples the cost is the mean of.
        parameters: how many parameters there are.
        cost: C, the mean loss.
        ranked: the parameters of largest |∂C/∂w|, the largest first; of equals, the first in the network.
        layers: Σ |∂C/∂w| of every layer's weights and biases; the whole is that of all parameters.
        precision: "float64" or "float32", in which the gradient was computed.
    """

    when: str
    count: int
    parameters: int
    cost: float
    ranked: tuple[Sensitive, ...]
    layers: Parts
    precision: FloatName

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"What the cost is most sensitive to, {self.when}"

    def blocks(self) -> list[Block]:
        """The ranking as blocks."""
        first, last = self.ranked[0], self.ranked[-1]
        sentence = f"The cost over {self.count:,} examples is {number(self.cost)}."
        if last.slope:
            sentence += (
                f" It is {number(abs(first.slope / last.slope))} times as sensitive to {first.weight} as to "
                f"{last.weight}."
            )
        rows = tuple((entry.weight, entry.source, entry.to, entry.value, entry.slope) for entry in self.ranked)
        names = tuple(f"{entry.weight} {entry.source} → {entry.to}" for entry in self.ranked)
        return [
            Heading(self.title, 1),
            Text(sentence),
            Table(("parameter", "from", "to", "value", "∂C/∂w"), rows, signed=(4,)),
            Bars(names, tuple(entry.slope for entry in self.ranked), "∂C/∂w: how the cost rises with each"),
            parts_table(f"Σ |∂C/∂w| over {self.parameters:,} parameters", self.layers),
        ]


def sensitivity(
    subject: Subject,
    x: Any,
    y: Any,
    count: int = 20,
    *,
    at: str | int | None = None,
    precision: FloatName | None = None,
) -> Sensitivity:
    """Rank all parameters by |∂C/∂w|, where C is the mean loss over the examples.

    One gradient over all examples. It is computed in float64 where examples times parameters are at most 2·10¹⁰, and
    in float32 beyond, where it is exact to about five digits; `precision` overrides this.

    Args:
        subject: a network, a run, a run's folder, or an opened moment; nothing of it is changed.
        x: inputs (n, i), uint8 or floating-point numbers.
        y: class indices (n,), one per question (n, k), or targets (n, j).
        count: how many parameters to rank.
        at: for a run: 0, a step, "best" (the default) or "last".
        precision: "float64" or "float32"; chosen by the size of the work unless given.

    Raises:
        InputError: x or y does not fit, or the count is no whole number above 0.

    Example:
        >>> network = Network.mlp(2, 3, 2, seed=0)
        >>> told = sensitivity(network, [[0.5, -1.0], [1.0, 0.0]], [0, 1], count=2)
        >>> [(entry.weight, round(entry.slope, 4)) for entry in told.ranked]
        [('0:2:0', 0.4807), ('0:2:b', 0.4661)]
    """
    whole_number("count", count, 1)
    moment = open_moment(subject, at)
    examples = check_examples(moment, x, y)
    used = precision or precision_for(moment, examples.source.count)
    losses, gradient = full_gradient(in_precision(moment, used), moment.loss, examples)
    sizes = np.abs(gradient)
    named = []
    for index, dense, place in moment.network.dense_layers():
        border = place.stop - dense.units
        named += [(f"layer {index} weights", float(sizes[place.start : border].sum()))]
        named += [(f"layer {index} biases", float(sizes[border : place.stop].sum()))]
    for index, norm, place in moment.network.norm_layers():
        border = place.start + norm.units
        named += [(f"layer {index} scales", float(sizes[place.start : border].sum()))]
        named += [(f"layer {index} shifts", float(sizes[border : border + norm.units].sum()))]
    for statistics in moment.network.statistics:
        sizes[statistics] = -1.0  # not parameters: behind all of them
    return Sensitivity(
        when=moment.when,
        count=len(losses),
        parameters=moment.network.learnt,
        cost=float(losses.mean()),
        ranked=tuple(_sensitive(moment, int(p), gradient) for p in _largest(sizes, count) if sizes[p] >= 0),
        layers=add_up(named, whole=float(np.linalg.norm(gradient, 1))),
        precision=used,
    )


def _largest(sizes: Floats, count: int) -> Ints:
    """The places of the largest sizes, the largest first; of equals, the first."""
    least = np.partition(sizes, -count)[-count] if count < len(sizes) else 0.0
    candidates = np.flatnonzero(sizes >= least)
    ranked: Ints = candidates[np.argsort(-sizes[candidates], kind="stable")[:count]]
    return ranked


def _sensitive(moment: Moment, place: int, gradient: Floats) -> Sensitive:
    network = moment.network
    for index, norm, span in network.norm_layers():
        if span.start <= place < span.stop:
            kind, unit = ("scale", "shift")[(place - span.start) // norm.units], (place - span.start) % norm.units
            to, value = unit_names(moment, index - 1)[unit], float(network.params[place])
            return Sensitive(f"{index}:{unit}:{kind}", kind, to, value, float(gradient[place]))
    weight = weight_at(network, place)
    source = BIAS if weight.source is None else incoming_names(moment, weight.layer)[weight.source]
    to = unit_names(moment, weight.layer)[weight.to]
    return Sensitive(str(weight), source, to, weight_value(network, weight), float(gradient[place]))


def weight_at(network: Network, place: int) -> Weight:
    """The weight that stands at a place of the flat parameter array.

    Example:
        >>> str(weight_at(Network.mlp(2, 3, 2), 7)), str(weight_at(Network.mlp(2, 3, 2), 9))
        ('0:1:b', '2:0:0')
    """
    for index, dense, span in network.dense_layers():
        if span.start <= place < span.stop:
            number_in_layer = place - span.start
            biases = number_in_layer - dense.units * dense.incoming
            if biases >= 0:
                return Weight(index, biases, None)
            return Weight(index, *divmod(number_in_layer, dense.incoming))
    raise IndexError(place)


def place_of(network: Network, weight: Weight) -> int:
    """Where a weight stands in the flat parameter array, the inverse of `weight_at`.

    Example:
        >>> place_of(Network.mlp(2, 3, 2), Weight(0, 1, None))
        7
    """
    dense, begin = next((dense, span.start) for index, dense, span in network.dense_layers() if index == weight.layer)
    if weight.source is None:
        return int(begin) + dense.units * dense.incoming + weight.to
    return int(begin) + weight.to * dense.incoming + weight.source
