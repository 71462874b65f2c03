"""Where a result stands: beside the baseline and the linear model, and what must be said of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from backlight.assessment.baseline import baseline
from backlight.assessment.linear import linear_model
from backlight.assessment.reconstruction import reconstruction_rivals
from backlight.assessment.rival import Rival
from backlight.assessment.verdict import verdict
from backlight.data import Dataset, Reconstruction
from backlight.files import Settings, part_evaluation
from backlight.training import Evaluation


@dataclass(frozen=True)
class Standing:
    """A network's score, and what it is compared with.

    Attributes:
        part: which part was measured.
        metrics: of the network on it.
        baseline: what ignores the inputs.
        linear: the linear model; None for a run that is one.
        warnings: what must be said beside the score.
    """

    part: str
    metrics: Mapping[str, Any]
    baseline: Rival
    linear: Rival | None
    warnings: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """`baseline`, `linear` and `warnings` as plain data."""
        return {
            "baseline": self.baseline.to_dict(),
            "linear": self.linear and self.linear.to_dict(),
            "warnings": list(self.warnings),
        }


def standing(settings: Settings, dataset: Dataset, metrics: Mapping[str, Mapping[str, Any]]) -> Standing:
    """Compare a trained network on the test part, or on validation where there is none, or on training.

    Args:
        settings: of the run, resolved.
        dataset: its data.
        metrics: part → what was measured of the network.

    Example:
        >>> from backlight.files import load_for
        >>> dataset = load_for(Settings("moons"))
        >>> measured = {"test": {"score": "accuracy", "accuracy": 0.72, "interval": [0.65, 0.79]}}
        >>> found = standing(Settings("moons").resolved(dataset), dataset, measured)
        >>> found.part, found.warnings[0][:27]
        ('test', 'Worse than the linear model')
    """
    part = next(part for part in ("test", "validation", "train") if part in metrics)
    examples = part_evaluation(dataset, part)
    plain, linear = compared_with(settings, dataset, examples)
    warnings = verdict(metrics[part], examples.count, plain, linear, learnt=part == "train")
    return Standing(part, metrics[part], plain, linear, warnings)


def compared_with(settings: Settings, dataset: Dataset, examples: Evaluation) -> tuple[Rival, Rival | None]:
    """The baseline and the linear model, both learnt from the training part and measured on the examples.

    Args:
        settings: of the run, resolved.
        dataset: its data.
        examples: what is measured.
    """
    assert settings.loss is not None
    if isinstance(dataset.target, Reconstruction):
        return reconstruction_rivals(dataset, examples, settings.code)
    plain = baseline(dataset.target, dataset.y[dataset.rows["train"]], examples, settings.loss)
    return plain, linear_model(settings, dataset, examples)
