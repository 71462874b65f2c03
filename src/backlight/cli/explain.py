"""`backlight explain`: how backpropagation reasons about one example, at any moment of a run."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from backlight.cli.explaining import (
    At,
    Html,
    Json,
    RunFolder,
    check_page,
    open_at,
    show,
    show_several,
    training_examples,
)
from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.explanation import Explanation
    from backlight.plots.shown import Shown


def explain(
    run: RunFolder,
    example: Annotated[
        str | None, typer.Option(help="test:42, or FILE:ROW with rows counted from 0 (default: test:0).")
    ] = None,
    at: At = "best",
    unit: Annotated[str | None, typer.Option(help="LAYER:UNIT (default: the loudest output).")] = None,
    weight: Annotated[
        str | None, typer.Option(help="LAYER:TO:FROM, or LAYER:TO:b (default: the steepest of the first layer).")
    ] = None,
    batch: Annotated[
        int | None, typer.Option(help="Also what the first N training examples want of the weight, together.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="The same for all training examples.")] = False,
    output: Annotated[
        str | None, typer.Option(help="The class or quantity whose change is shared out over the columns.")
    ] = None,
    importance: Annotated[
        bool, typer.Option("--importance", help="Instead: which columns the model needs, by shuffling each.")
    ] = False,
    html: Html = None,
    json: Json = False,
) -> None:
    """Explain one example of RUN: which columns it rests on, what it wants of the network, how that can be granted."""
    from backlight.explanation import contributions, example_of
    from backlight.explanation import explain as explained
    from backlight.explanation import importance as measured

    if batch is not None and everything:
        raise InputError("--batch and --all exclude each other; give one of them")
    options = {"--example": example, "--unit": unit, "--weight": weight, "--batch": batch, "--output": output}
    given = [name for name, value in options.items() if value is not None] + ["--all"] * everything
    if importance and given:
        raise InputError(f"--importance is about all examples of a part, and {given[0]} about one; give one of them")
    check_page(html)
    moment = open_at(run, at)
    if importance:
        show(measured(moment), html=html, json=json)
        return
    x, y, name = example_of(moment, example or "test:0")
    told = explained(moment, x, y, unit=unit, weight=weight, name=name)
    if output is not None:
        told = replace(told, contributions=contributions(moment, x, output=output, name=name))
    if batch is None and not everything:
        show_several({"": told}, html=html, json=json)
        return
    show_several({"example": told, **_of_many(told, batch)}, html=html, json=json)


def _of_many(told: "Explanation", count: int | None) -> "dict[str, Shown]":
    """What training examples together say about the explained weight, and what the example alone would do to them."""
    from backlight.explanation import batch_agreement, overfitting_step, parse_weight, together, wishes_for_weight
    from backlight.training import SGD

    moment = told.opened.moment
    assert moment.run is not None
    lr = moment.run.lr_at(moment.step) or SGD.default_lr  # lbfgs has none
    others, targets, names = training_examples(moment, count)
    weight = parse_weight(told.chain.weight, moment.network)
    one = names.index(told.example) if told.example in names else told.opened
    return {
        "wishes": wishes_for_weight(moment, others, targets, weight, names),
        "overfitting": overfitting_step(moment, others, targets, one, lr, names),
        "agreement": batch_agreement(moment, others, targets),
        "together": together(told.opened, weight.layer, others, targets),
    }
