"""The health of a network in training: sizes layer by layer, noise and agreement, and what is wrong, with a remedy."""

import math
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from backlight.arrays import Array, Floats
from backlight.engine import Optimizer, WholeBatch, compile_program
from backlight.engine.updating import clip_factor
from backlight.errors import InputError, number_within, whole_number
from backlight.explanation.agreement import Agreement, agreement
from backlight.explanation.moment import Moment, Subject, open_moment
from backlight.explanation.passes import check_examples
from backlight.explanation.remedies import Finding, LayerHealth, of_agreement, of_layers, of_learning, of_step
from backlight.explanation.survey import LayerSurvey, survey
from backlight.network.objective import encode_targets
from backlight.plots import Block, Heading, Table, Text
from backlight.plots.shown import Shown
from backlight.randomness import Purpose, permutation
from backlight.training import SGD, make_optimizer

MOST: Final = 10_000
_LEAST_SHARE: Final = 1e-12


@dataclass(frozen=True, repr=False)
class Health(Shown):
    """How a network is, on some examples at one moment.

    Attributes:
        when: the moment, in words.
        step: how many steps had been taken, None if unknown.
        examples: how many examples were looked at.
        available: how many there were.
        loss: their mean loss.
        constant_loss: what always giving their mean target would cost.
        layers: every dense layer's numbers.
        update_ratio: the size of the update that a step from here would add, by that of all weights.
        agreement: how far the examples agree.
        batch_size: examples per step, None if unknown.
        findings: what is wrong, and what helps; empty for a healthy network.
        warnings: what a reader should know.
    """

    when: str
    step: int | None
    examples: int
    available: int
    loss: float
    constant_loss: float
    layers: tuple[LayerHealth, ...]
    update_ratio: float | None
    agreement: Agreement
    batch_size: int | None
    findings: tuple[Finding, ...]
    warnings: tuple[str, ...]

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"Health, {self.when}"

    def blocks(self) -> list[Block]:
        """The findings, and the numbers that they rest on."""
        blocks: list[Block] = [Heading(self.title, 1), *(Text(warning, "warning") for warning in self.warnings)]
        if not self.findings:
            blocks.append(Text("None of the signs of illness that are looked for was found."))
        for finding in self.findings:
            words = f"{finding.kind.capitalize()}: {finding.sentence}."
            blocks += [Text(words, "warning"), Text(f"What helps: {finding.remedy}.")]
        rows = tuple(
            (
                *(layer.layer, layer.function, layer.activation_rms, layer.delta_rms, layer.gradient_rms),
                *(layer.weight_rms, layer.update_ratio, len(layer.dead), len(layer.saturated)),
            )
            for layer in self.layers
        )
        sizes = ("activations", "errors", "gradients", "weights", "step / weights")
        return [
            *blocks,
            Heading("Sizes, layer by layer"),
            Table(("layer", "activation", *sizes, "dead", "saturated"), rows),
            Text("Each the root of a mean of squares: of a, ∂loss/∂z, ∂objective/∂W and W.", "note"),
            Heading("How far the examples agree"),
            Table(("quantity", "value"), self._agreement_rows()),
            Text(f"Over {self.examples:,} of {self.available:,} examples; nothing was dropped out.", "note"),
        ]

    def _agreement_rows(self) -> tuple[tuple[str, float | str | None], ...]:
        found = self.agreement
        scale: float | str = "beyond what these examples can tell" if found.noise_scale is None else found.noise_scale
        return (
            ("mean loss", self.loss),
            ("loss of always giving the mean target", self.constant_loss),
            ("length of the mean gradient", found.gradient_norm),
            ("length of one example's gradient", found.example_norm),
            ("noise scale: the batch in which signal equals noise", scale),
            ("batch size", self.batch_size),
            ("mean cosine between two examples' gradients", found.cosine),
            ("examples that point against the mean", f"{100 * found.against:.1f} %"),
        )


def health(
    subject: Subject,
    x: Any,
    y: Any,
    *,
    at: str | int | None = None,
    optimizer: str | Optimizer | WholeBatch | None = None,
    lr: float | None = None,
    batch_size: int | None = None,
    most: int = MOST,
) -> Health:
    """Examine a network on its training examples, in float64, with nothing dropped out.

    Args:
        subject: a network, a run, a run's folder, or an opened moment.
        x: inputs (n, i); take those of the training part.
        y: class indices (n,) or targets (n, j).
        at: for a run: 0, a step, "best" (the default) or "last".
        optimizer: for a network: what it is trained with; "sgd" unless given.
        lr: for a network: the learning rate; without it nothing is said about steps.
        batch_size: for a network: examples per step; without it nothing is said about noise.
        most: of more examples than this, so many are drawn.

    Raises:
        InputError: there is no such moment, the examples do not fit, or their losses are not finite.

    Example:
        >>> from backlight import Network
        >>> x, y = np.eye(4), np.array([0, 1, 0, 1])
        >>> health(Network.mlp(4, 8, 2, hidden="tanh", seed=0), x, y, lr=0.1, batch_size=4).findings
        ()
    """
    moment = open_moment(subject, at)
    optimizer, lr, batch_size = _training_of(moment, optimizer, lr, batch_size)
    examples = check_examples(moment, x, y)
    available = examples.source.count
    if available > whole_number("most", most, 2):
        rows = np.sort(permutation(0, Purpose.CHECKING, available, place=(2**30, 0))[:most])
        examples = check_examples(moment, examples.source.array[rows], examples.targets(rows))
    with np.errstate(all="ignore"):
        found = survey(moment, examples)
    if not np.isfinite(found.losses).all():
        bad = int((~np.isfinite(found.losses)).sum())
        raise InputError(
            f"the loss of {bad} of {len(found.losses)} examples is not a finite number; look at an earlier moment"
        )
    updates = _updates(_stepped_along(moment, found.gradient), optimizer, lr)
    layers = tuple(_layer(moment, layer, found.gradient, updates) for layer in found.layers)
    agreed = agreement(found.gradient, found.norms, found.directions, found.dots)
    ratio = _ratio(moment, updates)
    loss, constant = float(found.losses.mean()), constant_loss(moment, examples.targets())
    doubts = of_agreement(agreed, len(found.losses), loss, constant, batch_size)
    return Health(
        when=moment.when,
        step=moment.step,
        examples=len(found.losses),
        available=available,
        loss=loss,
        constant_loss=constant,
        layers=layers,
        update_ratio=ratio,
        agreement=agreed,
        batch_size=batch_size if batch_size is None else min(batch_size, available),
        findings=(*of_learning(loss, constant, moment.step), *of_layers(layers), *of_step(ratio), *doubts),
        warnings=moment.warnings,
    )


def _training_of(
    moment: Moment, optimizer: str | Optimizer | WholeBatch | None, lr: float | None, batch_size: int | None
) -> tuple[Optimizer, float | None, int | None]:
    """How the network is trained: as it was given, else as its run's settings say."""
    if moment.run is not None:
        settings = moment.run.settings
        trainer = settings.trainer(moment.network)
        optimizer, lr = optimizer or trainer.chosen_optimizer(), moment.run.lr_at(moment.step) if lr is None else lr
        if isinstance(settings.batch_size, int):
            batch_size = batch_size or settings.batch_size * settings.accumulate
    if lr is not None:
        number_within("lr", lr, 0, math.inf)
    if batch_size is not None:
        whole_number("batch_size", batch_size, 1)
    chosen = make_optimizer(optimizer or "sgd") if isinstance(optimizer, str | None) else optimizer
    if isinstance(chosen, WholeBatch):  # the first step of lbfgs goes along the gradient
        chosen = SGD()
    return chosen, lr, batch_size


def _stepped_along(moment: Moment, gradient: Floats) -> Floats:
    """The gradient that a run's step would take: with its penalties, 0 for frozen layers, no longer than it may be."""
    if moment.run is None:
        return gradient
    trainer, params, taken = moment.run.settings.trainer(moment.network), moment.network.params, gradient.copy()
    program = replace(compile_program(moment.network, moment.loss), objective=trainer.objective())
    for part in program.weights:
        program.objective.add_penalty(params[part], taken[part], np.empty_like(params[part]))
    for place in program.kept(trainer.frozen_layers()):
        taken[place] = 0.0
    if trainer.clip is not None:
        taken *= clip_factor(trainer.clip, float(taken @ taken))
    return taken


def _updates(gradient: Floats, optimizer: Optimizer, lr: float | None) -> Floats | None:
    """What a step from here would add with the mean gradient, were it the first (size,)."""
    if lr is None:
        return None
    updates = np.empty_like(gradient)
    optimizer.update(
        gradient, optimizer.initial_state(gradient.size, gradient.dtype), 0, lr, updates, np.empty_like(gradient)
    )
    return updates


def _rms(values: Array) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _layer(moment: Moment, found: LayerSurvey, gradient: Floats, updates: Floats | None) -> LayerHealth:
    """A layer's numbers; biases, which have sizes of their own, are left out of weights and gradients."""
    dense, place = next((dense, place) for k, dense, place in moment.network.dense_layers() if k == found.layer)
    W = slice(place.start, place.start + dense.W.size)
    weights = _rms(dense.W)
    return LayerHealth(
        layer=found.layer,
        function=found.function,
        units=dense.units,
        activation_rms=found.activation_rms,
        delta_rms=found.delta_rms,
        gradient_rms=_rms(gradient[W]),
        weight_rms=weights,
        update_ratio=_rms(updates[W]) / weights if updates is not None and weights else None,
        dead=found.dead,
        saturated=found.saturated,
    )


def _ratio(moment: Moment, updates: Floats | None) -> float | None:
    """‖updates‖ / ‖weights‖ over the weights of all layers."""
    if updates is None:
        return None
    steps = weights = 0.0
    for _, dense, place in moment.network.dense_layers():
        part = updates[place][: dense.W.size]
        steps, weights = steps + float(part @ part), weights + float(np.vdot(dense.W, dense.W))
    return math.sqrt(steps / weights) if weights else None


def constant_loss(moment: Moment, y: Array) -> float:
    """The mean loss of always giving the mean target: what a network must beat to have learnt anything.

    Args:
        moment: whose loss and output it is.
        y: class indices (n,) or targets (n, j).

    Example:
        >>> from backlight import Network
        >>> round(constant_loss(open_moment(Network.mlp(2, 2)), np.array([0, 1, 0, 1])), 6)  # log 2
        0.693147
    """
    network, objective = moment.network, moment.network.objective(moment.loss)
    targets = np.empty((len(y), network.outputs))
    encode_targets(y, targets, network.sizes)
    mean = targets.mean(axis=0)
    z = a = np.broadcast_to(mean, targets.shape).copy()
    if objective.fused:
        rate = np.clip(mean, _LEAST_SHARE, None if objective.loss == "poisson" else 1.0 - _LEAST_SHARE)
        logit = np.log(rate) - (0.0 if network.output in ("softmax", "exponential") else np.log1p(-rate))
        z = np.broadcast_to(logit, targets.shape).copy()
    losses, scratch = np.empty(len(y)), [np.empty_like(a), np.empty_like(a)]
    with np.errstate(divide="ignore", invalid="ignore"):
        objective.losses(z, a, targets, losses, scratch)
    return float(losses.mean())
