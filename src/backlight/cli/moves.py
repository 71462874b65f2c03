"""`backlight moves`: why a weight is where it is."""

from typing import Annotated

import typer

from backlight.cli.explaining import Html, Json, RunFolder, check_page, say_how_long, show
from backlight.errors import InputError


def moves(
    run: RunFolder,
    weight: Annotated[str, typer.Option(help="LAYER:TO:FROM, or LAYER:TO:b for a bias.")],
    first: Annotated[int, typer.Option("--from", help="How many steps had been taken before.")] = 0,
    last: Annotated[
        int | None, typer.Option("--to", help="How many steps had been taken after (default: all that were).")
    ] = None,
    html: Html = None,
    json: Json = False,
) -> None:
    """Say why a weight of RUN moved: gradient, penalty, clipping, momentum, decay; for one step, by examples."""
    from backlight.explanation import moves as moved
    from backlight.files import Run

    check_page(html)
    opened = Run.open(run)
    if last is None:
        checkpoint = opened.checkpoint()
        if checkpoint is None:
            raise InputError(f"{run} has no checkpoint yet, so its last step is not known; give --to")
        last = checkpoint.step
    say_how_long(run, last, first)
    show(moved(opened, weight, first, last), html=html, json=json)
