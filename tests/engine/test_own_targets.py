"""Examples that are their own targets: the same bits as with the targets given, and no copy of them."""

import tracemalloc
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backlight.engine import Examples, Session, Stretch, native, open_session, row_source
from backlight.engine.native import NativeSession
from backlight.network import Network
from backlight.training import Adam
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem, compiled

ROWS = 29


def drawn(inputs: int, source: str, dtype: str, output: str, norm: str | None = None) -> Problem:
    x = np.clip(np.abs(cases.some((ROWS, inputs), 3)) / 3, 0, 1)
    x = (255 * x).astype(np.uint8) if source == "uint8" else x.astype(source)
    given: Any = {"output": output, "norm": norm, "dropout": 0.2, "dtype": dtype}
    network = Network.mlp(inputs, 7, inputs, hidden="tanh", seed=2, **given)
    return Problem(network, "cross_entropy" if output == "logistic" else "squared", x, None)


def opened(p: Problem, engine: str, *, own: bool, weight: Any = None) -> Session:
    """A session in which the inputs are the targets, or one that was given them as the network sees them."""
    source = row_source(p.x)
    y = Examples(source, None).targets(dtype=p.network.dtype)
    given = replace(p, y=y).task(8, optimizer=Adam(weight_decay=0.1), seed=4, weight=weight)
    return open_session(engine, replace(given, examples=replace(given.examples, y=None)) if own else given)


def outcome(p: Problem, engine: str, *, own: bool, weight: Any = None) -> list[bytes]:
    p = p.copied()
    session = opened(p, engine, own=own, weight=weight)
    rows = np.arange(ROWS)[::-1]
    found = [
        *session.gradients(rows[: 8 if p.network.coupled else 9], 2),
        *session.losses(session.examples),
        *session.losses(session.examples, rows),
    ]
    deltas = session.deltas(rows)
    found += [deltas.losses, *deltas.deltas.values()]
    advance = session.advance(Stretch(rows, 8, 0, 4, 1, 0, 0.1))
    return [array.tobytes() for array in (*found, advance.objectives, p.network.params)]


@EVERY_ENGINE
@pytest.mark.parametrize("source", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("inputs", "output"), [(1, "identity"), (16, "logistic"), (35, "identity"), (35, "logistic")])
def test_own_targets_are_the_targets_as_given(engine, source, dtype, inputs, output):
    p = drawn(inputs, source, dtype, output)
    assert outcome(p, engine, own=True) == outcome(p, engine, own=False)


@EVERY_ENGINE
@pytest.mark.parametrize("norm", ["batch", "layer"])
def test_normalised_too(engine, norm):
    p = drawn(16, "uint8", "float32", "logistic", norm)
    p.network.params[...] += 0.1  # so that running statistics are not those at the start
    assert outcome(p, engine, own=True) == outcome(p, engine, own=False)


@EVERY_ENGINE
def test_with_weights_and_in_several_passes(monkeypatch, engine):
    monkeypatch.setattr(native, "CHUNK", 3)
    monkeypatch.setattr("backlight.engine.reference.CHUNK", 3)
    p, weight = drawn(35, "uint8", "float32", "logistic"), np.arange(ROWS) / 14
    assert outcome(p, engine, own=True, weight=weight) == outcome(p, engine, own=False, weight=weight)


def test_targets_of_some_rows():
    x = np.array([[0, 255], [51, 102]], np.uint8)
    examples = Examples(row_source(x), None)
    assert examples.targets(np.array([1])).tolist() == [[0.2, 0.4]]
    assert examples.targets(dtype=np.float32).dtype == np.float32
    assert Examples(row_source(x), np.array([3, 4])).targets(np.array([1])).tolist() == [4]


@EVERY_ENGINE
def test_no_copy_of_the_targets_is_made(engine):
    p = drawn(300, "uint8", "float32", "logistic")
    x = np.zeros((20_000, 300), np.uint8)
    network = p.network
    task = replace(p, x=x, y=np.zeros((20_000, 1))).task(8)
    tracemalloc.start()
    try:
        session = open_session(engine, replace(task, examples=Examples(row_source(x), None)))
        session.advance(Stretch(np.arange(20_000), 8, 0, 3, 0, 0, 0.1))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert network.params.size < 10_000
    assert peak < x.nbytes / 4  # as float32 they would take four times as much as the bytes


@pytest.mark.parametrize("frozen", [frozenset(), frozenset({0})])
def test_the_same_bits_for_any_number_of_threads(frozen):
    found = set()
    for crew in (1, 2, 3):
        p = drawn(35, "uint8", "float32", "logistic")
        task = replace(p, y=np.zeros((ROWS, 1))).task(8, optimizer=Adam(), seed=4)
        session = NativeSession(compiled(), replace(task, examples=replace(task.examples, y=None)), crew=crew)
        session.advance(Stretch(np.arange(ROWS), 8, 0, 4, 1, 0, 0.1, frozen=frozen))
        found.add(p.network.params.tobytes())
    assert len(found) == 1
