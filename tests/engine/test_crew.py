"""The threads of the native engine: how many there are, and that none is ever left behind."""

import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from backlight.engine import crew
from backlight.engine.crew import crew_size, work_together
from backlight.errors import InputError


@pytest.mark.parametrize("count", [1, 2, 5])
def test_every_member_works_once_and_never_on_the_main_thread(count):
    seen: list[tuple[int, threading.Thread]] = []
    all_there = threading.Barrier(count)

    def work(number: int) -> None:
        all_there.wait(20)  # they are there at the same time
        seen.append((number, threading.current_thread()))

    work_together(work, count, lambda: None)
    assert sorted(number for number, _ in seen) == list(range(count))
    assert threading.main_thread() not in {thread for _, thread in seen}


class Interrupting:
    """Raises KeyboardInterrupt at the n-th line that `work_together` executes, as a signal's handler may."""

    def __init__(self, line: int) -> None:
        self.left = line

    def __call__(self, frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code is not work_together.__code__:
            return None
        if event == "line":
            self.left -= 1
            if self.left == 0:
                raise KeyboardInterrupt
        return self


def left_behind(trace: Callable[..., Any], stop: Callable[[], object], over: threading.Event) -> tuple[bool, int]:
    """Have a crew of two work until `over`: whether something was raised, and how many are still at work then."""
    began: list[int] = []
    ended: list[int] = []
    raised = False

    def work(number: int) -> None:
        began.append(number)
        over.wait(0.05)
        ended.append(number)

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work_together(work, 2, stop)
    except KeyboardInterrupt:
        raised = True
    finally:
        sys.settrace(before)
    left = len(began) - len(ended)
    over.set()
    assert sorted(ended) in ([], [0, 1]) or left
    return raised, left


def test_a_signal_at_any_line_leaves_no_thread_behind(monkeypatch):
    """Threads left behind would go on writing into the network, and into memory that is no longer theirs."""
    monkeypatch.setattr(crew, "_LOOK", 0.01)  # several looks while there is work
    line, interrupted = 0, True
    while interrupted:
        line += 1
        interrupting, over = Interrupting(line), threading.Event()
        raised, left = left_behind(interrupting, over.set, over)
        interrupted = interrupting.left <= 0
        assert not left, f"at the line numbered {line}"
        assert raised == interrupted
    assert line > 10


def test_a_second_signal_leaves_no_thread_behind():
    """It comes while the first is being obeyed."""
    over = threading.Event()
    pressed: list[int] = []

    def stop() -> None:
        pressed.append(1)
        if len(pressed) == 1:
            raise KeyboardInterrupt
        over.set()

    raised, left = left_behind(Interrupting(7), stop, over)  # the members have been started
    assert pressed
    assert raised
    assert not left


def test_a_signal_while_a_thread_starts_does_not_start_it_twice(monkeypatch):
    """Two threads with one number would do the same work at the same time, each in the other's memory."""
    seen: list[int] = []
    pressed: list[int] = []
    over, wait, raised = threading.Event(), threading.Event.wait, False

    def interrupted(event: threading.Event, timeout: float | None = None) -> bool:
        if not pressed and threading.current_thread() is threading.main_thread():
            pressed.append(1)  # Thread.start waits for the sign of life of what it has started already
            raise KeyboardInterrupt
        return wait(event, timeout)

    def work(number: int) -> None:
        seen.append(number)
        wait(over, 0.3)

    monkeypatch.setattr(threading.Event, "wait", interrupted)
    try:
        work_together(work, 2, over.set)
    except KeyboardInterrupt:
        raised = True
    finally:
        over.set()
    assert sorted(seen) == [0, 1]
    assert raised == bool(pressed)


# how many -------------------------------------------------------------------------------------------------------------


def test_as_many_threads_as_asked_for_and_as_there_are_processors(monkeypatch):
    monkeypatch.setattr(crew, "processors", lambda: 4)
    assert [crew_size(threads) for threads in (None, 1, 3, 4, 5, 10**6)] == [4, 1, 3, 4, 4, 4]
    for wrong in (0, -1, 1.5):
        with pytest.raises(InputError, match=f"threads is {wrong}; it must be a whole number"):
            crew_size(wrong)  # type: ignore[arg-type]


def test_where_the_system_gives_no_more_threads_nothing_is_done_and_nobody_waits(monkeypatch):
    done: list[int] = []
    start, calls = threading.Thread.start, []

    def second_fails(self: threading.Thread) -> None:
        calls.append(self)
        if len(calls) == 2:
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", second_fails)
    with pytest.raises(RuntimeError, match="start new thread"):
        work_together(done.append, 3, lambda: None)
    calls[0].join(20)
    assert not calls[0].is_alive()
    assert not done
