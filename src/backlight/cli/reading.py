"""How far the reading of images is: a bar in a terminal, lines elsewhere, and nothing at all where it is quick."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from backlight.data import ImageOptions, TableOptions
    from backlight.files import Run

_SILENT_SECONDS: Final = 1.0
_LINE_SECONDS: Final = 5.0


@contextmanager
def watched_reading(*, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """What the reading of images is to call; it shows the progress on stderr.

    Args:
        quiet: show nothing unless stderr is a terminal.
    """
    from backlight.cli.report import console

    screen = console(stderr=True)
    begun = said = time.monotonic()
    with ExitStack() as stack:
        bars: list[Progress] = []

        def tell(done: int, total: int) -> None:
            nonlocal said
            now = time.monotonic()
            if now - begun < _SILENT_SECONDS:
                return
            if screen.is_terminal and not screen.is_dumb_terminal:
                if not bars:
                    bars.append(stack.enter_context(_bar(screen, total)))
                bars[0].update(bars[0].task_ids[0], completed=done)
            elif not quiet and (now - said >= _LINE_SECONDS or said == begun):
                said = now
                screen.print(f"reading images: {100 * done // total} %")

        yield tell


def _bar(screen: "Console", total: int) -> "Progress":
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("reading images"), BarColumn(None), TaskProgressColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=screen, transient=True)
    bar.add_task("", total=total)
    return bar


def new_options(
    run: "Run",
    file: str | Path,
    *,
    labels: str | None = None,
    skip_broken: bool = False,
    progress: Callable[[int, int], None],
) -> "TableOptions | ImageOptions":
    """How new data for a run are read: as its own were.

    Args:
        run: whose options are used.
        file: the new data.
        labels: a file of labels that takes the place of the run's own way to label images.
        skip_broken: whether broken images are left out, as they are where the run did.
        progress: told how far the reading is.
    """
    from dataclasses import replace

    from backlight.data import TableOptions
    from backlight.errors import InputError

    options = run.options_for(file, progress)
    if isinstance(options, TableOptions):
        if labels is not None or skip_broken:
            raise InputError("--labels and --skip-broken are for images, and the model was trained on a table")
        return options
    if labels is not None:
        options = replace(options, labels=labels, label_from=None)
    return replace(options, skip_broken=skip_broken or options.skip_broken)
