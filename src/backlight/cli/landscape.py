"""`backlight landscape`: the surface of the cost around the path that training took."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from backlight.cli.explaining import Html, Json, RunFolder, check_drawing, check_page, show
from backlight.cli.progress import told_on_stderr
from backlight.cli.typed import parse_batches

if TYPE_CHECKING:
    from backlight.plots import Contours


def landscape(
    run: RunFolder,
    batches: Annotated[
        str | None,
        typer.Option(help="Train it again in batches of these sizes, from the same start: full,100,1 (default: no)."),
    ] = None,
    starts: Annotated[
        int | None,
        typer.Option(help="Train it from so many starts in each size; in full,100,1 unless given (default: no)."),
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="Two random, filter-normalised directions, not the path's main ones.")
    ] = False,
    points: Annotated[int, typer.Option(help="Of the grid, along either side.")] = 61,
    out: Annotated[Path | None, typer.Option(help="Write the picture, .svg or .png.")] = None,
    html: Html = None,
    json: Json = False,
) -> None:
    """Show the surface of the cost around the path that the training of RUN took, measured on its data."""
    from backlight.explanation import landscape as measured
    from backlight.files import Run

    check_page(html)
    if out is not None:
        check_drawing(out)
    sizes = () if batches is None else parse_batches(batches)
    with told_on_stderr() as told:
        found = measured(Run.open(run), batches=sizes, starts=starts or 0, points=points, random=random, told=told)
    if out is not None:
        _draw(found.contours, out)
        typer.echo(f"picture   {out}", err=True)
    show(found, html=html, json=json)


def _draw(contours: "Contours", out: Path) -> None:
    from backlight.plots import contours_file, contours_picture
    from backlight.storage import write_bytes

    svg = out.suffix.lower() == ".svg"
    write_bytes(out, contours_file(contours).encode("utf-8", "replace") if svg else contours_picture(contours))
