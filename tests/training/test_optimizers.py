from pathlib import Path

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.network import Network
from backlight.training import Adagrad, Adam, AdamW, Momentum, Nesterov, RMSProp, Trainer, make_optimizer
from tests import cases

GOLDEN = Path(__file__).parents[1] / "golden" / "training.npz"
GRADIENTS = list(cases.some((12, 9), 3))


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_updates_are_those_of_the_definition(name):
    case = cases.OPTIMIZERS[name]
    state = case.optimizer.initial_state(9, np.dtype("float64"))
    assert all(not array.any() and array.shape == (9,) for array in state.values())
    for step in range(len(GRADIENTS)):
        updates, grads = np.full(9, np.nan), GRADIENTS[step].copy()
        case.optimizer.update(grads, state, step, case.lr, updates, np.full(9, np.nan))
        np.testing.assert_allclose(updates, case.update(GRADIENTS[: step + 1], case.lr), rtol=1e-11)  # roundings
        assert np.array_equal(grads, GRADIENTS[step])


@pytest.mark.parametrize("name", cases.OPTIMIZERS)
def test_float32_stays_float32(name):
    optimizer = cases.OPTIMIZERS[name].optimizer
    state = optimizer.initial_state(9, np.dtype("float32"))
    updates = np.empty(9, np.float32)
    optimizer.update(GRADIENTS[0].astype(np.float32), state, 0, 0.1, updates, np.empty(9, np.float32))
    assert {array.dtype for array in state.values()} <= {np.dtype("float32")}
    np.testing.assert_allclose(updates, cases.OPTIMIZERS[name].update(GRADIENTS[:1], 0.1), rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "optimizer", "lr"),
    [
        ("sgd", make_optimizer("sgd"), 0.5),
        ("sgd with decay", make_optimizer("sgd", weight_decay=0.02), 0.5),
        ("momentum", Momentum(0.9), 0.1),
        ("nesterov", Nesterov(), 0.1),
        ("adagrad", Adagrad(), 0.1),
        ("rmsprop", RMSProp(), 0.02),
        ("adam", Adam(), 0.05),
        ("adam with decay", Adam(weight_decay=0.02), 0.05),
        ("adamw", AdamW(), 0.05),
    ],
)
@pytest.mark.parametrize("engine", cases.ENGINES)
def test_fifty_steps_end_where_pytorch_ends(name, optimizer, lr, engine):
    with np.load(GOLDEN, allow_pickle=False) as golden:
        network = Network.mlp(4, 5, 3, hidden="tanh", dtype="float64")
        network.params[...] = golden["start"]
        trainer = Trainer(network, optimizer=optimizer, lr=lr, batch_size="full", epochs=50, engine=engine)
        for _ in trainer.run(golden["x"], golden["y"]):
            pass
        # fifty steps amplify roundings of 1e-16; the promise is 1e-6
        np.testing.assert_allclose(network.params, golden[name], rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("adm", {}, r"there is no optimizer 'adm'; did you mean 'adam'\?"),
        ("sgd", {"momentum": 0.9}, "the optimizer sgd has no setting 'momentum'; it has weight_decay"),
        ("adam", {"beta1": 0.9}, "the optimizer adam has no setting 'beta1'; it has b1, b2, eps, weight_decay"),
        ("adam", {"eps": -1.0}, "eps is -1.0; it must be a finite number of at least 0"),
        ("momentum", {"momentum": 1.0}, "momentum is 1.0; it must be a finite number of at least 0 and below 1"),
        ("momentum", {"momentum": -0.1}, "momentum is -0.1"),
        ("nestorov", {}, r"there is no optimizer 'nestorov'; did you mean 'nesterov'\?"),
        ("nesterov", {"momentum": 1.0}, "momentum is 1.0"),
        ("adagrad", {"eps": -1.0}, "eps is -1.0"),
        ("adagrad", {"momentum": 0.9}, "the optimizer adagrad has no setting 'momentum'; it has eps, weight_decay"),
        ("rmsprop", {"b2": 1.0}, "b2 is 1.0"),
        ("rmsprop", {"eps": float("nan")}, "eps is nan"),
        ("adam", {"b1": 1.0}, "b1 is 1.0"),
        ("adam", {"b2": 1.5}, "b2 is 1.5"),
        ("sgd", {"weight_decay": -1.0}, "weight_decay is -1.0; it must be a finite number of at least 0"),
        ("momentum", {"weight_decay": float("nan")}, "weight_decay is nan"),
        ("adam", {"weight_decay": float("inf")}, "weight_decay is inf"),
    ],
)
def test_impossible_settings_are_refused(name, settings, message):
    with pytest.raises(InputError, match=message):
        make_optimizer(name, **settings)
