"""The settings of a run: everything that, with the data, is needed to repeat it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from backlight.arrays import Ints
from backlight.data import (
    Dataset,
    ImageInputs,
    Inputs,
    Quantities,
    Reconstruction,
    SeveralClasses,
)
from backlight.data.augment import Augmentation, augmentation_for, check_kinds
from backlight.data.images.options import format_size
from backlight.data.splits import check_fractions
from backlight.data.wanted import AUTOENCODE
from backlight.engine import WholeBatch
from backlight.errors import InputError, whole_number
from backlight.files.asked import Asked
from backlight.files.model import Model, evaluation
from backlight.files.starting import read_start, same_question, starting_network
from backlight.files.suiting import check_target, check_until, suited_output
from backlight.network import Activation, Dropout, Network
from backlight.network.losses import check_smoothing, default_loss
from backlight.training import Trainer, Training
from backlight.training.optimizers import OPTIMIZERS, make_optimizer
from backlight.training.schedules import needs_the_end

INIT: Final = "glorot_uniform"
"""Initial weights that let the untrained network say little; He's, made for deep networks, let it say too much.

What an untrained network says about rows between the examples must be unlearned, and few examples do not do that.
"""

CODE: Final = 32
"""Units of an autoencoder's middle layer, unless others are asked for."""

DROPOUT_FROM: Final = 1_000  # training examples: below, silencing units made no difference; above, results better

PATIENCE: Final = 20  # epochs without a better validation

CLASSIC: Final[Mapping[str, Any]] = {
    "layers": (16, 16),
    "activation": "sigmoid",
    "output": "sigmoid",
    "loss": "squared",
    "init": "small_normal",
    "optimizer": "sgd",
    "lr": 3.0,
    "dropout": 0.0,
    "batch_size": 100,
}

_WITH_MOMENTUM: Final = ("momentum", "nesterov")

_TRAINED: Final = (  # settings that a trainer has by the same names
    *("loss", "lr", "schedule", "batch_size", "epochs", "seed", "threads", "engine", "until", "patience"),
    *("l1", "l2", "clip", "clip_examples", "average", "label_smoothing", "accumulate", "freeze"),
)


@dataclass(frozen=True)
class Settings(Asked):
    """How a run is to be made, and what follows from that: the network, the trainer."""

    @classmethod
    def classic(cls, data: str, **given: Any) -> "Settings":
        """The network that every article draws: sigmoid units, squared error, small random weights, plain descent.

        Args:
            data: a built-in name or a file.
            **given: settings that are not the classic ones; another optimizer takes its own learning rate and batches.
        """
        plain = given.get("optimizer", CLASSIC["optimizer"]) == CLASSIC["optimizer"]
        theirs = {name: value for name, value in CLASSIC.items() if plain or name not in ("lr", "batch_size")}
        return cls(data, **{**theirs, **given})

    def check(self) -> None:
        """Refuse what is impossible whatever the data are, so that nobody waits for them to load.

        Raises:
            InputError: a setting is unknown or impossible, or two do not go together.
        """
        self._check_optimizer()
        check_fractions(self.validation, self.test)
        self.table_options().check()
        self.options()
        if self.augment is not None:
            check_kinds(self.augment)
        if not all(isinstance(units, int) and units > 0 for units in self.layers):
            raise InputError(f"layers is {self.layers}; it must be whole numbers above 0")
        unsaid = "cross_entropy" if self.label_smoothing else ""
        suited = {"cross_entropy": "softmax", "poisson": "exponential"}.get(self.loss or unsaid, "identity")
        self._check_code()
        if self.norm is not None and not self.layers and self.task != AUTOENCODE and self.start_from is None:
            raise InputError(f"--norm {self.norm} normalises hidden units, and --layers none has none; leave it out")
        if self.freeze and self.start_from is None:
            raise InputError("--freeze keeps layers of the run that --start-from names, and none is given")
        if self.per_class is not None:
            whole_number("per_class", self.per_class, 1)
        whole_number("freeze", self.freeze, 0)
        narrow = tuple(min(units, 2) for units in self.layers)
        small = replace(self, layers=narrow, output=self.output or suited, freeze=0)
        small.trainer(small._network(1, *small.layers, 2))

    def _check_optimizer(self) -> None:
        whole = self._whole_batch() is not None
        if self.momentum is not None and (whole or self.optimizer in OPTIMIZERS.keys() - set(_WITH_MOMENTUM)):
            raise InputError(
                f"momentum is a setting of --optimizer {' and '.join(_WITH_MOMENTUM)}, "
                f"and the optimizer is {self.optimizer}"
            )
        if self.weight_decay is not None and whole:
            raise InputError(
                f"{self.optimizer} has no learning rate by which weights could decay; take the penalty --l2 instead"
            )

    def _whole_batch(self) -> WholeBatch | None:
        """The optimizer where every step takes all examples."""
        optimizer = make_optimizer(self.optimizer)
        return optimizer if isinstance(optimizer, WholeBatch) else None

    def _check_code(self) -> None:
        if self.code is not None and self.task != AUTOENCODE:
            raise InputError(
                "--code is the middle layer of an autoencoder; give --task autoencode with it, or leave it out"
            )
        if self.code is not None:
            whole_number("code", self.code, 1)
        if self.task != AUTOENCODE:
            return
        given = {"classes": self.classes, "per-class": self.per_class, "class-weights": self.class_weights}
        for name, value in given.items():
            if value:
                raise InputError(f"an autoencoder learns without labels; leave out --{name}")

    def resolved(self, dataset: Dataset) -> "Settings":
        """The settings with every choice made.

        Raises:
            InputError: two settings, or a setting and the data, do not go together.
        """
        has_validation = len(dataset.rows["validation"]) > 0
        if self.patience is not None and not has_validation:
            raise InputError("patience needs a validation part, and there is none; give --validation 0.15")
        output = self.chosen_output(dataset)
        loss = self.loss or default_loss(output)
        check_target(dataset, output, loss)
        check_smoothing(self.label_smoothing, loss)
        check_until(self.until, dataset.target)
        self.augmentation(dataset.inputs)
        whole = self._whole_batch()
        waits = has_validation and not needs_the_end(self.schedule) and (whole is None or whole.gradual)
        autoencodes = isinstance(dataset.target, Reconstruction)
        size = self.size
        if dataset.source.kind == "images" and isinstance(dataset.inputs, ImageInputs):
            size = format_size((dataset.inputs.shape[1], dataset.inputs.shape[0]))
        chosen = replace(
            self,
            size=size,
            output=output,
            loss=loss,
            init=self.init or INIT,
            lr=self.lr if self.lr is not None else _default(self.optimizer, "default_lr"),
            weight_decay=_default(self.optimizer, "weight_decay") if self.weight_decay is None else self.weight_decay,
            batch_size=self.batch_size or (100 if whole is None else "full"),
            patience=self.patience or (PATIENCE if waits else None),
        )
        if self.start_from is None:
            many = len(dataset.rows["train"]) >= DROPOUT_FROM
            rate = 0.1 * (many and bool(self.layers) and not autoencodes and not whole)
            code = (CODE if self.code is None else self.code) if autoencodes else None
            return replace(chosen, dropout=rate if self.dropout is None else self.dropout, code=code)
        network = chosen.network(dataset)
        if autoencodes and not self._starts_whole(dataset, output):
            raise InputError(
                f"{self.start_from} is no autoencoder of such data with the output {output}, so none starts from it; "
                "leave out --start-from"
            )
        chosen.trainer(network)  # refuses to freeze more layers than there are
        return replace(chosen, **_shape_of(network, autoencodes=autoencodes))

    def _starts_whole(self, dataset: Dataset, output: str) -> bool:
        """Whether the network to start from is carried over with its head."""
        start = self.start()
        return start is not None and same_question(start, dataset.target) and start.network.output == output

    def chosen_output(self, dataset: Dataset) -> str:
        """The activation of the last layer: as given, or that of the network to start from, or to suit the target.

        Args:
            dataset: the data, whose target says what the outputs will mean.
        """
        target, start = dataset.target, self.start()
        carried = start is not None and self.loss is None and not isinstance(target, Quantities)
        if self.output is None and carried and start is not None and same_question(start, target):
            return start.network.output
        return self.output or suited_output(dataset, self.loss)

    def start(self) -> Model | None:
        """The model that is started from, read from its file; None where there is none.

        Raises:
            InputError: it is missing or damaged.
        """
        return None if self.start_from is None else read_start(self.start_from)

    def network(self, dataset: Dataset) -> Network:
        """The untrained network of resolved settings."""
        target, start = dataset.target, self.start()
        if start is not None:
            assert self.output is not None
            return starting_network(start, target, output=self.output, init=self.init, seed=self.seed)
        hidden = self.layers
        if isinstance(target, Reconstruction):
            assert self.code is not None
            hidden = (*self.layers, self.code, *reversed(self.layers))
        sizes = target.sizes if isinstance(target, SeveralClasses) else ()
        return self._network(dataset.inputs.width, *hidden, target.width, sizes=sizes)

    def _network(self, *widths: int, sizes: tuple[int, ...] = ()) -> Network:
        assert self.output is not None
        return Network.mlp(
            *widths,
            hidden=self.activation,
            output=self.output,
            sizes=sizes,
            init=self.init,
            norm=self.norm,
            dropout=self.dropout or 0.0,
            seed=self.seed,
        )

    def augmentation(self, inputs: Inputs) -> Augmentation | None:
        """How training examples with such inputs are varied.

        Raises:
            InputError: it is not for such inputs.
        """
        return None if self.augment is None else augmentation_for(self.augment, inputs)

    def trainer(self, network: Network, inputs: Inputs | None = None) -> Trainer:
        """The trainer of resolved settings.

        Args:
            network: the network.
            inputs: what it learns from; without them, nothing is augmented.
        """
        given = {"momentum": self.momentum, "weight_decay": self.weight_decay}
        optimizer = make_optimizer(self.optimizer, **{k: v for k, v in given.items() if v is not None})
        same = {name: getattr(self, name) for name in _TRAINED}
        augment = None if inputs is None else self.augmentation(inputs)
        return Trainer(network, optimizer=optimizer, evaluate_untrained=True, augment=augment, **same)

    def training(self, dataset: Dataset, learnt: Ints, watched: Ints) -> Training:
        """A training of resolved settings that has taken no step.

        Args:
            dataset: the data.
            learnt: the rows to learn from (m,).
            watched: the rows to measure after every epoch; none where it is empty.
        """
        validation = evaluation(dataset.target, dataset.x, dataset.y, watched) if len(watched) else None
        trainer = self.trainer(self.network(dataset), dataset.inputs)
        return trainer.start(dataset.x, dataset.y, rows=learnt, validation=validation, sample_weight=dataset.weights)


def _shape_of(network: Network, *, autoencodes: bool) -> dict[str, Any]:
    """The settings that describe the hidden layers of a network."""
    units = [layer.units for _, layer, _ in network.dense_layers()]
    if autoencodes:
        half = len(units) // 2
        shape: dict[str, Any] = {"layers": tuple(units[: half - 1]), "code": units[half - 1]}
    else:
        shape = {"layers": tuple(units[:-1])}
    functions = [layer.function for layer in network.layers[:-1] if isinstance(layer, Activation)]
    rates = [layer.rate for layer in network.layers if isinstance(layer, Dropout)]
    return {
        **shape,
        "activation": functions[0] if functions else "identity",
        "norm": "batch" if network.coupled else ("layer" if any(network.norm_layers()) else None),
        "dropout": rates[0] if rates else 0.0,
    }


def _default(optimizer: str, setting: str) -> float | None:
    value = getattr(make_optimizer(optimizer), setting, None)
    return None if value is None else float(value)
