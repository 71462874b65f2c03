"""A run trained again in memory: as it was, in batches of another size, or from another start."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, TypeAlias

from backlight.data import Dataset
from backlight.errors import InputError, whole_number
from backlight.files import Run, Settings
from backlight.network import Dropout
from backlight.training import Training

Size: TypeAlias = int | Literal["full"]
"""How many examples a batch has."""

USUAL: tuple[Size, ...] = ("full", 100, 1)


@dataclass(frozen=True)
class Again:
    """A run and its data, to be trained again for as many epochs as it was.

    Attributes:
        run: the run.
        dataset: its data.
    """

    run: Run
    dataset: Dataset

    @cached_property
    def taken(self) -> int:
        """How many steps the run has taken."""
        return self.run.taken

    @property
    def own(self) -> Size:
        """The size of the run's own batches."""
        return self.sized(self.run.settings.batch_size or "full")

    def sized(self, size: object) -> Size:
        """A size of batches; "full" where a batch has all examples.

        Raises:
            InputError: it is none.
        """
        if size == "full":
            return "full"
        checked = whole_number("the size of batches (a number or 'full')", size, 1)
        whole = checked >= len(self.dataset.rows["train"]) and self.run.settings.accumulate == 1
        return "full" if whole else checked

    def settings(self, size: Size, seed: int | None = None) -> Settings:
        """The run's settings with batches of another size, and with another seed if one is given."""
        own, settings = size == self.own, self.run.settings
        seed = settings.seed if seed is None else seed
        return replace(settings, batch_size=settings.batch_size if own else size, seed=seed)

    def check(self, size: Size) -> None:
        """Refuse batches of a size that the run cannot be trained in.

        Raises:
            InputError: its optimizer, or something else of it, does not go with them.
        """
        settings = self.settings(size)
        try:
            settings.trainer(settings.network(self.dataset))
        except InputError as error:
            raise InputError(f"{self.run.folder} cannot be trained in the size {size}: {error}") from error

    def possible(self, sizes: Sequence[Size]) -> tuple[Size, ...]:
        """Those of some sizes that the run can be trained in."""
        found = []
        for size in dict.fromkeys(map(self.sized, sizes)):
            try:
                self.check(size)
            except InputError:
                continue
            found.append(size)
        return tuple(found)

    def training(self, size: Size, seed: int | None = None) -> tuple[Training, int]:
        """A training that has taken no step, and how many it takes in as many epochs as the run took."""
        rows = self.dataset.rows
        training = self.settings(size, seed).training(self.dataset, rows["train"], rows["validation"])
        if size == self.own:
            return training, self.taken
        epochs = self.taken / self._steps_per_epoch
        return training, max(1, round(epochs * training.steps_per_epoch))

    @cached_property
    def _steps_per_epoch(self) -> int:
        return self.training(self.own)[0].steps_per_epoch

    def recorded(self, training: Training) -> dict[int, float]:
        """Costs that the run's history holds, by step: those that are the cost of one moment, with nothing by chance.

        Where every step takes all examples, the objective of epoch e is the cost before its step. Otherwise objectives
        are means over an epoch's moving parameters, and only the untrained network was measured.
        """
        settings, objective = self.run.settings, training.session.program.objective
        chance = settings.augment or objective.smoothing or training.network.coupled
        chance = chance or any(isinstance(layer, Dropout) and layer.rate for layer in training.network.layers)
        alike = not (objective.l1 or objective.l2) and self.dataset.weights is None and settings.average is None
        found = {}
        for record in self.run.history():
            if record["record"] != "epoch":
                continue
            train, step = record["train"], record["step"]
            if step == 0 or set(train) != {"loss"}:  # measured after the step
                if alike:
                    found[step] = train["loss"]
            elif training.steps_per_epoch == 1 and not chance:
                found[step - 1] = train["loss"]
        return {step: float(loss) for step, loss in found.items() if loss is not None}


def in_words(size: Size, accumulate: int = 1) -> str:
    """What training in batches of a size is called.

    Example:
        >>> in_words("full"), in_words(100), in_words(1), in_words(50, 4)
        ('full batch', 'batches of 100', 'one at a time', '4 batches of 50')
    """
    if size == "full":
        return "full batch"
    if accumulate > 1:
        return f"{accumulate} batches of {size}"
    return "one at a time" if size == 1 else f"batches of {size}"
