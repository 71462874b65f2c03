"""`backlight check`: are the gradients right, on this very network and data?"""

import typer

from backlight.cli.explaining import At, Html, Json, RunFolder, check_page, open_at, show, training_examples


def check(run: RunFolder, at: At = "best", html: Html = None, json: Json = False) -> None:
    """Compare backpropagation's gradients in RUN with measured slopes, layer by layer; exit code 1 if they differ."""
    from backlight.explanation import check as checked

    check_page(html)
    moment = open_at(run, at)
    x, y, _ = training_examples(moment)
    told = checked(moment, x, y)
    show(told, html=html, json=json)
    if not told.passed:
        raise typer.Exit(1)
