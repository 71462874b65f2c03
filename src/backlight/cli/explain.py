"""`backlight explain`: how backpropagation reasons about one example, at any moment of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from backlight.explanation.shown import Shown


def explain(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    example: Annotated[str, typer.Option(help="test:42, or FILE:ROW with rows counted from 0.")] = "test:0",
    at: Annotated[str, typer.Option(help="0 (untrained), a step, best or last.")] = "best",
    unit: Annotated[str | None, typer.Option(help="LAYER:UNIT (default: the loudest output).")] = None,
    weight: Annotated[
        str | None, typer.Option(help="LAYER:TO:FROM, or LAYER:TO:b (default: the steepest of the first layer).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Explain one example of RUN: what it wants of the network, and how each wish can be granted."""
    from backlight.explanation.moment import open_moment
    from backlight.explanation.one_example import example_of
    from backlight.explanation.one_example import explain as explained

    say_how_long(run, at)
    moment = open_moment(run, at)
    x, y, name = example_of(moment, example)
    show(explained(moment, x, y, unit=unit, weight=weight, name=name), html=html, json=json)


def say_how_long(run: Path, at: str) -> None:
    """Tell on stderr how long the replay of a step will take, where it will take a second or more."""
    if not at.isdigit() or int(at) == 0:
        return
    from backlight.explanation.moves import replay_seconds
    from backlight.files import Run

    seconds = replay_seconds(Run.open(run), int(at))
    if seconds is not None and seconds >= 1:
        typer.echo(f"replaying {int(at):,} steps: about {seconds:.0f} s", err=True)


def show(explanation: "Shown", *, html: Path | None, json: bool) -> None:
    """Print an explanation for people or for programs, and write its page if asked."""
    from backlight.cli.blocks import show_blocks
    from backlight.cli.report import console, print_json

    if html is not None:
        explanation.plot().save(html)
        typer.echo(f"page      {html}", err=True)
    if json:
        print_json(explanation.to_dict())
    elif html is None:
        show_blocks(explanation.blocks(), console())
