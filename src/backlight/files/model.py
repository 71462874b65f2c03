"""A trained model in one file: the network, how inputs are prepared, what outputs mean, how good it is."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from backlight.arrays import Ints
from backlight.data import (
    Classes,
    Dataset,
    Inputs,
    Labels,
    Quantities,
    Reconstruction,
    SeveralClasses,
    Target,
    inputs_from_dict,
    target_from_dict,
)
from backlight.errors import InputError
from backlight.network import Network
from backlight.network.softmax import groups
from backlight.scoring import class_quality, label_quality, measure, quantity_quality, several_quality
from backlight.scoring.reconstruction import reconstruction_quality
from backlight.storage import read_tensors, write_tensors
from backlight.training import Evaluation, Outcomes, outcomes
from backlight.training.evaluation import reconstructions

FORMAT: Final = 1
MODEL: Final = "model.safetensors"
_KEY: Final = "backlight"


@dataclass(frozen=True)
class Model:
    """A network that knows what its inputs and outputs mean.

    Attributes:
        network: the network.
        loss: what it was trained on.
        data: the name of the data.
        inputs: how raw input becomes the network's input.
        target: what its outputs mean.
        metrics: part → metrics, as measured at the end of training.
    """

    network: Network
    loss: str
    data: str
    inputs: Inputs
    target: Target
    metrics: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def save(self, path: str | Path) -> None:
        """Write a safetensors file: tensors `N.weight` (j, i) and `N.bias`, and one JSON string of metadata.

        Raises:
            BacklightError: the file cannot be written.
        """
        content = {
            "format": FORMAT,
            "layers": self.network.to_dicts(),
            "loss": self.loss,
            "data": self.data,
            "inputs": self.inputs.to_dict(),
            "target": self.target.to_dict(),
            "metrics": {part: dict(metrics) for part, metrics in self.metrics.items()},
        }
        write_tensors(Path(path), self.network.state_dict(), {_KEY: json.dumps(content, allow_nan=False)})

    @classmethod
    def load(cls, path: str | Path) -> "Model":
        """Read what `save` wrote.

        Raises:
            InputError: the file is missing, damaged, or not a model of Backlight.
        """
        tensors, metadata = read_tensors(Path(path))
        if _KEY not in metadata:
            raise InputError(f"{path} holds tensors, but it is not a model that Backlight wrote")
        try:
            content = json.loads(metadata[_KEY])
            if content["format"] != FORMAT:
                raise InputError(f"its format is {content['format']}, and this Backlight reads format {FORMAT}")
            network = Network.from_dicts(content["layers"], seed=None)
            network.load_state_dict(tensors)
            inputs, target = inputs_from_dict(content["inputs"]), target_from_dict(content["target"])
            return cls(network, content["loss"], content["data"], inputs, target, content["metrics"])
        except InputError as error:
            raise InputError(f"{path} is no usable model: {error}") from error
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{path} is a damaged model: its description is not complete ({error})") from error

    def measure(self, x: Any, y: Any, *, rows: Ints | None = None, engine: str = "auto") -> dict[str, Any]:
        """The metrics of examples with their intervals; None for a number that is not finite, as after a blow-up.

        `docs/evaluating.md` says what each entry means.

        Args:
            x: prepared inputs (n, d).
            y: targets, as the network sees them.
            rows: which of them (m,); all unless given.
            engine: "auto" or "reference".
        """
        examples = evaluation(self.target, x, y, rows)
        if isinstance(self.target, Reconstruction):
            found = reconstructions(self.network, examples, self.loss, engine=engine)
            return dict(finite(reconstruction_quality(found)))
        return quality(self.target, examples, outcomes(self.network, examples, self.loss, engine=engine))

    def answers(self, x: Any) -> list[dict[str, Any]]:
        """One answer per example: `class`, `confidence` and `probabilities`; or `labels`; or each quantity by name.

        An autoencoder's answer is its `reconstruction`, one number per input, and the `rmse` of that.

        For several questions at once there are `classes` and `probabilities` by question, and `confidence` is the
        product over the questions of what is held likeliest: the probability that the network gives the whole answer.

        Args:
            x: prepared inputs (n, d), as `read_rows` gives them.
        """
        outputs = self.network.predict(x)
        if isinstance(self.target, Classes):
            return [self._class_answer(row) for row in outputs.astype(np.float64)]
        if isinstance(self.target, SeveralClasses):
            return [_several_answers(self.target, row) for row in outputs.astype(np.float64)]
        if isinstance(self.target, Labels):
            names = self.target.names
            return [{"labels": dict(zip(names, map(float, row), strict=True))} for row in outputs]
        if isinstance(self.target, Reconstruction):
            errors = np.sqrt(((outputs.astype(np.float64) - self.network.as_inputs(x)) ** 2).mean(axis=1)).tolist()
            return [{"rmse": error, "reconstruction": row.tolist()} for error, row in zip(errors, outputs, strict=True)]
        names = self.target.names
        return [dict(zip(names, map(float, row), strict=True)) for row in self.target.decode(outputs)]

    def _class_answer(self, row: Any) -> dict[str, Any]:
        """Outputs as they are; where they are not probabilities, as with sigmoid units, they need not sum to 1."""
        assert isinstance(self.target, Classes)
        best = int(row.argmax())
        outputs = dict(zip(self.target.names, map(float, row), strict=True))
        return {"class": self.target.names[best], "confidence": float(row[best]), "probabilities": outputs}


def _several_answers(target: SeveralClasses, row: Any) -> dict[str, Any]:
    """The answer to several questions, from the outputs (j,)."""
    parts = {name: row[part] for name, part in zip(target.columns, groups(target.sizes, target.width), strict=True)}
    questions = dict(zip(target.columns, target.targets, strict=True))
    return {
        "classes": {name: questions[name].names[int(part.argmax())] for name, part in parts.items()},
        "confidence": math.prod(float(part.max()) for part in parts.values()),
        "probabilities": {
            name: dict(zip(questions[name].names, map(float, part), strict=True)) for name, part in parts.items()
        },
    }


def finite(content: Any) -> Any:
    """Plain data with None for every number that is not finite, which JSON cannot hold.

    Example:
        >>> finite({"loss": float("inf"), "accuracy": 0.5})
        {'loss': None, 'accuracy': 0.5}
    """
    if isinstance(content, Mapping):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [finite(value) for value in content]
    if isinstance(content, float) and not math.isfinite(content):
        return None
    return content


def evaluation(target: Target, x: Any, y: Any, rows: Ints | None = None) -> Evaluation:
    """Examples, or some rows of them, together with what their targets mean."""
    unit = np.asarray(target.std) if isinstance(target, Quantities) else 1.0
    questions = target.columns if isinstance(target, SeveralClasses) else ()
    return Evaluation(x, y, unit, isinstance(target, Labels), rows, questions)


def part_evaluation(dataset: Dataset, part: str) -> Evaluation:
    """One part of a data set, where it lies, together with what its targets mean.

    Raises:
        InputError: there is no such part.
    """
    return evaluation(dataset.target, dataset.x, dataset.y, dataset.rows_of(part))


def quality(target: Target, examples: Evaluation, found: Outcomes) -> dict[str, Any]:
    """The metrics of outcomes, the score with its interval, and what else suits the target.

    Args:
        target: what the outputs mean.
        examples: what was measured.
        found: the outputs, with their losses and targets.
    """
    losses, outputs, y = found.losses, found.outputs, found.y
    sizes = dict(zip(target.columns, target.sizes, strict=True)) if isinstance(target, SeveralClasses) else None
    metrics = measure(losses, outputs, y, examples.unit, labels=examples.labels, questions=sizes)
    if isinstance(target, Classes):
        metrics |= class_quality(losses, outputs, y, target.names)
    elif isinstance(target, Labels):
        metrics |= label_quality(losses, outputs, y, target.names)
    elif isinstance(target, SeveralClasses):
        questions = [(name, question.names) for name, question in zip(target.columns, target.targets, strict=True)]
        metrics |= several_quality(losses, outputs, y, questions)
    else:
        metrics |= quantity_quality(losses, outputs, y, examples.unit)
    cleaned = finite(metrics)
    assert isinstance(cleaned, dict)
    return cleaned
