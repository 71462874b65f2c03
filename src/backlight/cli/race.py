"""`backlight race`: methods with and without backpropagation, side by side."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from backlight.cli.explaining import Html, Json, check_drawing, check_page, show
from backlight.cli.typed import parse_layers

if TYPE_CHECKING:
    from backlight.racing import GradientCost
    from backlight.racing.runner import Runner

_CTRL_C: Final = 130


def race(
    data: Annotated[str, typer.Argument(help="A built-in name, or a file or folder as for 'train'.")],
    target: Annotated[list[str] | None, typer.Option(help="The column to predict; may be repeated.")] = None,
    task: Annotated[str | None, typer.Option(help="classification, regression or autoencode.")] = None,
    layers: Annotated[str, typer.Option(help="Hidden units, or none.")] = "16",
    activation: Annotated[str, typer.Option(help="Of the hidden layers.")] = "relu",
    seconds: Annotated[float | None, typer.Option(help="What every method has (default: 8).")] = None,
    passes: Annotated[
        float | None,
        typer.Option(help="Or: forward passes over the data; with backpropagation, one counts as three."),
    ] = None,
    values: Annotated[str | None, typer.Option(help="Every combination of these is tried (default: -1:0:1).")] = None,
    seed: Annotated[int, typer.Option(help="Of the initial weights and every random draw.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Write the plot, ending in .svg.")] = None,
    html: Html = None,
    json: Json = False,
) -> None:
    """Race backpropagation against methods without it on DATA: same weights, same budget.

    Then measure what one gradient costs without it, and tell how long it takes to try all weights. Ctrl-C ends the race
    and shows what is there. Examples: 'backlight race xor', 'backlight race digits --seconds 5 --html race.html'.
    """
    from backlight.cli.race_display import Display
    from backlight.cli.reading import watched_reading
    from backlight.files import Settings
    from backlight.plots import charts_file
    from backlight.racing import race as raced
    from backlight.racing.contest import checked_budget
    from backlight.storage import write_bytes

    check_page(html)
    if out is not None:
        check_drawing(out, (".svg",))
    checked_budget(seconds, passes)
    settings = Settings(
        data, target=tuple(target or ()), task=task, layers=parse_layers(layers), activation=activation, seed=seed
    )
    display = Display(quiet=json)
    with ExitStack() as reading:
        progress = reading.enter_context(watched_reading(quiet=json))

        def watch(runners: "Sequence[Runner]", costs: "Sequence[GradientCost]") -> None:
            reading.close()
            display.show(runners, costs)

        try:
            told = raced(settings, seconds=seconds, passes=passes, values=values, watch=watch, progress=progress)
        finally:
            display.close()
    if out is not None:
        write_bytes(out, charts_file(told.charts(), told.title).encode("utf-8", "replace"))
        typer.echo(f"picture   {out}", err=True)
    show(told, html=html, json=json)
    if told.interrupted:
        raise typer.Exit(_CTRL_C)
