"""`backlight evaluate`: how good a trained model is."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="A labelled .csv or .npz; the run's own data unless given.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="train, validation or test (default: test).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure the model of RUN on a part of its data, or on a labelled FILE."""
    from backlight.cli.report import console, print_confusion, print_json, print_metrics, print_questions
    from backlight.data import Classes, read_rows
    from backlight.errors import InputError
    from backlight.files import Run

    if file is not None and part is not None:
        raise InputError("--part chooses from the run's own data; leave it out when a file is given")
    opened = Run.open(run)
    model = opened.model()
    if file is None:
        name = part or "test"
        x, y = opened.dataset().part(name)
        if len(y) == 0:
            raise InputError(f"the run's data have no {name} part; choose another with --part, or give a labelled file")
    else:
        rows = read_rows(file, model.inputs, model.target, labelled=True)
        assert rows.y is not None
        name, x, y = str(file), rows.x, rows.y
    metrics = model.measure(x, y, engine=opened.settings.engine)
    if json:
        print_json({"run": str(run), "examples": len(y), "data": name, "metrics": metrics})
        return
    out = console()
    out.print(f"{name}: {len(y):,} examples\n")
    print_metrics(out, {name: metrics})
    print_questions(out, {name: metrics})
    if "confusion" in metrics and isinstance(model.target, Classes):
        out.print()
        print_confusion(out, metrics["confusion"], model.target.names)
