"""How far long work is: a bar in a terminal, lines elsewhere, and nothing at all where it is quick."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

_SILENT_SECONDS: Final = 1.0
_WORTH_SAYING: Final = 3.0
_LINE_SECONDS: Final = 20.0


class _Stage:
    """A piece of work, and when it was last spoken of."""

    def __init__(self, what: str) -> None:
        self.what, self.begun, self.said = what, time.monotonic(), 0.0

    def line(self, done: int, total: int) -> str | None:
        """What is to be said now: how long it will take, then how far it is."""
        now = time.monotonic()
        passed = now - self.begun
        if passed < _SILENT_SECONDS or not done:
            return None
        left = passed * (total - done) / done
        if not self.said and passed + left >= _WORTH_SAYING:
            self.said = now
            return f"{self.what}: about {passed + left:.0f} s"
        if self.said and now - self.said >= _LINE_SECONDS:
            self.said = now
            return f"{self.what}: {100 * done // total} %"
        return None


@contextmanager
def told_on_stderr() -> Iterator[Callable[[str, int, int], None]]:
    """What long work calls with what it does, how much of that is done, and how much there is."""
    from backlight.cli.report import console

    screen = console(stderr=True)
    stage = _Stage("")
    with ExitStack() as stack:
        bars: list[Progress] = []

        def tell(what: str, done: int, total: int) -> None:
            nonlocal stage
            if what != stage.what:
                stage = _Stage(what)
                for bar in bars:
                    bar.update(bar.task_ids[0], visible=False)
            if not screen.is_terminal or screen.is_dumb_terminal:
                if line := stage.line(done, total):
                    screen.print(line, soft_wrap=True)
            elif time.monotonic() - stage.begun >= _SILENT_SECONDS:
                if not bars:
                    bars.append(stack.enter_context(_bar(screen)))
                bars[0].update(bars[0].task_ids[0], description=what, completed=done, total=total, visible=True)

        yield tell


def _bar(screen: "Console") -> "Progress":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(None), TaskProgressColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=screen, transient=True)
    bar.add_task("")
    return bar
