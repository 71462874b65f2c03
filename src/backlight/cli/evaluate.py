"""`backlight evaluate`: how good a trained model is."""

from pathlib import Path
from typing import Annotated

import typer


def evaluate(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    file: Annotated[
        Path | None, typer.Argument(help="A labelled .csv, .npz or folder of images; the run's own data unless given.")
    ] = None,
    part: Annotated[str | None, typer.Option(help="train, validation or test (default: test).")] = None,
    labels: Annotated[str | None, typer.Option(help="A CSV of names and labels of the images in FILE.")] = None,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Leave broken images out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure the model of RUN on a part of its data, or on a labelled FILE."""
    from backlight.cli.reading import read_new, watched_reading
    from backlight.cli.report import console, print_confusion, print_json, print_metrics
    from backlight.data import Classes
    from backlight.errors import InputError
    from backlight.files import Run

    if file is not None and part is not None:
        raise InputError("--part chooses from the run's own data; leave it out when a file is given")
    if file is None and (labels is not None or skip_broken):
        raise InputError("--labels and --skip-broken are for the images of a FILE, and none is given")
    opened = Run.open(run)
    model = opened.model()
    notes: tuple[str, ...] = ()
    if file is None:
        name = part or "test"
        with watched_reading(quiet=json) as progress:
            x, y = opened.dataset(progress).part(name)
        if len(y) == 0:
            raise InputError(f"the run's data have no {name} part; choose another with --part, or give a labelled file")
    else:
        rows = read_new(opened, model, file, labels=labels, skip_broken=skip_broken, labelled=True, quiet=json)
        assert rows.y is not None
        name, x, y, notes = str(file), rows.x, rows.y, rows.notes
    metrics = model.measure(x, y, engine=opened.settings.engine)
    if json:
        print_json({"run": str(run), "examples": len(y), "data": name, "notes": notes, "metrics": metrics})
        return
    out = console()
    out.print(f"{name}: {len(y):,} examples\n")
    for note in notes:
        out.print(f"note: {note}", soft_wrap=True)
    print_metrics(out, {name: metrics})
    if "confusion" in metrics and isinstance(model.target, Classes):
        out.print()
        print_confusion(out, metrics["confusion"], model.target.names)
