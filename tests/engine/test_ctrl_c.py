"""Ctrl-C that is held back: remembered in the main thread, and every handler put back where it was."""

import signal
import threading
from collections.abc import Iterator

import pytest

from backlight.engine.interruption import ctrl_c_held_back


@pytest.fixture(autouse=True)
def _pythons_own_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_calls_stop_and_is_remembered():
    stopped: list[int] = []
    with ctrl_c_held_back(lambda: stopped.append(1)) as pressed:
        assert not pressed
        signal.raise_signal(signal.SIGINT)
        assert pressed
        signal.raise_signal(signal.SIGINT)
    assert pressed
    assert len(stopped) == 2
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_without_it_nothing_happens():
    with ctrl_c_held_back(lambda: None) as pressed:
        pass
    assert not pressed
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_is_put_back_after_an_error_as_well():
    with pytest.raises(ZeroDivisionError), ctrl_c_held_back(lambda: None):
        1 / 0  # noqa: B018
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_within_another_the_outer_one_hears_it():
    heard: list[str] = []
    with ctrl_c_held_back(lambda: heard.append("outer")) as outer:
        with ctrl_c_held_back(lambda: heard.append("inner")):
            signal.raise_signal(signal.SIGINT)
        assert outer
    assert heard == ["outer"]


def test_another_handler_is_left_to_its_work():
    heard: list[int] = []
    signal.signal(signal.SIGINT, lambda number, frame: heard.append(number))
    with ctrl_c_held_back(lambda: heard.append(0)) as pressed:
        signal.raise_signal(signal.SIGINT)
    assert not pressed
    assert heard == [signal.SIGINT]


def test_another_thread_than_the_main_one_does_not_hear_it():
    found: list[object] = []

    def work() -> None:
        with ctrl_c_held_back(lambda: None):
            found.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
