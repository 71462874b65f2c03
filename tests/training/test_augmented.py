"""A training whose examples are varied: by its definition, replayed, and never measured on varied examples."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backlight import Augmentation
from backlight.errors import InputError
from backlight.network import Draws, Network
from backlight.randomness import Purpose, permutation
from backlight.training import EpochRecord, Trainer, evaluate, replay
from backlight.training.trainer import Evaluation
from tests import cases
from tests.engine.drawn import EVERY_ENGINE

SHAPE, ROWS, SEED = (6, 5), 30, 11
X = np.rint(255 * np.random.default_rng(4).random((ROWS, 30))).astype(np.uint8)
Y = np.arange(ROWS) % 3
IMAGES = Augmentation(SHAPE, **cases.IMAGE_AUGMENTATIONS["all"])


def trainer(engine: str = "auto", **given: Any) -> Trainer:
    network = Network.mlp(30, 6, 3, hidden="tanh", dropout=0.2, seed=0, dtype="float64")
    given = {"epochs": 3, "batch_size": 7, "seed": SEED, "optimizer": "sgd", "lr": 0.1, "augment": IMAGES, **given}
    return Trainer(network, engine=engine, **given)


@EVERY_ENGINE
def test_training_is_the_plain_loop_over_varied_examples(engine):
    asked, plain = trainer(engine), trainer().network
    for epoch in range(asked.epochs):
        order = permutation(SEED, Purpose.SHUFFLING, ROWS, place=(epoch, 0))
        for start in range(0, ROWS, 7):
            rows = order[start : start + 7]
            x = IMAGES.changed(X[rows] / 255.0, seed=SEED, epoch=epoch, rows=rows)
            backward = plain.backward(plain.forward(x, Draws(SEED, epoch, rows)), Y[rows])
            plain.params -= 0.1 * backward.gradient()
    for _ in asked.run(X, Y):
        pass
    np.testing.assert_allclose(asked.network.params, plain.params, rtol=1e-9, atol=1e-10)


@EVERY_ENGINE
@pytest.mark.parametrize("step", [1, 7, 11, 15])
def test_any_moment_is_computed_again_to_the_same_bits(engine, step):
    whole = trainer(engine).start(X, Y)
    states = [whole.state()]
    for k in range(15):
        whole.advance_to(k + 1)
        states.append(whole.state())
    for checkpoint in (None, states[step // 2]):
        again = replay(trainer(engine).start(X, Y), step, checkpoint)
        assert again.params.tobytes() == states[step].params.tobytes()


@EVERY_ENGINE
def test_what_is_measured_is_not_varied(engine):
    asked = trainer(engine, evaluate_untrained=True)
    for record in asked.run(X, Y, validation=(X, Y)):
        if isinstance(record, EpochRecord):
            assert record.validation == pytest.approx(evaluate_all(asked.network), rel=1e-12)


def evaluate_all(network: Network) -> dict[str, Any]:
    return {k: v for k, v in evaluate(network, Evaluation(X, Y)).items() if k != "confusion"}


def test_varied_training_differs_from_plain_training():
    found = set()
    for augment in (None, IMAGES, Augmentation(SHAPE, noise=0.1), Augmentation(noise=0.1, columns=0.1)):
        asked = replace(trainer(), augment=augment)
        for _ in asked.run(X, Y):
            pass
        found.add(asked.network.params.tobytes())
    assert len(found) == 4


@pytest.mark.parametrize(
    ("augment", "told"),
    [
        (Augmentation((5, 5)), "for images of shape (5, 5), and the network takes 30 inputs"),
        (Augmentation(column=(0, 1)), "for 2 inputs, and the network takes 30 inputs"),
        (Augmentation(noisy=(True,) * 31), "for 31 inputs, and the network takes 30 inputs"),
    ],
)
def test_an_augmentation_of_other_inputs_is_refused(augment, told):
    with pytest.raises(InputError, match=r".*") as refused:
        trainer(augment=augment)
    assert told in str(refused.value)
