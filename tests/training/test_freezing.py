"""Frozen layers keep their bits, and no error is passed back to them."""

from typing import Any

import numpy as np
import pytest

from backlight import Network, Trainer
from backlight.engine import normalising, parts
from backlight.errors import InputError
from backlight.training import SGD, Adam, Momentum, replay
from tests import cases

X = cases.some((40, 5), 1).astype(np.float32)
Y = np.arange(40) % 3
OPTIMIZERS = {
    "sgd": SGD(weight_decay=0.1),
    "momentum": Momentum(weight_decay=0.1),
    "adam": Adam(weight_decay=0.1),
}


def made(norm: str | None = None) -> Network:
    return Network.mlp(5, 33, 8, 3, hidden="tanh", norm=norm, dropout=0.2, seed=1)


def trainer(network: Network, **given: object) -> Trainer:
    return Trainer(network, **{"batch_size": 7, "epochs": 3, "lr": 0.1, **given})  # type: ignore[arg-type]


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("freeze", [0, 1, 2])
def test_the_first_layers_keep_their_bits(engine, name, freeze):
    network, start = made(), made().params
    for _ in trainer(network, optimizer=OPTIMIZERS[name], engine=engine, freeze=freeze).run(X, Y):
        pass
    for number, (_, _, place) in enumerate(network.dense_layers()):
        assert (network.params[place].tobytes() == start[place].tobytes()) == (number < freeze)
        assert (network.params[place] != start[place]).any() == (number >= freeze)


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("norm", ["batch", "layer"])
@pytest.mark.parametrize("freeze", [1, 2])
def test_so_do_their_normalisations(engine, norm, freeze):
    network, start = made(norm), made(norm).params
    for _ in trainer(network, engine=engine, freeze=freeze, average=0.9, l2=0.1).run(X, Y):
        pass
    begins = [place.start for _, _, place in network.dense_layers()]
    border = begins[freeze]
    assert network.params[:border].tobytes() == start[:border].tobytes()
    for _, _, place in network.norm_layers():
        assert (place.start > border) == (network.params[place] != start[place]).all()


@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_no_error_is_passed_back_to_frozen_normalisations(monkeypatch, norm):
    passed: list[int] = []
    whole = normalising.Norm.backward

    def noted(part: Any, errors: Any) -> Any:
        passed.append(part.layer)
        return whole(part, errors)

    monkeypatch.setattr(normalising.Norm, "backward", noted)
    for _ in trainer(made(norm), engine="reference", freeze=1, batch_size=40, epochs=1).run(X, Y):
        pass
    assert passed == [4]


@pytest.mark.parametrize("freeze", [0, 1, 2])
def test_no_error_is_passed_back_to_frozen_layers(monkeypatch, freeze):
    """Of three dense layers, the reference passes errors back through those above the lowest that learns."""
    passed: list[int] = []
    whole = parts.DensePart.backward

    def noted(layer: Any, errors: Any) -> Any:
        passed.append(layer.layer)
        return whole(layer, errors)

    monkeypatch.setattr(parts.DensePart, "backward", noted)
    for _ in trainer(made(), engine="reference", freeze=freeze, batch_size=40, epochs=1).run(X, Y):
        pass
    assert passed == [6, 3][: 2 - freeze]


@pytest.mark.parametrize("engine", cases.ENGINES)
def test_a_replay_freezes_the_same_layers(engine):
    network = made()
    training = trainer(network, engine=engine, freeze=1).start(X, Y)
    for _ in training.records():
        pass
    again = made()
    state = replay(trainer(again, engine=engine, freeze=1).start(X, Y), training.step)
    assert state.params.tobytes() == network.params.tobytes()


@pytest.mark.parametrize(
    ("freeze", "message"),
    [
        (3, "freeze is 3, and the network has 3 layers with weights, of which one at least must learn; give 0 to 2"),
        (99, "freeze is 99, and the network has 3 layers"),
        (-1, "freeze is -1; it must be a whole number of at least 0"),
        (1.5, "freeze is 1.5; it must be a whole number"),
    ],
)
def test_impossible_numbers_are_refused(freeze, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        trainer(made(), freeze=freeze)
