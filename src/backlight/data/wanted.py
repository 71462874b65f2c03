"""What is to be made of data that someone brings."""

from dataclasses import dataclass, field
from typing import Final

from backlight.data.inputs import Inputs
from backlight.data.tables.options import TableOptions

AUTOENCODE: Final = "autoencode"
"""The task in which the inputs are the targets, so that no labels are needed."""


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a table, or of images with their labels.

    Attributes:
        targets: the columns to predict; of images, columns of their table of labels.
        task: `classification`, `regression`, `autoencode`, or None to follow the targets' values.
        fractions: of the rows, for validation and test.
        seed: the run's seed.
        standardise: whether quantities to predict are standardised.
        options: what the user says of a table's columns.
        inputs: the inputs of a network that has learnt already, which the data are made to fit; None to fit them to
            the data.
    """

    targets: tuple[str, ...]
    task: str | None
    fractions: tuple[float, float]
    seed: int
    standardise: bool = True
    options: TableOptions = field(default_factory=TableOptions)
    inputs: Inputs | None = None

    @property
    def unlabelled(self) -> bool:
        """Whether no labels are read."""
        return self.task == AUTOENCODE
