"""What was asked for: the settings of a run as plain data, as options and run.json have them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self

from backlight.data import ImageOptions, TableOptions
from backlight.data.images.options import Progress, parse_size
from backlight.errors import InputError

_LISTS: Final = ("layers", "until", "drop", "keep", "types", "classes")


@dataclass(frozen=True)
class Asked:
    """How a run is to be made. What is None is chosen to suit the data by `Settings.resolved`.

    Attributes:
        data: a built-in name or a file.
        target: the columns to predict, for tables.
        task: "classification" or "regression".
        validation: the fraction of rows for validation.
        test: the fraction of rows for the test.
        drop: columns of a table that are not learnt from; this and the next as `TableOptions` has them.
        keep: columns that are learnt from whatever they look like.
        types: what columns are, where their values tell something else.
        separator: between the cells of delimited text.
        group: a column by which rows belong together.
        time: a column by which rows are split in order.
        split: a column that names each row's part.
        weight: a column that says how much each row counts.
        class_weights: how much the classes count.
        layers: units of the hidden layers.
        activation: of the hidden layers.
        output: the activation of the last layer.
        loss: the loss.
        init: the initializer.
        norm: "batch" or "layer": what normalises the pre-activations of hidden layers, if anything.
        optimizer: its name.
        lr: learning rate.
        schedule: how the learning rate changes, as it is typed.
        momentum: of the optimizers `momentum` and `nesterov`.
        weight_decay: decoupled.
        l1: the penalty l1 Σ|W|; this and what follows up to `accumulate` as `Trainer` has them.
        l2: the penalty ½ l2 Σ W².
        clip: the longest that a step's gradient may be.
        clip_examples: the longest that an example's gradient may be.
        average: how much of the averaged parameters a step keeps.
        label_smoothing: how much of each label is shared out among all classes.
        accumulate: batches per step.
        dropout: the rate for hidden units.
        batch_size: examples per step, or "full".
        epochs: the most passes over the data.
        until: conditions that end the training.
        patience: epochs without a better validation.
        augment: how training examples are varied, as it is typed: `rotate=12,scale=0.15`.
        size: that images are stretched to, as it is typed: `32x24`.
        gray: whether the colours of images are dropped.
        labels: the file of the images' labels.
        label_from: the pattern that finds labels in the images' names.
        skip_broken: whether broken images are left out.
        seed: of the split, the initial weights, the order of examples, dropout and augmentation.
        threads: how many the engine may use.
        engine: which engine.
        scouted: whether `epochs` is not the user's choice but what five folds found; see `backlight.files.scouting`.
        start_from: a run, or a model file, whose layers and preparation of inputs are carried over; `layers`,
            `activation`, `norm` and `dropout` are then its own.
        freeze: how many of its first layers with weights keep them.
        classes: those that are learnt, of data with more; all of them unless given.
        per_class: how many training examples of each class there are; all unless given.
        code: of the task autoencode: the units of the middle layer, around which `layers` stand twice, mirrored.
    """

    data: str
    target: tuple[str, ...] = ()
    task: str | None = None
    validation: float = 0.15
    test: float = 0.15
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    separator: str | None = None
    group: str | None = None
    time: str | None = None
    split: str | None = None
    weight: str | None = None
    class_weights: str | None = None
    layers: tuple[int, ...] = (128, 64)
    activation: str = "relu"
    output: str | None = None
    loss: str | None = None
    init: str | None = None
    norm: str | None = None
    optimizer: str = "adam"
    lr: float | None = None
    schedule: str = "constant"
    momentum: float | None = None
    weight_decay: float | None = None
    l1: float = 0.0
    l2: float = 0.0
    clip: float | None = None
    clip_examples: float | None = None
    average: float | None = None
    label_smoothing: float = 0.0
    accumulate: int = 1
    dropout: float | None = None
    batch_size: int | Literal["full"] | None = None
    epochs: int = 200
    until: tuple[str, ...] = ()
    patience: int | None = None
    augment: str | None = None
    size: str | None = None
    gray: bool = False
    labels: str | None = None
    label_from: str | None = None
    skip_broken: bool = False
    seed: int = 0
    threads: int | None = None
    engine: str = "auto"
    scouted: bool = False
    start_from: str | None = None
    freeze: int = 0
    classes: tuple[str, ...] = ()
    per_class: int | None = None
    code: int | None = None

    def table_options(self) -> TableOptions:
        """What is said of a table's columns."""
        return TableOptions(**{field.name: getattr(self, field.name) for field in fields(TableOptions)})

    def options(self, progress: Progress | None = None) -> TableOptions | ImageOptions:
        """What is said of how the data are read, of a table's columns or of images; what the classes weigh is not.

        Args:
            progress: told how far the reading of images is.

        Raises:
            InputError: something is said of both.
        """
        table, images = replace(self.table_options(), class_weights=None), self.images(progress)
        if table == TableOptions():
            return images
        if images != ImageOptions():
            raise InputError("options of images and of a table's columns do not go together; leave out one of the two")
        return table

    def images(self, progress: Progress | None = None) -> ImageOptions:
        """How images are read.

        Raises:
            InputError: an impossible size or pattern.
        """
        size = parse_size(self.size)
        return ImageOptions(size, self.gray, self.labels, self.label_from, self.skip_broken, progress)

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain data, for files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """The settings that `to_dict` gave.

        Raises:
            InputError: a setting is unknown.
        """
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(content) - known)
        if unknown:
            raise InputError(f"the settings have {', '.join(unknown)}, which this Backlight does not know")
        lists = {name: tuple(content[name]) for name in _LISTS if isinstance(content.get(name), list)}
        target = content.get("target") or ()  # one name, or none, in runs from before there were several
        return cls(**{**content, **lists, "target": (target,) if isinstance(target, str) else tuple(target)})
