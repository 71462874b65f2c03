"""The settings of a run: everything that, with the data, is needed to repeat it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal

import numpy as np

from backlight.data import (
    Classes,
    Dataset,
    ImageInputs,
    ImageOptions,
    Labels,
    Quantities,
    SeveralClasses,
    TableOptions,
    Target,
)
from backlight.data.images.options import Progress, format_size, parse_size
from backlight.data.splits import check_fractions
from backlight.errors import InputError
from backlight.network import Network
from backlight.network.losses import check_pair, default_loss
from backlight.training import Trainer, Until
from backlight.training.optimizers import OPTIMIZERS, make_optimizer

INIT: Final = "glorot_uniform"
"""Initial weights that let the untrained network say little; He's, made for deep networks, let it say too much.

What an untrained network says about rows between the examples must be unlearned, and few examples do not do that.
"""

DROPOUT_FROM: Final = 1_000  # training examples: below, silencing units made no difference; above, results better

CLASSIC: Final[Mapping[str, Any]] = {
    "layers": (16, 16),
    "activation": "sigmoid",
    "output": "sigmoid",
    "loss": "squared",
    "init": "small_normal",
    "optimizer": "sgd",
    "lr": 3.0,
    "dropout": 0.0,
}

_RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "sigmoid": (0.0, 1.0),
    "logistic": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, float("inf")),
    "softplus": (0.0, float("inf")),
    "exponential": (0.0, float("inf")),
}
_LISTS: Final = ("layers", "until", "drop", "keep", "types")
_MEASURED: Final[Mapping[type[Target], tuple[str, ...]]] = {
    Classes: ("loss", "accuracy", "macro_f1"),
    Labels: ("loss", "accuracy", "exact"),
    SeveralClasses: ("loss", "accuracy", "exact"),
    Quantities: ("loss", "rmse", "mae", "r2"),
}


@dataclass(frozen=True)
class Settings:
    """How a run is to be made. What is None is chosen to suit the data by `resolved`.

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
        momentum: of the optimizer `momentum`.
        weight_decay: decoupled.
        dropout: the rate for hidden units.
        batch_size: examples per step, or "full".
        epochs: the most passes over the data.
        until: conditions that end the training.
        patience: epochs without a better validation.
        size: that images are stretched to, as it is typed: `32x24`.
        gray: whether the colours of images are dropped.
        labels: the file of the images' labels.
        label_from: the pattern that finds labels in the images' names.
        skip_broken: whether broken images are left out.
        seed: of the split, the initial weights, the order of examples and dropout.
        threads: how many the engine may use.
        engine: which engine.
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
    momentum: float | None = None
    weight_decay: float = 0.0
    dropout: float | None = None
    batch_size: int | Literal["full"] = 100
    epochs: int = 200
    until: tuple[str, ...] = ()
    patience: int | None = None
    size: str | None = None
    gray: bool = False
    labels: str | None = None
    label_from: str | None = None
    skip_broken: bool = False
    seed: int = 0
    threads: int | None = None
    engine: str = "auto"

    @classmethod
    def classic(cls, data: str, **given: Any) -> "Settings":
        """The network that every article draws: sigmoid units, squared error, small random weights, plain descent.

        Args:
            data: a built-in name or a file.
            **given: settings that are not the classic ones.
        """
        return cls(data, **{**CLASSIC, **given})

    def check(self) -> None:
        """Refuse what is impossible whatever the data are, so that nobody waits for them to load.

        Raises:
            InputError: a setting is unknown or impossible, or two do not go together.
        """
        if self.momentum is not None and self.optimizer in OPTIMIZERS and self.optimizer != "momentum":
            raise InputError(f"momentum is a setting of --optimizer momentum, and the optimizer is {self.optimizer}")
        check_fractions(self.validation, self.test)
        self.table_options().check()
        self.options()
        if not all(isinstance(units, int) and units > 0 for units in self.layers):
            raise InputError(f"layers is {self.layers}; it must be whole numbers above 0")
        suited = {"cross_entropy": "softmax", "poisson": "exponential"}.get(self.loss or "", "identity")
        narrow = tuple(min(units, 2) for units in self.layers)
        small = replace(self, layers=narrow, output=self.output or suited)
        small.trainer(small._network(1, 2))

    def resolved(self, dataset: Dataset) -> "Settings":
        """The settings with every choice made.

        Raises:
            InputError: two settings, or a setting and the data, do not go together.
        """
        has_validation = len(dataset.rows["validation"]) > 0
        if self.patience is not None and not has_validation:
            raise InputError("patience needs a validation part, and there is none; give --validation 0.15")
        output = self.output or _suited_output(dataset.target, self.loss)
        loss = self.loss or default_loss(output)
        _check_target(dataset, output, loss)
        _check_until(self.until, dataset.target)
        many = len(dataset.rows["train"]) >= DROPOUT_FROM
        size = self.size
        if dataset.source.kind == "images" and isinstance(dataset.inputs, ImageInputs):
            size = format_size((dataset.inputs.shape[1], dataset.inputs.shape[0]))
        return replace(
            self,
            size=size,
            output=output,
            loss=loss,
            init=self.init or INIT,
            lr=self.lr if self.lr is not None else _default_lr(self.optimizer),
            dropout=self.dropout if self.dropout is not None else 0.1 * (many and bool(self.layers)),
            patience=self.patience if self.patience is not None else (20 if has_validation else None),
        )

    def table_options(self) -> TableOptions:
        """What is said of a table's columns."""
        return TableOptions(**{field.name: getattr(self, field.name) for field in fields(TableOptions)})

    def options(self, progress: Progress | None = None) -> TableOptions | ImageOptions:
        """What is said of how the data are read: of a table's columns, or of images.

        Args:
            progress: told how far the reading of images is.

        Raises:
            InputError: something is said of both.
        """
        table, images = self.table_options(), self.images(progress)
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

    def network(self, dataset: Dataset) -> Network:
        """The untrained network of resolved settings."""
        target = dataset.target
        return self._network(
            dataset.inputs.width, target.width, target.sizes if isinstance(target, SeveralClasses) else ()
        )

    def _network(self, inputs: int, outputs: int, sizes: tuple[int, ...] = ()) -> Network:
        assert self.output is not None
        return Network.mlp(
            inputs,
            *self.layers,
            outputs,
            hidden=self.activation,
            output=self.output,
            sizes=sizes,
            init=self.init,
            norm=self.norm,
            dropout=self.dropout or 0.0,
            seed=self.seed,
        )

    def trainer(self, network: Network) -> Trainer:
        """The trainer of resolved settings."""
        given = {"momentum": self.momentum, "weight_decay": self.weight_decay}
        optimizer = make_optimizer(self.optimizer, **{k: v for k, v in given.items() if v is not None})
        return Trainer(
            network,
            loss=self.loss,
            optimizer=optimizer,
            lr=self.lr,
            batch_size=self.batch_size,
            epochs=self.epochs,
            seed=self.seed,
            threads=self.threads,
            engine=self.engine,
            until=self.until,
            patience=self.patience,
            evaluate_untrained=True,
        )

    def to_dict(self) -> dict[str, Any]:
        """The settings as plain data, for files."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> "Settings":
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


def standardises(output: str | None, loss: str | None) -> bool:
    """Whether regression targets are standardised: where the output can be any number.

    Example:
        >>> standardises(None, None), standardises(None, "poisson"), standardises("sigmoid", None)
        (True, False, False)
    """
    return (output or "identity") == "identity" and loss != "poisson"


def _default_lr(optimizer: str) -> float:
    make_optimizer(optimizer)
    return float(OPTIMIZERS[optimizer].default_lr)  # type: ignore[attr-defined]


def _suited_output(target: Target, loss: str | None) -> str:
    if loss == "poisson":
        return "exponential"
    if isinstance(target, Quantities):
        return "identity"
    if isinstance(target, SeveralClasses):
        return "softmax"
    if loss in (None, "cross_entropy"):
        return "logistic" if isinstance(target, Labels) else "softmax"
    return "sigmoid"


def _check_target(dataset: Dataset, output: str, loss: str) -> None:
    target = dataset.target
    if isinstance(target, Quantities) and loss == "cross_entropy":
        raise InputError(
            f"the loss cross_entropy is for classes, and {target.names[0]!r} is a quantity; "
            "choose squared, absolute, huber or poisson, or --task classification"
        )
    if isinstance(target, SeveralClasses) and output != "softmax" and loss != "poisson":
        raise InputError(
            f"the output is {output}, and the target asks {len(target.targets)} questions, each with one of its own "
            "classes; choose the output softmax, which answers each of them"
        )
    check_pair(output, loss)
    if isinstance(target, Labels) and output == "softmax":
        raise InputError("softmax picks one class, and here several labels can be true at once; choose logistic")
    if isinstance(target, Classes | SeveralClasses) and loss == "poisson":
        raise InputError("the loss poisson is for counts, and the target has classes; choose cross_entropy")
    if isinstance(target, Quantities) and output in _RANGES:
        _check_range(dataset, output, loss, target.names)


def _check_range(dataset: Dataset, output: str, loss: str, names: tuple[str, ...]) -> None:
    """Refuse quantities that an output can never give."""
    low, high = _RANGES[output]
    gives = f"gives numbers from {low:g} to {high:g}" if high < float("inf") else "gives no numbers below 0"
    what = "the loss poisson is for counts of 0 or more" if loss == "poisson" else f"the output {output} {gives}"
    for name, values in zip(names, dataset.y.T, strict=True):
        least, most = float(np.nanmin(values)), float(np.nanmax(values))
        if least < low or most > high:
            raise InputError(
                f"{what}, and {name!r} goes from {least:g} to {most:g}; "
                "choose the output identity, with the loss squared, absolute or huber"
            )


def _check_until(conditions: tuple[str, ...], target: Target) -> None:
    measured = _MEASURED[type(target)]
    for condition in conditions:
        metric = Until(condition).metric
        if metric not in measured:
            raise InputError(
                f"the condition {condition!r} asks for {metric}, which is not measured here; "
                f"there are {', '.join(measured)}"
            )
