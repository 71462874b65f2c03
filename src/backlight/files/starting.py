"""Starting from another run: its first layers and its preparation of inputs, with a new head for another question.

Of a network that was trained to classify or to predict quantities, all but the last dense layer are carried over; of an
autoencoder its encoder, the layers up to the code. The head, the last dense layer with the output, is kept where the
new data ask the very same question.
"""

from dataclasses import replace
from pathlib import Path

from backlight.data import Dataset, Quantities, Reconstruction, SeveralClasses, Target
from backlight.errors import InputError
from backlight.files.model import MODEL, Model
from backlight.network import Network
from backlight.network.transfer import first_layers, with_new_head


def start_file(path: str | Path) -> Path:
    """The model file of a run's folder, or the file itself.

    Raises:
        InputError: there is none.
    """
    path = Path(path)
    if path.is_file():
        return path
    if not path.is_dir():
        raise InputError(f"there is no run folder {path} to start from")
    if not (path / MODEL).is_file():
        raise InputError(
            f"{path} cannot be started from: it has no {MODEL}; its training has not ended, or it is no run"
        )
    return path / MODEL


def read_start(path: str | Path) -> Model:
    """The model of a run, or of a model file, that is started from.

    Raises:
        InputError: it is missing or damaged.
    """
    return Model.load(start_file(path))


def depth(network: Network) -> int:
    """How many dense layers a network has."""
    return sum(1 for _ in network.dense_layers())


def encoder(model: Model) -> Network:
    """The layers of an autoencoder up to its code, which is its middle layer.

    Raises:
        InputError: the model is no autoencoder.
    """
    if not isinstance(model.target, Reconstruction):
        raise InputError(f"the model of {model.data} is no autoencoder, so it has no code; train one with --code")
    return first_layers(model.network, depth(model.network) // 2)


def trunk(model: Model) -> Network:
    """What is carried over of a model where the question is another.

    Raises:
        InputError: it has no hidden layer.
    """
    if isinstance(model.target, Reconstruction):
        return encoder(model)
    if depth(model.network) == 1:
        raise InputError("the network to start from has no hidden layer, so there is nothing to carry over")
    return first_layers(model.network, depth(model.network) - 1)


def same_question(model: Model, target: Target) -> bool:
    """Whether a target is what the model answers already: the same classes, labels or quantities, in the same order."""
    old = model.target
    if type(old) is not type(target) or model.network.outputs != target.width:
        return False
    if isinstance(old, SeveralClasses) and isinstance(target, SeveralClasses):
        return [question.names for question in old.targets] == [question.names for question in target.targets]
    return old.names == target.names


def starting_network(model: Model, target: Target, *, output: str, init: str | None, seed: int) -> Network:
    """The network that begins with a model's layers, before it is trained.

    Args:
        model: what is started from.
        target: what the network's outputs will mean.
        output: the activation of its last layer; another than the model's has a new head.
        init: the new head's initializer.
        seed: of the new head's weights.

    Raises:
        InputError: the model has no layer to carry over.
    """
    if same_question(model, target) and model.network.output == output:
        return model.network.copy()
    sizes = target.sizes if isinstance(target, SeveralClasses) else ()
    return with_new_head(trunk(model), target.width, output=output, sizes=sizes, init=init, seed=seed)


def in_old_units(model: Model, dataset: Dataset, output: str) -> Dataset:
    """The data with quantities standardised as the model knows them, where its head is kept."""
    old, new = model.target, dataset.target
    kept = same_question(model, new) and model.network.output == output
    if not kept or not isinstance(old, Quantities) or not isinstance(new, Quantities) or old == new:
        return dataset
    return replace(dataset, y=old.encode(new.decode(dataset.y)), target=old)


def start_from(
    run: Model | str | Path,
    outputs: int,
    *,
    output: str = "softmax",
    init: str | None = None,
    seed: int = 0,
) -> Network:
    """A network that begins with the first layers of a run's and ends in a new head, ready to be trained.

    Train it with `Trainer(network, freeze=N)` to keep its first N layers as they are.

    Args:
        run: a run's folder, a model file, or a model.
        outputs: of the new network.
        output: the activation of its last layer.
        init: the initializer of its last layer; the one that suits the output unless given.
        seed: of the last layer's weights.

    Raises:
        InputError: there is no such run, or it has no hidden layer.

    Example:
        >>> from backlight.data import ArrayInputs, Classes
        >>> network = Network.mlp(2, 16, 8, 3, seed=1)
        >>> inputs = ArrayInputs((2,), "float32", (0.0, 0.0), (1.0, 1.0))
        >>> start_from(Model(network, "cross_entropy", "spiral", inputs, Classes(("0", "1", "2"))), 2)
        Network 2-16-8-2, relu, softmax, 202 parameters in float32
    """
    model = run if isinstance(run, Model) else read_start(run)
    return with_new_head(trunk(model), outputs, output=output, init=init, seed=seed)
