"""What is to be made of data that someone brings."""

from dataclasses import dataclass, field

from backlight.data.tables.options import TableOptions


@dataclass(frozen=True)
class Wanted:
    """What is to be made of a table, or of images with their labels.

    Attributes:
        targets: the columns to predict; of images, columns of their table of labels.
        task: `classification`, `regression`, or None to follow the targets' values.
        fractions: of the rows, for validation and test.
        seed: the run's seed.
        standardise: whether quantities to predict are standardised.
        options: what the user says of a table's columns.
    """

    targets: tuple[str, ...]
    task: str | None
    fractions: tuple[float, float]
    seed: int
    standardise: bool = True
    options: TableOptions = field(default_factory=TableOptions)
