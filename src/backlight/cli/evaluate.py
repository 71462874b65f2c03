"""`backlight evaluate`: how good a trained model is, and how far that can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

from backlight.cli.explaining import Html, Json, RunFolder, check_page, show


def evaluate(
    run: RunFolder,
    file: Annotated[
        Path | None, typer.Argument(help="A labelled .csv or .npz; the run's own data unless given.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="train, validation or test (default: test).")] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Train on parts of the data, to tell whether more would help.")
    ] = False,
    html: Html = None,
    json: Json = False,
) -> None:
    """Measure the model of RUN on a part of its data, or on a labelled FILE, beside a baseline and a linear model."""
    from backlight.assessment.assessing import assess
    from backlight.errors import InputError

    if file is not None and part is not None:
        raise InputError("--part chooses from the run's own data; leave it out when a file is given")
    check_page(html)
    told = assess(run, part or "test", file=file, learning_curve=learning_curve, say=_say)
    show(told, html=html, json=json)


def _say(line: str) -> None:
    typer.echo(line, err=True)
