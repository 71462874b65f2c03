"""`backlight evaluate`: how good a trained model is, and how far that can be trusted."""

from pathlib import Path
from typing import Annotated

import typer

from backlight.cli.explaining import Html, Json, RunFolder, check_page, show


def evaluate(
    run: RunFolder,
    file: Annotated[
        Path | None, typer.Argument(help="A labelled .csv, .npz or folder of images; the run's own data unless given.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="train, validation or test (default: test).")] = None,
    learning_curve: Annotated[
        bool, typer.Option("--learning-curve", help="Train on parts of the data, to tell whether more would help.")
    ] = False,
    labels: Annotated[str | None, typer.Option(help="A CSV of names and labels of the images in FILE.")] = None,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Leave broken images out.")] = False,
    html: Html = None,
    json: Json = False,
) -> None:
    """Measure the model of RUN on a part of its data, or on a labelled FILE, beside a baseline and a linear model."""
    from backlight.assessment.assessing import assess
    from backlight.cli.reading import new_options, watched_reading
    from backlight.data import ImageOptions
    from backlight.errors import InputError
    from backlight.files import Run

    if file is not None and part is not None:
        raise InputError("--part chooses from the run's own data; leave it out when a file is given")
    if file is None and (labels is not None or skip_broken):
        raise InputError("--labels and --skip-broken are for the images of a FILE, and none is given")
    check_page(html)
    with watched_reading(quiet=json) as progress:
        opened = Run.open(run)
        own = file is None or opened.is_of(file)
        options = new_options(
            opened, file or opened.settings.data, labels=labels, skip_broken=skip_broken, progress=progress
        )
        if not own and labels is None and isinstance(options, ImageOptions) and options.labels is not None:
            _say(f"labels    from {options.labels}, as the run's own")
        told = assess(
            opened,
            part or "test",
            file=file,
            options=options,
            learning_curve=learning_curve,
            columns=html is not None,
            say=_say,
        )
    show(told, html=html, json=json)


def _say(line: str) -> None:
    typer.echo(line, err=True)
