"""The native engine gives the same bits for any number of threads, however its steps are asked for."""

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.engine import Stretch, native, row_source
from backlight.engine.native import NativeSession
from backlight.network import Activation, BatchNorm, Dense, Dropout, LayerNorm, Network
from backlight.network.layers import Layer
from tests import cases
from tests.engine.drawn import Problem

ROWS = 131
CREWS = (2, 3, 4)
SOURCES = {
    "odd": "float32",
    "narrow": "uint8",
    "dropout": "float64",
    "wide": "float32",
    "many inputs": "uint8",
    "groups": "float32",
    "batch norm": "float32",
    "layer norm": "float32",
    "light norms": "uint8",
}
RECORDED = SOURCES.keys() - {"batch norm", "light norms"}  # an example of a normalised batch says nothing of its own

# the last batch holds 15 examples, or 3, or 1: each goes another way through the engine
BATCHES = dict(zip(SOURCES, (29, 64, 26, 58, 65, 29, 29, 26, 65), strict=True))

PERCEPTRONS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "odd": ((37, 50, 33, 7), {"hidden": "gelu", "seed": 1}),
    "narrow": ((784, 16, 16, 10), {"hidden": "sigmoid", "output": "logistic", "seed": 2}),
    "dropout": ((19, 41, 23, 3), {"hidden": "elu", "dropout": 0.3, "seed": 3}),
    # whole panels and an edge, whatever the vector's width
    "wide": ((20, 133, 131, 5), {"hidden": "relu", "output": "identity", "seed": 4}),
    "groups": ((40, 30, 75), {"hidden": "tanh", "sizes": (36, 2, 37), "seed": 6}),
    "batch norm": ((37, 133, 131, 5), {"hidden": "gelu", "norm": "batch", "dropout": 0.2, "seed": 7}),
    "layer norm": ((37, 133, 131, 5), {"hidden": "gelu", "norm": "layer", "dropout": 0.2, "seed": 7}),
}


def _network(name: str, dtype: Any) -> Network:
    if name in PERCEPTRONS:
        widths, given = PERCEPTRONS[name]
        return Network.mlp(*widths, dtype=dtype, **given)
    if name == "light norms":
        first: list[Layer] = [Dense(784, 13), BatchNorm(13), Activation("relu"), Dense(13, 20), LayerNorm(20)]
        second: list[Layer] = [Activation("tanh"), Dense(20, 19), BatchNorm(19), Dense(19, 10), Activation("softmax")]
        return Network([*first, *second], seed=8, dtype=dtype)
    layers: list[Layer] = [Dense(1500, 40), Dropout(0.1), Activation("tanh"), Dense(40, 66), Activation("softmax")]
    return Network(layers, seed=5, dtype=dtype)


def made(name: str, dtype: Any) -> Problem:
    """A problem of that name; the same whenever it is made."""
    network = _network(name, dtype)
    x = cases.some((ROWS, network.inputs), 6)
    x = np.abs(100 * x).astype("uint8") if SOURCES[name] == "uint8" else x.astype(SOURCES[name])
    loss = network.objective().loss
    if network.sizes:
        return Problem(network, loss, x, np.arange(ROWS)[:, None] % np.array(network.sizes))
    if network.output == "softmax":
        return Problem(network, loss, x, np.arange(ROWS) % network.outputs)
    return Problem(network, loss, x, cases.LOSSES[loss].targets(network.output, ROWS, network.outputs, 7))


def bits(*arrays: Any) -> tuple[bytes, ...]:
    return tuple(array.tobytes() for array in arrays)


def advanced(session: NativeSession, batch_size: int, lr: float, epochs: int = 3) -> tuple[bytes, ...]:
    """The bits that some epochs leave behind."""
    count, found = -(-ROWS // batch_size), []
    for epoch in range(epochs):
        order = np.random.default_rng(epoch).permutation(ROWS)
        advance = session.advance(Stretch(order, batch_size, 0, count, epoch, epoch * count, lr))
        assert advance.finite
        assert len(advance.objectives) == count
        assert (advance.examples is None) == session.program.coupled
        found.append(advance.objectives)
        if advance.examples is not None:
            found += [advance.examples.losses, advance.examples.squared_norms]
    return bits(session.params, *session.state.values(), *found)


def said(session: NativeSession) -> tuple[bytes, ...]:
    """The bits of everything that a session can be asked for."""
    found: list[Any] = []
    for rows in (np.arange(60)[::-1], np.array([130, 4, 4]), np.array([9])):
        for epoch in (None, 2):
            deltas = session.deltas(rows, epoch)
            found += [*session.gradients(rows, epoch), deltas.losses, deltas.outputs]
            found += [*deltas.deltas.values(), *deltas.incoming.values()]
        found += [*session.losses(session.examples, rows), session.outputs(session.examples.source, rows)]
    return bits(*found, session.outputs(row_source(session.examples.source.array[:77])))


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", cases.OPTIMIZERS)
def test_training_gives_the_same_bits_for_any_number_of_threads(name, dtype, optimizer):
    case = cases.OPTIMIZERS[optimizer]
    batch_size = BATCHES[name]
    given: dict[str, Any] = {"optimizer": case.optimizer, "seed": 8, "record_examples": name in RECORDED}
    expected = advanced(made(name, dtype).crewed(1, batch_size, **given), batch_size, case.lr / 10)
    for crew in CREWS:
        assert advanced(made(name, dtype).crewed(crew, batch_size, **given), batch_size, case.lr / 10) == expected


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_so_do_small_batches(name, dtype, batch_size):
    given: dict[str, Any] = {"seed": 8, "optimizer": cases.OPTIMIZERS["adam"].optimizer}
    given["record_examples"] = name in RECORDED
    one, several = (made(name, dtype).crewed(crew, batch_size, **given) for crew in (1, 3))
    assert advanced(several, batch_size, 1e-3, 1) == advanced(one, batch_size, 1e-3, 1)


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_measuring_gives_the_same_bits_for_any_number_of_threads(name, dtype):
    expected = said(made(name, dtype).crewed(1, 60))
    for crew in CREWS:
        assert said(made(name, dtype).crewed(crew, 60)) == expected


@pytest.mark.parametrize("optimizer", ["sgd with decay", "adam"])
def test_batches_in_chunks_give_the_same_bits_for_any_number_of_threads(monkeypatch, optimizer):
    monkeypatch.setattr(native, "CHUNK", 11)
    monkeypatch.setattr(native, "_EVALUATION_CHUNK", 7)
    case = cases.OPTIMIZERS[optimizer]
    given: dict[str, Any] = {"optimizer": case.optimizer, "seed": 8, "record_examples": True}
    one, several = (made("dropout", "float32").crewed(crew, 50, **given) for crew in (1, 3))
    assert advanced(several, 50, case.lr) == advanced(one, 50, case.lr)
    assert said(several) == said(one)


def test_the_number_of_threads_in_a_task_changes_no_bits():
    """As it is used: few threads for small steps, more for large ones."""
    network = Network.mlp(150, 300, 300, 10, seed=1)
    x, y = cases.some((256, 150), 2).astype(np.float32), np.arange(256) % 10
    found = set()
    for threads in (1, 2, None):
        p = Problem(network.copy(), "cross_entropy", x, y)
        session = p.session(128, engine="native", threads=threads)
        session.advance(Stretch(np.arange(256), 128, 0, 2, 0, 0, 0.1))
        found.add(p.network.params.tobytes())
    assert len(found) == 1


# however steps are asked for ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("parts", [(1, 1, 1, 1, 1), (2, 3), (4, 1)])
def test_a_stretch_in_parts_gives_the_same_bits(dtype, parts):
    case, order = cases.OPTIMIZERS["adam with decay"], np.arange(ROWS)[::-1]
    whole, parted = (made("dropout", dtype).crewed(2, 29, optimizer=case.optimizer) for _ in range(2))
    objectives = whole.advance(Stretch(order, 29, 0, 5, 4, 0, case.lr)).objectives
    found, first = [], 0
    for count in parts:
        found.append(parted.advance(Stretch(order, 29, first, count, 4, first, case.lr)).objectives)
        parted.losses(parted.examples)  # looking disturbs nothing
        parted.gradients(np.arange(20), 0)
        first += count
    assert bits(np.concatenate(found)) == bits(objectives)
    assert bits(parted.params, *parted.state.values()) == bits(whole.params, *whole.state.values())


@pytest.mark.parametrize("offset", [0, 1, 3])
def test_where_arrays_lie_in_memory_changes_no_bits(offset):
    """Parameters, states and examples that do not begin on a cache line."""
    p = made("odd", "float32")
    block = np.zeros(p.network.params.size + 16, np.float32)
    moved = block[offset : offset + p.network.params.size]
    moved[...] = p.network.params
    rows = np.zeros(p.x.size + 16, np.float32)[offset : offset + p.x.size].reshape(p.x.shape)
    rows[...] = p.x
    other = made("odd", "float32")
    other.network.params = moved
    sessions = p.crewed(2, 29), Problem(other.network, p.loss, rows, p.y).crewed(2, 29)
    for session in sessions:
        session.advance(Stretch(np.arange(ROWS), 29, 0, 5, 0, 0, 0.1))
    assert bits(moved) == bits(p.network.params)


# sessions beside one another ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("crew", [1, 2])
def test_two_sessions_at_the_same_time_give_the_bits_of_each_alone(crew):
    def work(session: NativeSession) -> tuple[bytes, ...]:
        return said(session) + advanced(session, 29, 0.01, 8)

    names = ("odd", "dropout")
    given: dict[str, Any] = {"seed": 3, "record_examples": True, "optimizer": cases.OPTIMIZERS["adam"].optimizer}
    alone = {name: work(made(name, "float32").crewed(crew, 60, **given)) for name in names}
    sessions = {name: made(name, "float32").crewed(crew, 60, **given) for name in names}
    found: dict[str, Any] = {}
    threads = [threading.Thread(target=lambda name=name: found.update({name: work(sessions[name])})) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == alone


FORKING = """
import os, sys
import numpy as np
from backlight.engine import Stretch
from tests.engine.test_bits import made, said, advanced
session = made("odd", "float32").crewed(2, 60, record_examples=True)
advanced(session, 29, 0.01)
read, write = os.pipe()
child = os.fork()
found = b"".join(advanced(session, 29, 0.01) + said(session))
if child == 0:
    os.write(write, str(hash(found)).encode())
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, status
assert os.read(read, 100).decode() == str(hash(found))
print("the same")
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_process_goes_on_with_its_copy_to_the_same_bits():
    answer = subprocess.run(
        [sys.executable, "-c", FORKING],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert (answer.stdout, answer.stderr, answer.returncode) == ("the same\n", "", 0)


@pytest.mark.parametrize("batch_size", [512, 100])
def test_few_units_for_so_many_inputs_that_threads_share_the_gathered_rows(batch_size):
    network = Network.mlp(4201, 4, output="softmax", seed=5)
    p = Problem(network, "cross_entropy", cases.some((600, 4201), 6).astype(np.float32), np.arange(600) % 4)
    rows = np.arange(600)[::-1][:batch_size]
    found = []
    for crew in (1, *CREWS):
        session = p.copied().crewed(crew, batch_size=batch_size, record_examples=True)
        deltas, stretch = session.deltas(rows), Stretch(rows, batch_size, 0, 1, 0, 0, 0.1)
        said = [
            *session.gradients(rows),
            deltas.deltas[0],
            deltas.incoming[0],
            session.outputs(session.examples.source),
        ]
        seen = session.advance(stretch).examples
        assert seen is not None
        found.append(bits(*said, session.params, seen.losses, seen.squared_norms))
    assert all(other == found[0] for other in found[1:])
    expected = p.session(batch_size).gradients(rows)[1]
    got = p.copied().crewed(3, batch_size=batch_size).gradients(rows)[1]
    np.testing.assert_allclose(got, expected, atol=2e-5 * np.abs(expected).max())
