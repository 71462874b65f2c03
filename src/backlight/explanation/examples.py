"""All examples' wishes for one weight: how each would move it, and the mean, which is the step that is taken."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from backlight.arrays import FloatName, Floats
from backlight.errors import whole_number
from backlight.explanation.moment import Moment
from backlight.explanation.nudge import speak, weight_in_words, weight_value
from backlight.explanation.parts import Parts, add_up
from backlight.explanation.passes import (
    CHUNK,
    check_examples,
    chunks,
    example_names,
    in_precision,
    precision_for,
)
from backlight.explanation.places import Weight, check_weight
from backlight.explanation.telling import sum_text
from backlight.plots import Bars, Block, Curve, Heading, Table, Text, number
from backlight.plots.shown import Shown

_LOUDEST: Final = 10
_QUANTILES: Final = (0, 5, 25, 50, 75, 95, 100)


@dataclass(frozen=True)
class Voice:
    """One example's wish.

    Attributes:
        name: of the example.
        number: n, its place among the examples.
        wish: −∂loss_n/∂w.
        share: of all wishes' sizes together, |wish| / Σ_n |wish_n|.
    """

    name: str
    number: int
    wish: float
    share: float


@dataclass(frozen=True, repr=False)
class WeightWishes(Shown):
    """All examples' wishes for one weight or bias.

    Attributes:
        weight: LAYER:TO:FROM and what it joins.
        value: the weight as it is.
        when: the moment, in words.
        count: n, how many examples.
        wishes: −∂loss_n/∂w of every example (n,).
        mean: their mean, −∂objective/∂w: the step of plain descent per unit of learning rate.
        larger: how many examples want the weight larger.
        smaller: how many want it smaller.
        silent: how many have no wish for it, as where the unit behind it is silent.
        agreeing: how many agree in sign with the mean.
        quantiles: the wish at which 0, 5, 25, 50, 75, 95 and 100 % of the examples lie at or below.
        loudest: the largest wishes, up to ten of each sign, the loudest first.
        parts: what the loudest add to the mean, wish_n / n, and the rest; the whole is computed from the weight
            forwards to the loss, where the wishes are computed from the loss backwards.
        precision: "float64" or "float32", in which the passes were computed; sums are in float64.
    """

    weight: str
    value: float
    when: str
    count: int
    wishes: Floats = field(compare=False)
    mean: float
    larger: int
    smaller: int
    silent: int
    agreeing: int
    quantiles: Mapping[str, float]
    loudest: tuple[Voice, ...]
    parts: Parts
    precision: FloatName

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"What {self.count:,} examples want of weight {self.weight}, {self.when}"

    def blocks(self) -> list[Block]:
        """The wishes as blocks: the mean, the loudest, and all of them in order of size."""
        ordered = sorted(self.loudest, key=lambda voice: -voice.wish)
        bars = Bars(
            tuple(voice.name for voice in ordered), tuple(voice.wish for voice in ordered), "the loudest: −∂loss/∂w"
        )
        shares = np.linspace(0.0, 1.0, 101)
        curve = Curve(
            tuple((100.0 * shares).tolist()),
            tuple(np.quantile(self.wishes, shares).tolist()),
            labels=("% of the examples", "wish"),
            caption="all wishes, in order of size",
        )
        rows = tuple((voice.name, voice.wish, f"{100 * voice.share:.2f} %") for voice in self.loudest)
        return [
            Heading(self.title, 1),
            Text(
                f"{self.larger:,} want it larger, {self.smaller:,} smaller, {self.silent:,} have no wish for it. "
                f"It is {number(self.value)} now."
            ),
            Text(
                f"The mean of all wishes is {number(self.mean)}: plain descent moves the weight by this much times "
                f"the learning rate. {self.agreeing:,} of {self.count:,} ({100 * self.agreeing / self.count:.1f} %) "
                "agree with its sign."
            ),
            bars,
            Table(("example", "wish", "share of all wishes"), rows, signed=(1,)),
            curve,
            Table(tuple(self.quantiles), (tuple(self.quantiles.values()),), signed=tuple(range(len(self.quantiles)))),
            sum_text(self.parts),
        ]


def wishes_for_weight(
    moment: Moment,
    x: Any,
    y: Any,
    weight: Weight,
    names: Sequence[str] | None = None,
    chunk: int = CHUNK,
    *,
    precision: FloatName | None = None,
) -> WeightWishes:
    """Ask every example how it would move one weight.

        wish_n = −∂loss_n/∂w = −delta_nj a_ni (−delta_nj for a bias)

    The backward pass goes down to the one unit j, and no gradient is multiplied out. The passes are in float64 where
    examples times parameters are at most 2·10¹⁰ (60,000 examples on 784-128-64-10), and in float32 beyond, where
    a wish is exact to about six digits; sums and means are always in float64. `precision` overrides this.

    Args:
        moment: the network; nothing of it is changed.
        x: inputs (n, i), uint8 or floating-point numbers.
        y: class indices (n,), one per question (n, k), or targets (n, j).
        weight: which weight; a source of None is the bias.
        names: one name per example.
        chunk: how many examples are passed at once.
        precision: "float64" or "float32"; chosen by the size of the work unless given.

    Raises:
        InputError: there is no such weight, or x, y or names do not fit.

    Example:
        >>> from backlight import Network
        >>> from backlight.explanation import open_moment
        >>> moment = open_moment(Network.mlp(2, 3, 2, seed=0))
        >>> told = wishes_for_weight(moment, [[0.5, -1.0], [1.0, 0.0]], [0, 1], Weight(2, 0, None))
        >>> told.wishes.round(4).tolist(), round(told.mean, 4)
        ([0.0397, -0.6714], -0.3159)
    """
    check_weight(moment.network, weight)
    examples = check_examples(moment, x, y)
    count = examples.source.count
    called = example_names(count, names)
    whole_number("chunk", chunk, 1)
    used = precision or precision_for(moment, count)
    network = in_precision(moment, used)
    wishes, forwards = np.empty(count), np.empty(count)
    for place, xs, ys in chunks(examples, chunk):
        spoken = speak(network, network.forward(xs), ys, moment.loss, weight)
        wishes[place], forwards[place] = 0.0 - spoken.slopes, 0.0 - spoken.forwards
    mean = float(wishes.mean())
    loudest = _loudest(wishes, called)
    rest = float(wishes.sum() - sum(voice.wish for voice in loudest)) / count
    named = [(voice.name, voice.wish / count) for voice in loudest]
    return WeightWishes(
        weight=weight_in_words(moment, weight),
        value=weight_value(moment.network, weight),
        when=moment.when,
        count=count,
        wishes=wishes,
        mean=mean,
        larger=int((wishes > 0).sum()),
        smaller=int((wishes < 0).sum()),
        silent=int((wishes == 0).sum()),
        agreeing=int((np.sign(wishes) == np.sign(mean)).sum()),
        quantiles={f"{q} %": float(np.quantile(wishes, q / 100)) for q in _QUANTILES},
        loudest=loudest,
        parts=add_up(named if count == len(loudest) else [*named, ("rest", rest)], whole=float(forwards.mean())),
        precision=used,
    )


def _loudest(wishes: Floats, names: Sequence[str]) -> tuple[Voice, ...]:
    """The largest wishes of each sign, the loudest first."""
    order = np.argsort(wishes, kind="stable")
    chosen = [n for n in order[:_LOUDEST] if wishes[n] < 0]
    chosen += [n for n in order[::-1][:_LOUDEST] if wishes[n] > 0]
    chosen.sort(key=lambda n: -abs(float(wishes[n])))
    total = float(np.abs(wishes).sum())
    return tuple(Voice(names[n], int(n), float(wishes[n]), abs(float(wishes[n])) / total) for n in chosen)
