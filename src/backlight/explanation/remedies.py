"""What can be wrong with a network in training, how it is noticed, and what helps.

The bounds are such that trainings that go well, from the first step to the last, stay within them; every remedy has
been tried on a network that had the illness.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from backlight.explanation.agreement import Agreement
from backlight.plots import number

DEAD: Final = 0.5
SATURATED: Final = 0.25
VANISHED: Final = 1e-3
EXPLODED: Final = 30.0
LARGE_STEP: Final = 1.0
NOISY: Final = 100.0
CANCELLED: Final = 0.005
UNLEARNT: Final = 0.98
STUCK: Final = 0.5
"""Noise and disagreement are no illness where the loss is below this share of what a constant answer gives: once a
network has learnt, little but noise is left of its gradients."""


@dataclass(frozen=True)
class Finding:
    """Something that is wrong.

    Attributes:
        kind: "dead", "saturated", "vanishing", "exploding", "unlearnt", "large step", "noise" or
            "disagreement".
        layer: the dense layer, None where it is the whole network.
        value: the number that shows it.
        sentence: what it is, in plain words.
        remedy: what helps.
    """

    kind: str
    layer: int | None
    value: float
    sentence: str
    remedy: str


@dataclass(frozen=True)
class LayerHealth:
    """A dense layer's numbers, each a root of a mean of squares.

    Attributes:
        layer: its number.
        function: the activation that follows it; "identity" for none.
        units: how many it has.
        activation_rms: of its activations.
        delta_rms: of ∂loss_n/∂z.
        gradient_rms: of ∂objective/∂W.
        weight_rms: of W.
        update_ratio: of the update that a step from here would add to W, by `weight_rms`; None without a learning rate.
        dead: the units that pass on no error for any example.
        saturated: the units whose slope is flat for almost every example.
    """

    layer: int
    function: str
    units: int
    activation_rms: float
    delta_rms: float
    gradient_rms: float
    weight_rms: float
    update_ratio: float | None
    dead: tuple[int, ...]
    saturated: tuple[int, ...]


def of_layers(layers: Sequence[LayerHealth]) -> Iterator[Finding]:
    """Findings about single layers, and about errors on their way back through all of them."""
    for layer in layers:
        dead, flat = len(layer.dead) / layer.units, len(layer.saturated) / layer.units
        if dead > DEAD:
            yield Finding(
                "dead",
                layer.layer,
                dead,
                f"{len(layer.dead)} of the {layer.units} units of layer {layer.layer} are dead: no example makes them "
                "active, so no error passes through them and their weights never move again",
                "train anew with a smaller learning rate (adam's default is 0.001) and --init he_normal; "
                "or with --activation leaky_relu, whose slope is never 0",
            )
        if flat > SATURATED:
            yield Finding(
                "saturated",
                layer.layer,
                flat,
                f"{len(layer.saturated)} of the {layer.units} units of layer {layer.layer} are saturated: their "
                "slope is flat for almost every example, and silences what the examples wish",
                "train anew with smaller initial weights (--init glorot_uniform), "
                "and bring the inputs to a mean of 0 and a spread of 1",
            )
    yield from _way_back(layers)


def _way_back(layers: Sequence[LayerHealth]) -> Iterator[Finding]:
    """Whether errors fade or grow between the last layer and the first."""
    first, last = layers[0], layers[-1]
    if last.delta_rms == 0:
        return
    ratio = first.delta_rms / last.delta_rms
    if ratio < VANISHED:
        yield Finding(
            "vanishing",
            first.layer,
            ratio,
            f"errors vanish on their way back: those of layer {first.layer} are {number(ratio)} times those of layer "
            f"{last.layer}, so the first layers hardly learn",
            "train anew with --activation relu and --init he_normal, or with fewer layers",
        )
    if ratio > EXPLODED:
        yield Finding(
            "exploding",
            first.layer,
            ratio,
            f"errors explode on their way back: those of layer {first.layer} are {number(ratio)} times those of layer "
            f"{last.layer}, so the first layers' steps are far too large",
            "train anew with initial weights that suit the layers' widths (--init he_normal for relu, "
            "glorot_uniform for tanh and sigmoid)",
        )


def of_learning(loss: float, constant: float, step: int | None) -> Iterator[Finding]:
    """A finding about a network that has been trained and is no better than one and the same answer for all."""
    if step and constant > 0 and loss > UNLEARNT * constant:
        yield Finding(
            "unlearnt",
            None,
            loss / constant,
            f"after {step:,} steps the loss is {100 * loss / constant:.0f} % of what one and the same answer for all "
            "gives: nothing has been learnt yet",
            "train for more epochs; or take layers that pass errors on better: --activation relu --init he_normal "
            "--optimizer adam",
        )


def of_step(ratio: float | None) -> Iterator[Finding]:
    """A finding about the size of a step: its update by the weights, over the whole network."""
    if ratio is not None and ratio > LARGE_STEP:
        yield Finding(
            "large step",
            None,
            ratio,
            f"a single step would change the weights by {number(ratio)} times their own size, and undo what they know",
            "train anew with a smaller learning rate (the defaults: adam 0.001, momentum 0.02, sgd 0.1)",
        )


def of_agreement(
    found: Agreement, count: int, loss: float, constant: float, batch_size: int | None
) -> Iterator[Finding]:
    """Findings about noise and disagreement.

    Args:
        found: how far the examples agree.
        count: how many examples there were; a noise scale beyond it cannot be told from these examples.
        loss: the mean loss.
        constant: the mean loss of always giving the mean target.
        batch_size: examples per step, None if unknown.
    """
    if not loss > STUCK * constant > 0:
        return
    if found.remaining < CANCELLED:
        yield Finding(
            "disagreement",
            None,
            found.remaining,
            f"the examples' wishes cancel out: {100 * found.remaining:.2g} % of them is left on average, while the "
            f"loss is still {100 * loss / constant:.0f} % of what one and the same answer for all gives",
            "let the network tell the examples apart: give it hidden layers or more units, and look for examples with "
            "equal inputs and contrary targets",
        )
    scale = found.noise_scale
    if batch_size is not None and scale is not None and NOISY * batch_size < scale <= count:
        yield Finding(
            "noise",
            None,
            scale,
            f"steps go mostly by chance: a batch has {batch_size} examples, and only with about {number(scale)} is its "
            "mean as much signal as noise",
            f"train with larger batches, of up to --batch-size {round(scale)}",
        )
