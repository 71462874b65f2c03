"""How a race looks in the terminal while it goes on."""

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from backlight.cli.display import in_decades, sparkline
from backlight.cli.report import console
from backlight.plots import number

if TYPE_CHECKING:
    from backlight.racing import GradientCost
    from backlight.racing.runner import Runner

_LINE_SECONDS: Final = 4.0
_ROOM_FOR: Final = {"passes": 52, "seconds": 62}
_CURVE: Final = 78
_NUMBER: Final = 13


class Display:
    """Told after every turn how far the methods are; a live table in a terminal, lines elsewhere.

    Args:
        quiet: show nothing unless stderr is a terminal.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._screen, self._quiet = console(stderr=True), quiet
        self._begun = self._spoken = time.monotonic()
        self._live: Live | None = None
        self._measuring = False

    def show(self, runners: "Sequence[Runner]", costs: "Sequence[GradientCost]") -> None:
        """Show how far they are."""
        if self._screen.is_terminal and not self._screen.is_dumb_terminal:
            drawn = Group(standings(runners, self._screen.width), Text(_measured(runners, costs), style="bright_black"))
            if self._live is None:
                self._live = Live(drawn, console=self._screen, refresh_per_second=10, transient=True)
                self._live.start()
            self._live.update(drawn)
        elif not self._quiet:
            self._say(runners, costs)

    def close(self) -> None:
        """Leave the screen to the results."""
        if self._live is not None:
            self._live.stop()

    def _say(self, runners: "Sequence[Runner]", costs: "Sequence[GradientCost]") -> None:
        now = time.monotonic()
        if all(one.ended is not None for one in runners):
            if not self._measuring:
                self._measuring = True
                self._screen.print(_measured(runners, costs), soft_wrap=True)
        elif now - self._spoken >= _LINE_SECONDS:
            self._spoken = now
            losses = "  ".join(f"{one.entrant.method} {number(one.best)}" for one in runners)
            self._screen.print(f"{now - self._begun:>4.0f} s  {losses}", soft_wrap=True)


def standings(runners: "Sequence[Runner]", width: int) -> RenderableType:
    """A row for each method: its loss, what it has spent, and, where there is room, the way of its loss.

    Args:
        runners: the methods.
        width: characters of the screen.
    """
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    shown = [name for name, least in _ROOM_FOR.items() if width >= least]
    most = width - _NUMBER if not shown else None
    table.add_column("", no_wrap=True, overflow="ellipsis", max_width=most, header_style="bright_black")
    for name in ("loss", *shown):
        table.add_column(name, justify="right", no_wrap=True, header_style="bright_black")
    if width >= _CURVE:
        table.add_column("", no_wrap=True)
    for one in runners:
        cells = {"passes": number(one.passes), "seconds": f"{one.seconds:.1f}"}
        row = [one.entrant.name, number(one.best), *(cells[name] for name in shown)]
        if width >= _CURVE:
            losses = [point.loss for point in one.points]
            row.append(sparkline(in_decades(losses), min(40, width - _CURVE + 10)))
        style = "bright_black" if one.ended is not None else "cyan" if one.entrant.gradient else ""
        table.add_row(*(Text(cell) for cell in row), style=style)
    return table


def _measured(runners: "Sequence[Runner]", costs: "Sequence[GradientCost]") -> str:
    """What is being done."""
    if costs:
        return f"measuring what a gradient costs: {costs[-1].weights:,} weights done"
    ended = [one for one in runners if one.ended is not None]
    return "measuring what a gradient costs" if len(ended) == len(runners) else "Ctrl-C ends the race"
