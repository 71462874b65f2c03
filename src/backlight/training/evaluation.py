"""Evaluation: the metrics of a network on any examples."""

from dataclasses import dataclass
from typing import Any

from backlight.arrays import Array, Floats
from backlight.engine import Task, open_session
from backlight.engine.program import compile_program
from backlight.network import Network
from backlight.scoring.metrics import measure
from backlight.scoring.reconstruction import Reconstructions, reconstruction_metrics
from backlight.scoring.several import name_questions
from backlight.training.examples import examples_for
from backlight.training.optimizers import SGD
from backlight.training.reconstruction import reconstructed
from backlight.training.trainer import Evaluation
from backlight.training.windows import losses_of


@dataclass(frozen=True)
class Outcomes:
    """What a network makes of examples.

    Attributes:
        losses: one per example (n,).
        outputs: (n, j).
        y: the targets, as the network sees them.
    """

    losses: Floats
    outputs: Floats
    y: Array


def outcomes(network: Network, evaluation: Evaluation, loss: str | None = None, *, engine: str = "auto") -> Outcomes:
    """The losses and outputs of a network; arguments as for `evaluate`.

    Args:
        network: the network; nothing of it is changed.
        evaluation: the examples.
        loss: by default the one that the network's output was made for.
        engine: "auto", "native" or "reference".

    Raises:
        InputError: the examples do not fit the network or the loss.
    """
    examples = examples_for(network, loss, evaluation.x, evaluation.y, evaluation.rows)
    program = compile_program(network, loss)
    session = open_session(engine, Task(program, network.params, examples, SGD(), batch_size=1, seed=0))
    losses, outputs = losses_of(session, examples, evaluation.rows)
    return Outcomes(losses, outputs, examples.targets(evaluation.rows))


def evaluate(
    network: Network, evaluation: Evaluation, loss: str | None = None, *, engine: str = "auto"
) -> dict[str, Any]:
    """Measure a network: losses and the metrics that suit the targets.

    Args:
        network: the network; nothing of it is changed.
        evaluation: the examples, and what their targets mean.
        loss: by default the one that the network's output was made for.
        engine: "auto", "native" or "reference".

    Raises:
        InputError: the examples do not fit the network or the loss.

    Example:
        >>> import numpy as np
        >>> from backlight import Network
        >>> network = Network.mlp(2, 2, output="softmax", seed=0)
        >>> sorted(evaluate(network, Evaluation(np.eye(2, dtype=np.float32), np.array([0, 1]))))
        ['accuracy', 'confusion', 'loss', 'macro_f1']
    """
    if evaluation.y is evaluation.x:
        return reconstruction_metrics(reconstructions(network, evaluation, loss, engine=engine))
    found = outcomes(network, evaluation, loss, engine=engine)
    questions = name_questions(network.sizes, evaluation.questions)
    return measure(found.losses, found.outputs, found.y, evaluation.unit, labels=evaluation.labels, questions=questions)


def reconstructions(
    network: Network, evaluation: Evaluation, loss: str | None = None, *, engine: str = "auto"
) -> Reconstructions:
    """How well a network gives examples back.

    Args:
        network: nothing of it is changed.
        evaluation: the examples, with their inputs as targets.
        loss: by default the one that the network's output was made for.
        engine: "auto", "native" or "reference".

    Raises:
        InputError: the examples do not fit the network or the loss.

    Example:
        >>> import numpy as np
        >>> network = Network.mlp(2, 2, output="identity", seed=0)
        >>> network.params[...] = [1, 0, 0, 1, 0, 0]
        >>> x = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
        >>> reconstructions(network, Evaluation(x, x)).squares.tolist()
        [0.0, 0.0]
    """
    examples = examples_for(network, loss, evaluation.x, evaluation.x, evaluation.rows)
    program = compile_program(network, loss)
    session = open_session(engine, Task(program, network.params, examples, SGD(), batch_size=1, seed=0))
    return reconstructed(session, examples, evaluation.rows)
