"""Nothing of a batch's size is allocated in the batch loop; the compiled engine takes its memory when it opens."""

import os
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.engine import Stretch, row_source
from backlight.network import Activation, Dense, Dropout, Network
from backlight.training import Adam
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem

BATCH, UNITS, ROWS = 256, 300, 2048
OTHER = [name for name in cases.ACTIVATIONS if name not in ("relu", "gelu", "elu")]


def peak(
    engine: str, layers: list[str], output: str, loss: str, *, weighted: bool = False, source: str = "uint8"
) -> int:
    """How many bytes 200 steps needed at most, beyond what the session held before."""
    stack = [
        Dense(40, UNITS),
        *(part for name in layers for part in (Activation(name), Dropout(0.2), Dense(UNITS, UNITS))),
    ]
    network = Network([*stack, Activation("tanh"), Dense(UNITS, 10), cases.ending(output, 10)])
    x = (255 * np.abs(np.sin(np.arange(ROWS * 40)))).reshape(ROWS, 40).astype(source)
    y: Any = cases.LOSSES[loss].targets(output, ROWS, 10, 0)
    y = cases.class_indices(output, y) if loss == "cross_entropy" and output != "logistic" else y
    weight = np.ones(ROWS) if weighted else None
    problem = Problem(network, loss, x, y)
    session = problem.session(BATCH, optimizer=Adam(weight_decay=0.1), weight=weight, engine=engine)
    order = np.random.default_rng(0).permutation(ROWS)
    tracemalloc.start()
    try:
        session.advance(Stretch(order, BATCH, 0, 8, 0, 0, 1e-6))
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        for epoch in range(1, 6):
            assert session.advance(Stretch(order, BATCH, 0, 8, epoch, 8 * epoch, 1e-6)).finite
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


@EVERY_ENGINE
@pytest.mark.parametrize("source", ["uint8", "float64"])
@pytest.mark.parametrize("weighted", [False, True])
def test_a_batch_is_worked_through_without_allocation(engine, source, weighted):
    one_array = 4 * BATCH * UNITS
    # NumPy converts dtypes through buffers of 8192 numbers, whatever the size of the arrays
    grown = peak(engine, ["relu", "gelu", "elu"], "softmax", "cross_entropy", weighted=weighted, source=source)
    assert grown < one_array / 3


@EVERY_ENGINE
def test_nor_do_outputs_in_groups_allocate(engine):
    assert peak(engine, ["relu"], cases.GROUPED, "cross_entropy") < 4 * BATCH * UNITS / 3


@pytest.mark.parametrize("name", OTHER)
def test_nor_do_the_other_activations_allocate(name):
    assert peak("reference", [name], "logistic", "cross_entropy") < 4 * BATCH * UNITS / 3


def test_the_measurement_sees_an_allocation(monkeypatch):
    """A test of the test: one copy of a batch's activations is noticed."""
    from backlight.engine import parts

    true = parts.DensePart.forward
    monkeypatch.setattr(parts.DensePart, "forward", lambda self, x, draws: true(self, x.copy(), draws))
    assert peak("reference", ["relu"], "softmax", "cross_entropy") > 4 * BATCH * UNITS


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="asks Linux")
def test_a_closed_session_gives_its_memory_back():
    """The compiled engine's memory is no memory of Python's: the process is asked.

    First so many sessions come and go that what watches memory, and keeps a quarter of a gigabyte of what was freed
    from being used again, has its share.
    """

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    network = Network([Dense(20, 1000), Activation("relu"), Dense(1000, 10)])
    x, before = np.ones((2000, 20), np.uint8), 0
    for repetition in range(40):
        session = Problem(network, "squared", x, np.zeros((2000, 10))).session(2000, engine="native")
        session.advance(Stretch(np.arange(2000), 2000, 0, 1, 0, 0, 1e-6))
        session.outputs(row_source(x[:10]))
        del session
        before = resident() if repetition == 24 else before
    one_session = 2 * 4 * 2000 * 1000  # at least: activations and deltas of a batch
    assert resident() - before < 5 * one_session
