"""Stopped from another thread or by Ctrl-C, an engine leaves a state that some number of whole steps gives."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backlight.engine import Advance, Examples, Session, Stretch, row_source
from backlight.engine.native import NativeSession
from backlight.network import Network
from backlight.training import EpochRecord, StepsRecord, Trainer, replay
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, Problem
from tests.engine.test_rates import Signs

ROWS, BATCH = 500, 20
STEPS = {"adam": 200_000, "no rule": 10_000}  # as many as take ten seconds at least
OPTIMIZERS: dict[str, Any] = {"adam": cases.OPTIMIZERS["adam"].optimizer, "no rule": Signs()}
SOON = 20  # seconds: very generous, for a busy machine
X, Y = cases.some((ROWS, 64), 1).astype(np.float32), np.arange(ROWS) % 10
ORDER = np.resize(np.arange(ROWS), max(STEPS.values()) * BATCH)


def made() -> Problem:
    """A problem whose steps take a tenth of a millisecond."""
    return Problem(Network.mlp(64, 256, 256, 10, dropout=0.1, seed=1), "cross_entropy", X, Y)


def opened(engine: str, optimizer: str = "adam") -> Session:
    return made().session(BATCH, engine=engine, optimizer=OPTIMIZERS[optimizer])


def steps(count: int) -> Stretch:
    return Stretch(ORDER, BATCH, 0, count, 0, 0, 1e-4)


def valid(advance: Advance, session: Session, engine: str, optimizer: str) -> None:
    """The state is that of a run that took exactly the finished steps."""
    count = len(advance.objectives)
    assert advance.finite
    assert 0 < count < STEPS[optimizer]
    again = opened(engine, optimizer)
    expected = again.advance(steps(count)).objectives
    assert np.array_equal(advance.objectives, expected)
    assert session.params.tobytes() == again.params.tobytes()  # type: ignore[attr-defined]
    for name, array in session.state.items():
        assert array.tobytes() == again.state[name].tobytes()


def _later(seconds: float, act: Callable[[], object]) -> threading.Timer:
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


@pytest.fixture
def ctrl_c() -> Iterator[Callable[[float], threading.Timer]]:
    """Presses Ctrl-C after some seconds."""
    timers: list[threading.Timer] = []
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def press(seconds: float) -> threading.Timer:
        timers.append(_later(seconds, lambda: os.kill(os.getpid(), signal.SIGINT)))
        return timers[-1]

    yield press
    for timer in timers:
        timer.cancel()
        timer.join()
    signal.signal(signal.SIGINT, before)


# stop() ---------------------------------------------------------------------------------------------------------------


@EVERY_ENGINE
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_stopped_from_another_thread(engine, optimizer):
    session = opened(engine, optimizer)
    timer = _later(0.3, session.stop)
    began = time.monotonic()
    advance = session.advance(steps(STEPS[optimizer]))
    assert time.monotonic() - began < SOON
    timer.join()
    assert not advance.interrupted
    valid(advance, session, engine, optimizer)
    assert len(session.advance(steps(3)).objectives) == 3  # a stop is over when it has been obeyed


@EVERY_ENGINE
def test_a_stop_while_nothing_is_done_stops_nothing_later(engine):
    session = opened(engine)
    session.stop()
    assert len(session.advance(steps(3)).objectives) == 3


@EVERY_ENGINE
@pytest.mark.parametrize("what", ["losses", "outputs", "gradients", "deltas"])
def test_a_stop_is_for_steps_and_spoils_no_measurement(engine, what):
    """`Training.stop` may come while an epoch is measured: the measurement is finished."""
    rows = np.arange(100_000) % ROWS
    session = made().session(1000, engine=engine)
    ask: dict[str, Callable[[], Any]] = {
        "losses": lambda: session.losses(Examples(row_source(X), Y), rows),
        "outputs": lambda: (session.outputs(row_source(X), rows),),
        "gradients": lambda: session.gradients(rows),
        "deltas": lambda: (session.deltas(rows[:10_000]).losses, session.deltas(rows[:10_000]).outputs),
    }
    expected = ask[what]()
    over = threading.Event()

    def stop_often() -> None:
        while not over.wait(0.001):
            session.stop()

    stopping = threading.Thread(target=stop_often)
    stopping.start()
    try:
        found = ask[what]()
    finally:
        over.set()
        stopping.join()
    for own, other in zip(found, expected, strict=True):
        assert own.tobytes() == other.tobytes()


# Ctrl-C ---------------------------------------------------------------------------------------------------------------


@EVERY_ENGINE
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_interrupted_by_the_user(ctrl_c, engine, optimizer):
    session = opened(engine, optimizer)
    began = time.monotonic()
    ctrl_c(0.3)
    try:
        advance = session.advance(steps(STEPS[optimizer]))
    except KeyboardInterrupt:
        pytest.fail("the steps that were taken are lost")
    assert time.monotonic() - began < SOON
    assert advance.interrupted
    valid(advance, session, engine, optimizer)
    assert not session.advance(steps(3)).interrupted


def test_many_small_steps_are_interrupted_as_well(ctrl_c):
    network, count = Network.mlp(64, 2, 10, seed=1), 3_000_000
    p = Problem(network.copy(), "cross_entropy", X, Y)
    stretch = Stretch(np.resize(np.arange(ROWS), count), 1, 0, count, 0, 0, 1e-4)
    ctrl_c(0.1)
    try:
        advance = p.session(1, engine="native").advance(stretch)
    except KeyboardInterrupt:
        pytest.fail("the steps that were taken are lost")
    assert advance.interrupted
    assert len(advance.objectives) < count
    again = Problem(network, "cross_entropy", X, Y)
    again.session(1, engine="native").advance(replace(stretch, count=len(advance.objectives)))
    assert network.params.tobytes() == p.network.params.tobytes()


def test_a_measurement_that_the_user_interrupts_ends_with_ctrl_c(ctrl_c):
    session, rows = made().session(1000, engine="native"), np.resize(np.arange(ROWS), 10_000_000)
    ctrl_c(0.3)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        session.losses(session.examples, rows)
    assert time.monotonic() - began < SOON
    assert np.isfinite(session.losses(session.examples)[0]).all()


@EVERY_ENGINE
def test_a_training_that_the_user_interrupts_stands_between_two_steps(ctrl_c, engine):
    def start() -> Any:
        network = made().network
        return Trainer(network, lr=1e-4, batch_size=BATCH, epochs=10**6, seed=3, engine=engine).start(X, Y)

    training = start()
    ctrl_c(0.5)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        for _ in training.records():
            pass
    assert time.monotonic() - began < SOON
    assert training.step > 0
    assert np.isfinite(training.network.params).all()
    again = replay(start(), training.step)
    assert again.params.tobytes() == training.network.params.tobytes()
    assert all(again.optimizer[name].tobytes() == a.tobytes() for name, a in training.session.state.items())


@pytest.mark.parametrize("kind", [StepsRecord, EpochRecord])
def test_a_closed_generator_leaves_a_network_that_can_be_used(kind):
    network = made().network
    trainer = Trainer(network, batch_size=BATCH, epochs=3, engine="native")
    records = trainer.run(X, Y)
    while not isinstance(next(records), kind):
        pass
    records.close()
    assert np.isfinite(network.predict(X)).all()
    assert sum(isinstance(record, EpochRecord) for record in trainer.run(X, Y)) == 3


def test_a_stop_before_the_first_step_leaves_everything_as_it_was(monkeypatch):
    session: Any = opened("native")
    session.advance(steps(3))
    params, state = session.params.copy(), {name: array.copy() for name, array in session.state.items()}
    prepare = session._give_state

    def stop_meanwhile(work: Any, *, leave: bool) -> None:
        prepare(work, leave=leave)
        session.stop()

    monkeypatch.setattr(session, "_give_state", stop_meanwhile)
    assert len(session.advance(steps(3)).objectives) == 0
    monkeypatch.undo()
    assert np.array_equal(session.params, params)
    for name, array in session.state.items():
        assert np.array_equal(array, state[name])


@pytest.mark.parametrize("moment", ["state", "steps"])
def test_an_exception_that_leaves_a_call_does_not_disorder_the_state(monkeypatch, moment):
    session, other = (made().crewed(1, BATCH, optimizer=OPTIMIZERS["adam"]) for _ in range(2))
    for each in (session, other):
        each.advance(steps(3))
    call = NativeSession._call

    def raise_afterwards(self: NativeSession, *arguments: Any) -> None:
        call(self, *arguments)
        raise TimeoutError

    monkeypatch.setattr(NativeSession, "_call", raise_afterwards)
    with pytest.raises(TimeoutError):
        assert session.state if moment == "state" else session.advance(steps(3))
    monkeypatch.undo()
    if moment == "steps":
        other.advance(steps(3))
    for name, array in session.state.items():
        assert np.array_equal(array, other.state[name])
