"""A moment of a network's life, opened: its parameters in float64, and the names of what goes in and comes out."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np

from backlight.arrays import Array, Floats, Ints
from backlight.data import ArrayInputs, Classes, Dataset, ImageInputs, Labels, Quantities
from backlight.engine import RowSource, engine_build
from backlight.errors import InputError
from backlight.files import Run, state_at
from backlight.network import Network
from backlight.training import TrainingState

Subject: TypeAlias = "Network | Run | Path | str | Moment"
"""What can be explained: a network, a run, a run's folder, or a moment that was opened already."""

_CHUNK: Final = 4096


@dataclass(frozen=True)
class Moment:
    """A network at one moment, ready to be explained.

    Attributes:
        network: a float64 copy, so that explanations are exact to the last digits; never trained.
        loss: the loss that it is or was trained on.
        when: the moment in words: "after step 600 (epoch 46)"; a network with batch normalisation is explained "with
            running statistics".
        step: how many steps had been taken, None if unknown.
        inputs: one name per input.
        outputs: one name per output.
        image: the (height, width) of an input, or (height, width, 3) with colours; None if inputs are no images.
        quantities: how outputs are turned into the units of the data; None where they are not quantities.
        labels: whether outputs are several labels at once.
        run: where it comes from, None for a network on its own.
        warnings: what a reader should know, such as another engine build.
    """

    network: Network
    loss: str
    when: str
    step: int | None
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    image: tuple[int, ...] | None = None
    quantities: Quantities | None = None
    labels: bool = False
    run: Run | None = None
    warnings: tuple[str, ...] = field(default=())

    @cached_property
    def dataset(self) -> Dataset:
        """The data of the run, read once.

        Raises:
            InputError: there is no run, or its data are gone or have changed.
        """
        if self.run is None:
            raise InputError("a network on its own has no data; give the run that trained it, or the examples")
        return self.run.dataset()

    @cached_property
    def average(self) -> Floats:
        """The average row of the run's training part, as the network sees rows (i,).

        Raises:
            InputError: there is no run, or its data are gone or have changed.
        """
        return average_row(self.network, self.dataset.x, self.dataset.rows["train"])


def average_row(network: Network, x: Array, rows: Ints) -> Floats:
    """The mean (i,) of rows of x (n, i) as a network sees them, in float64, a chunk at a time.

    Example:
        >>> average_row(Network.mlp(2, 1), np.array([[0, 255], [0, 0]], np.uint8), np.array([0, 1])).tolist()
        [0.0, 0.5]
    """
    total, source = np.zeros(network.inputs), RowSource(x)
    for first in range(0, len(rows), _CHUNK):
        total += network.as_inputs(x[rows[first : first + _CHUNK]]).sum(axis=0, dtype=np.float64)
        source.release()
    return total / len(rows)


def open_moment(subject: Subject, at: str | int | None = None, *, loss: str | None = None) -> Moment:
    """Open a network, or a run at any moment of its training.

    Args:
        subject: a network, a run or its folder.
        at: for a run: 0 for the untrained network, a step number, "best" (the default) or "last".
        loss: for a network: the loss; by default the one that its output was made for.

    Raises:
        InputError: there is no such moment, or the run's data have changed.

    Example:
        >>> open_moment(Network.mlp(2, 3, 2, seed=0)).outputs
        ('output 0', 'output 1')
    """
    if isinstance(subject, Moment):
        return subject
    if isinstance(subject, Network):
        if at is not None:
            raise InputError(f"a network has no moments, and at is {at!r}; give the run that trained it")
        inputs = tuple(f"x{i}" for i in range(subject.inputs))
        outputs = tuple(f"output {j}" for j in range(subject.outputs))
        objective = subject.objective(loss)
        return Moment(subject.copy("float64"), objective.loss, _said("as it is", subject), None, inputs, outputs)
    run = subject if isinstance(subject, Run) else Run.open(subject)
    return _moment_of(run, "best" if at is None else at)


def _moment_of(run: Run, at: str | int) -> Moment:
    text = str(at)
    if text == "best":
        model = run.model()
        when, step = _best(run)
        return _named(run, model.network.copy("float64"), model, when, step)
    dataset = run.dataset()
    warnings: tuple[str, ...] = ()
    if text == "last":
        state = run.checkpoint()
        if state is None:
            raise InputError(f"{run.folder} has no checkpoint yet; ask for --at 0 or for a step")
    else:
        if not (text.isascii() and text.isdigit()):
            raise InputError(f"at is {at!r}; give 0, the number of a step, best, or last")
        state = state_at(run, int(text))
        warnings = engine_warnings(run)
    return _named(
        run, network_of(run, dataset, state), dataset, in_words(run, dataset, state.step), state.step, warnings
    )


def network_of(run: Run, dataset: Dataset, state: TrainingState) -> Network:
    """A float64 network with the parameters of a state of a run."""
    network = run.settings.network(dataset).copy("float64")
    network.params[...] = state.params
    return network


def in_words(run: Run, dataset: Dataset, step: int) -> str:
    """A step of a run, in words."""
    if step == 0:
        return "before training"
    size = run.settings.batch_size
    rows = len(dataset.rows["train"])
    per_epoch = -(-rows // min(size * run.settings.accumulate, rows)) if isinstance(size, int) else 1
    return f"after step {step:,} (epoch {step / per_epoch:.4g})"


def _best(run: Run) -> tuple[str, int | None]:
    """The moment of the weights that were kept, in words and as a step; None where the history does not tell."""
    ended = run.ended
    if ended is None:
        return "as it was kept", None
    epoch = ended["best_epoch"]
    if epoch is None:
        return f"after step {ended['step']:,}, the last", int(ended["step"])
    steps = [int(record["step"]) for record in run.history() if record.get("epoch") == epoch]
    return f"after epoch {epoch}, the best on validation", steps[0] if steps else None


def engine_warnings(run: Run) -> tuple[str, ...]:
    """What differs between the engine that trained a run and this one, on which the bits of a replay depend."""
    now = engine_build(run.settings.engine)
    return tuple(
        f"the {key.replace('_', ' ')} is {now[key]}, and the run was made with {run.engine.get(key)}: "
        "replayed numbers may differ in their last digits"
        for key in now
        if now[key] != run.engine.get(key)
    )


def _named(
    run: Run, network: Network, source: Any, when: str, step: int | None, warnings: tuple[str, ...] = ()
) -> Moment:
    """A moment with the names of a run's data; `source` has `inputs` and `target`."""
    inputs, target = source.inputs, source.target
    shape = inputs.shape if isinstance(inputs, ImageInputs | ArrayInputs) and len(inputs.shape) > 1 else None
    outputs = target.names
    if isinstance(target, Classes) and network.outputs == 1:
        outputs = target.names[1:]
    loss = run.settings.loss
    assert loss is not None
    labels = isinstance(target, Labels)
    quantities = target if isinstance(target, Quantities) else None
    when = _said(when, network)
    return Moment(network, loss, when, step, inputs.names, tuple(outputs), shape, quantities, labels, run, warnings)


def _said(when: str, network: Network) -> str:
    return f"{when}, with running statistics" if network.coupled else when
