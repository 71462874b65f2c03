"""`backlight predict`: what a trained model says about new data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.arrays import Array
    from backlight.files import Model, Run

_SHOWN: Final = 20


@dataclass(frozen=True)
class Asked:
    """What is to be predicted.

    Attributes:
        x: prepared inputs (n, d).
        names: one per example.
        unseen: column → cells with a category that training never saw.
        truth: the known class or value of a single example, for comparison.
        notes: what a reader should know of how it was read.
    """

    x: "Array"
    names: tuple[str, ...]
    unseen: Mapping[str, int]
    truth: str | None = None
    notes: tuple[str, ...] = ()


def predict(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    what: Annotated[
        str, typer.Argument(help="A .csv with the same columns, an image or a folder of them, an .npz, or test:42.")
    ],
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Leave broken images out.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Ask the model of RUN about a file, or about one of the run's own examples."""
    from backlight.cli.report import print_json
    from backlight.files import Run

    opened = Run.open(run)
    model = opened.model()
    asked = ask(opened, model, what, skip_broken=skip_broken, quiet=json)
    answers = model.answers(asked.x)
    if json:
        predictions = [{"example": name, **answer} for name, answer in zip(asked.names, answers, strict=True)]
        print_json({"run": str(run), "predictions": predictions, "unseen": dict(asked.unseen), "notes": asked.notes})
    else:
        show_answers(model, asked, answers)


def ask(run: "Run", model: "Model", what: str, *, skip_broken: bool = False, quiet: bool = False) -> Asked:
    """Read what the model is asked about."""
    from backlight.cli.reading import read_new, watched_reading
    from backlight.data import PARTS

    if what.partition(":")[0] in PARTS and ":" in what:
        with watched_reading(quiet=quiet) as progress:
            dataset = run.dataset(progress)
        row = dataset.row_of(what)
        return Asked(dataset.x[[row]], (dataset.called(what),), {}, _truth(model, dataset.y[row]))
    if what.partition(":")[2].isdigit() and not Path(what).exists():
        raise InputError(f"{what!r} names no file and no example; examples are train:0, validation:0 or test:0")
    rows = read_new(run, model, Path(what), labels=None, skip_broken=skip_broken, labelled=False, quiet=quiet)
    return Asked(rows.x, rows.labels, rows.unseen, notes=rows.notes)


def _truth(model: "Model", y: Any) -> str:
    from backlight.data import Classes, Quantities

    if isinstance(model.target, Classes):
        return model.target.names[int(y)]
    if isinstance(model.target, Quantities):
        values = model.target.decode(y[None, :])[0]
        return ", ".join(f"{name} {value:.6g}" for name, value in zip(model.target.names, values, strict=True))
    return ", ".join(name for name, value in zip(model.target.names, y, strict=True) if value > 0.5) or "none"


def show_answers(model: "Model", asked: Asked, answers: list[dict[str, Any]]) -> None:
    """The answers for people: one example in full, many as a table."""
    from rich.table import Table

    from backlight.cli.drawing import draw_image
    from backlight.cli.report import console
    from backlight.data import ArrayInputs, ImageInputs

    out = console()
    if len(answers) == 1:
        if isinstance(model.inputs, ImageInputs | ArrayInputs) and len(model.inputs.shape) > 1:
            for line in draw_image(asked.x[0].reshape(model.inputs.shape), out.width):
                out.print(line, no_wrap=True, crop=True)
            out.print()
        for line in _in_full(asked, answers[0]):
            out.print(line, soft_wrap=True)
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("example")
        first = {k: v for k, v in answers[0].items() if not isinstance(v, Mapping)} or answers[0]["labels"]
        for name in first:
            table.add_column(name, justify="left" if name == "class" else "right")
        for name, answer in list(zip(asked.names, answers, strict=True))[:_SHOWN]:
            row = answer.get("labels", answer)
            table.add_row(name, *(_cell(column, row[column]) for column in first))
        out.print(table)
        if len(answers) > _SHOWN:
            out.print(f"… and {len(answers) - _SHOWN:,} more; --json has them all")
    for note in asked.notes:
        out.print(f"note: {note}", soft_wrap=True)
    for column, count in asked.unseen.items():
        out.print(f"note: {count:,} cells of {column!r} hold a category that training never saw; it counts as none")


def _cell(column: str, value: Any) -> str:
    if column == "confidence":
        return f"{100 * value:.1f} %"
    return value if isinstance(value, str) else f"{value:,.6g}"


def _in_full(asked: Asked, answer: dict[str, Any]) -> list[str]:
    lines = []
    known = f", and it is: {asked.truth}" if asked.truth is not None else ""
    if "class" in answer:
        lines.append(f"{asked.names[0]} is taken for: {answer['class']}{known}")
        ranked = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:10]
    elif "labels" in answer:
        lines.append(f"{asked.names[0]}{known}")
        ranked = list(answer["labels"].items())
    else:
        values = ", ".join(f"{name} {value:.6g}" for name, value in answer.items())
        return [f"{asked.names[0]} is predicted as: {values}{known}"]
    width = max(len(name) for name, _ in ranked)
    for name, value in ranked:
        bar = "█" * round(30 * min(max(value, 0.0), 1.0))
        lines.append(f"  {name:<{width}}  {100 * value:5.1f} %  {bar}".rstrip())
    return lines
