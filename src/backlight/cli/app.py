"""The command and its verbs."""

from typing import Annotated

import typer

from backlight import __version__
from backlight.cli import (
    bench,
    check,
    data,
    demo,
    evaluate,
    explain,
    health,
    landscape,
    moves,
    predict,
    race,
    sensitivity,
    train,
)

app = typer.Typer(
    help="Train neural networks at full speed on a CPU, and see why every weight moved.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"backlight {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    """Nothing is done without a verb."""


app.command()(train.train)
app.command()(evaluate.evaluate)
app.command()(predict.predict)
app.command()(explain.explain)
app.command()(moves.moves)
app.command()(sensitivity.sensitivity)
app.command()(health.health)
app.command()(landscape.landscape)
app.command()(check.check)
app.command()(race.race)
app.add_typer(data.app, name="data")
app.command()(bench.bench)
app.command()(demo.demo)
