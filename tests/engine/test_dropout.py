"""Both engines draw dropout's masks alike, bit by bit: those of Philox, whose known answers are tested elsewhere."""

from typing import Any

import numpy as np
import pytest

from backlight.engine import Stretch
from backlight.network import Activation, Dense, Draws, Dropout, Network
from backlight.network.layers import DropoutMask, Layer
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem

ROWS = 67


def transparent(units: int, rate: float, dtype: Any) -> Problem:
    """Two layers that pass ones through, with dropout between them: the outputs are its factors."""
    network = Network([Dense(units, units), Dropout(rate), Dense(units, units)], dtype=dtype)
    for _, layer, _ in network.dense_layers():
        layer.W[...] = np.eye(units)
    return Problem(network, "squared", np.ones((ROWS, units)), np.zeros((ROWS, units)))


@EVERY_ENGINE
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("units", [1, 3, 4, 9, 16, 37, 100])
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.999])
def test_factors_are_those_of_the_definition(engine, dtype, units, rate):
    p = transparent(units, rate, dtype)
    every, some = np.arange(ROWS), np.array([66, 7, 7])
    for seed, epoch, rows in ((0, 0, every), (2**64 - 1, 70_000, every[::-1]), (5, 3, some)):
        expected = np.empty((len(rows), units), dtype)
        DropoutMask(expected.shape).fill(expected, rate, Draws(seed, epoch, rows), layer=1)
        session = p.session(len(rows), engine=engine, seed=seed)
        assert np.array_equal(session.deltas(rows, epoch).outputs, expected)
        assert (session.deltas(rows).outputs == 1).all()
        assert (session.outputs(session.examples.source, rows) == 1).all()


def test_a_silent_unit_passes_nothing_back():
    p = transparent(37, 0.5, "float64")
    found = [p.session(engine=engine, seed=1).deltas(np.arange(ROWS), 2) for engine in cases.ENGINES]
    for deltas in found:
        assert np.array_equal(deltas.deltas[0] == 0, deltas.incoming[2] == 0)
    assert np.array_equal(found[0].deltas[0], found[1].deltas[0])


@pytest.mark.parametrize("layers", [name for name in cases.LAYERS if "dropout" in name])
def test_training_draws_anew_in_every_epoch_and_alike_in_both_engines(layers):
    """A single differing draw would show: 30 steps agree to the order in which numbers are added up."""
    found = []
    for engine in cases.ENGINES:
        network = cases.network_of(layers, "softmax")
        p = Problem(network, "cross_entropy", cases.some((ROWS, 5), 1), np.arange(ROWS) % 3)
        session = p.session(7, engine=engine, seed=9)
        for epoch in range(3):
            session.advance(Stretch(np.arange(ROWS)[::-1], 7, 0, 10, epoch, 10 * epoch, 0.1))
        found.append(network.params)
    np.testing.assert_allclose(found[0], found[1], rtol=1e-11, atol=1e-12)


def test_many_elementwise_layers_in_a_row():
    """Dropouts and activations that follow one another, each with a memory of its own where it needs one."""

    def kinds() -> list[Layer]:
        return [Activation("sigmoid"), Activation("tanh"), Dropout(0.2), Activation("softplus"), Dropout(0.1)]

    found = []
    for engine in cases.ENGINES:
        network = Network([Dense(5, 9), *kinds(), *kinds(), Dense(9, 3), *kinds()], dtype="float64")
        p = Problem(network, "squared", cases.some((ROWS, 5), 1), cases.some((ROWS, 3), 2))
        session = p.session(engine=engine, seed=9)
        found.append([*session.gradients(np.arange(ROWS), 4), *session.losses(session.examples)])
    for own, expected in zip(*found, strict=True):
        np.testing.assert_allclose(own, expected, rtol=1e-11, atol=1e-13)
