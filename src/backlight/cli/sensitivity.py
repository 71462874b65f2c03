"""`backlight sensitivity`: which weights the cost depends on most."""

from typing import Annotated

import typer

from backlight.cli.explaining import At, Html, Json, RunFolder, check_page, open_at, show_several, training_examples


def sensitivity(
    run: RunFolder,
    compare: Annotated[
        tuple[str, str] | None, typer.Option(help="Two weights LAYER:TO:FROM, compared by nudging each.")
    ] = None,
    at: At = "best",
    batch: Annotated[
        int | None, typer.Option(help="Over the first N training examples (default: all of them).")
    ] = None,
    html: Html = None,
    json: Json = False,
) -> None:
    """Rank the weights of RUN by how much the cost changes with them, or compare two."""
    from backlight.explanation import compare as compared
    from backlight.explanation import cost_along, parse_weight
    from backlight.explanation import sensitivity as ranked

    check_page(html)
    moment = open_at(run, at)
    x, y, _ = training_examples(moment, batch)
    if compare is None:
        told = ranked(moment, x, y)
        steepest = next((entry.weight for entry in told.ranked if entry.source not in ("scale", "shift")), "0:0:0")
        curve = cost_along(moment, x, y, parse_weight(steepest, moment.network))
        show_several({"ranking": told, "curve": curve}, html=html, json=json)
        return
    curve = cost_along(moment, x, y, parse_weight(compare[0], moment.network))
    show_several({"comparison": compared(moment, x, y, *compare), "curve": curve}, html=html, json=json)
