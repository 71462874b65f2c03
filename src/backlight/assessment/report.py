"""The report of an assessment, as the blocks that terminal, notebook and page share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backlight.assessment.learning_curve import LearningCurve
from backlight.assessment.rival import Rival
from backlight.assessment.sections import (
    Errors,
    calibration_blocks,
    class_blocks,
    confusion_blocks,
    curve_blocks,
    error_blocks,
    metric_table,
    question_blocks,
    score_range,
)
from backlight.data import Classes, Target
from backlight.plots import Block, Heading, Text
from backlight.plots.shown import Shown, plain

NETWORK = "network"


@dataclass(frozen=True, repr=False)
class Assessment(Shown):
    """How good a model is, and how far that can be trusted.

    Attributes:
        run: the run's folder.
        data: the part, or the file, that was measured.
        examples: how many examples there are.
        metrics: what was measured of the network.
        baseline: the same of what ignores the inputs; None where the run's own data are gone.
        linear: the same of a linear model; None there, too, and for a run that is one.
        learning_curve: what twice the data would give; None unless it was asked for.
        warnings: what must be said beside the score.
        target: what the outputs mean.
        errors: how far off the answers about each quantity are.
        pictures: of what an autoencoder gives back.
        sections: explanations that stand at the end of the report, such as which columns the answers rest on.
    """

    run: str
    data: str
    examples: int
    metrics: Mapping[str, Any]
    baseline: Rival | None
    linear: Rival | None
    learning_curve: LearningCurve | None
    warnings: tuple[str, ...]
    target: Target = field(repr=False)
    errors: tuple[Errors, ...] = field(default=(), repr=False)
    sections: tuple[Shown, ...] = field(default=(), repr=False)
    pictures: tuple[Block, ...] = field(default=(), repr=False)

    @property
    def title(self) -> str:
        """What it is, in a line."""
        return f"How good is {self.run}?"

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """What the network is compared with, the better first."""
        return tuple(rival for rival in (self.linear, self.baseline) if rival is not None)

    def to_dict(self) -> dict[str, Any]:
        """The assessment as plain data that JSON can hold."""
        content: dict[str, Any] = {
            "run": self.run,
            "examples": self.examples,
            "data": self.data,
            "metrics": dict(self.metrics),
            "baseline": self.baseline and self.baseline.to_dict(),
            "linear": self.linear and self.linear.to_dict(),
            "warnings": list(self.warnings),
        }
        if self.learning_curve is not None:
            content["learning_curve"] = plain(self.learning_curve)
        if self.sections:
            content["sections"] = [section.to_dict() for section in self.sections]
        return content

    def save(self, path: str | Path) -> None:
        """Write the report as a self-contained page."""
        self.plot().save(path)

    def blocks(self) -> list[Block]:
        """The report: the score beside its rivals, what it rests on, and the sections that follow."""
        metrics = self.metrics
        share = metrics.get("accuracy")
        blocks: list[Block] = [
            Heading(self.title, 1),
            Text(f"{self.data}: {self.examples:,} examples"),
            score_range(metrics, self.rivals, NETWORK),
            *(Text(f"{rival.name}: {rival.what}", "note") for rival in self.rivals),
            *(Text(warning, "warning") for warning in self.warnings),
            metric_table(metrics, self.rivals, NETWORK),
        ]
        if self.learning_curve is not None:
            blocks += curve_blocks(self.learning_curve)
        if "per_class" in metrics:
            noun = "class" if isinstance(self.target, Classes) else "label"
            blocks += class_blocks(metrics, heading=f"{noun.capitalize()} by {noun}", noun=noun)
        if "questions" in metrics:
            blocks += question_blocks(metrics["questions"])
        if "confusion" in metrics and isinstance(self.target, Classes):
            blocks += confusion_blocks(metrics["confusion"], self.target.names)
        if share is not None:
            blocks += calibration_blocks(metrics.get("calibration"), share)
        for errors in self.errors:
            blocks += error_blocks(errors)
        blocks += self.pictures
        for section in self.sections:
            blocks += [_beneath(block) for block in section.blocks()]
        return blocks


def _beneath(block: Block) -> Block:
    """A block of an explanation that is a section here: its title is a heading, its headings are smaller."""
    return Heading(block.text, min(block.level + 1, 3)) if isinstance(block, Heading) else block
