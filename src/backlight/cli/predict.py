"""`backlight predict`: what a trained model says about new data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

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
    code: Annotated[
        bool, typer.Option("--code", help="An autoencoder's code of each example, as CSV or JSON.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Ask the model of RUN about a file, or about one of the run's own examples."""
    from backlight.cli.report import print_json
    from backlight.files import Run
    from backlight.files.starting import encoder

    opened = Run.open(run)
    model = opened.model()
    coding = encoder(model) if code else None
    asked = ask(opened, model, what, skip_broken=skip_broken, quiet=json)
    if coding is not None:
        answers = [{"code": row} for row in coding.predict(asked.x).tolist()]
    else:
        answers = model.answers(asked.x)
    if code and not json:
        _write_codes(asked, [answer["code"] for answer in answers])
    elif json:
        predictions = [{"example": name, **answer} for name, answer in zip(asked.names, answers, strict=True)]
        print_json({"run": str(run), "predictions": predictions, "unseen": dict(asked.unseen), "notes": asked.notes})
    else:
        show_answers(model, asked, answers)


def _write_codes(asked: Asked, codes: list[list[float]]) -> None:
    """Codes as CSV on stdout: a line for the names of columns, then one per example."""
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["example", *(f"code{k}" for k in range(len(codes[0])))])
    for name, row in zip(asked.names, codes, strict=True):
        writer.writerow([name, *(f"{value:.9g}" for value in row)])


def ask(run: "Run", model: "Model", what: str, *, skip_broken: bool = False, quiet: bool = False) -> Asked:
    """Read what the model is asked about."""
    from backlight.cli.reading import new_options, watched_reading
    from backlight.data import PARTS, read_rows

    if what.partition(":")[0] in PARTS and ":" in what:
        with watched_reading(quiet=quiet) as progress:
            dataset = run.dataset(progress)
        row = dataset.row_of(what)
        return Asked(dataset.x[[row]], (dataset.called(what),), {}, _truth(model, dataset.y[row]))
    if what.partition(":")[2].isdigit() and not Path(what).exists():
        raise InputError(f"{what!r} names no file and no example; examples are train:0, validation:0 or test:0")
    with watched_reading(quiet=quiet) as progress:
        options = new_options(run, what, skip_broken=skip_broken, progress=progress)
        rows = read_rows(what, model.inputs, model.target, labelled=False, options=options)
    return Asked(rows.x, rows.labels, rows.unseen, notes=rows.notes)


def _truth(model: "Model", y: Any) -> str | None:
    from backlight.data import Classes, Quantities, Reconstruction, SeveralClasses

    if isinstance(model.target, Reconstruction):
        return None

    if isinstance(model.target, Classes):
        return model.target.names[int(y)]
    if isinstance(model.target, SeveralClasses):
        return ", ".join(model.target.decode(y[None, :])[0])
    if isinstance(model.target, Quantities):
        values = model.target.decode(y[None, :])[0]
        return ", ".join(f"{name} {value:.6g}" for name, value in zip(model.target.names, values, strict=True))
    return ", ".join(name for name, value in zip(model.target.names, y, strict=True) if value > 0.5) or "none"


def show_answers(model: "Model", asked: Asked, answers: list[dict[str, Any]]) -> None:
    """The answers for people: one example in full, many as a table."""
    from rich.table import Table

    from backlight.cli.report import console

    out = console()
    if len(answers) == 1:
        for line in _drawn(model, asked.x[0], answers[0], out.width):
            out.print(line, no_wrap=True, crop=True)
        for line in _in_full(asked, answers[0]):
            out.print(line, soft_wrap=True)
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("example")
        rows = [_row(answer) for answer in answers[:_SHOWN]]
        for column, _, justify in rows[0]:
            table.add_column(column, justify=justify)
        for name, row in zip(asked.names, rows, strict=False):
            table.add_row(name, *(cell for _, cell, _ in row))
        out.print(table)
        if len(answers) > _SHOWN:
            out.print(f"… and {len(answers) - _SHOWN:,} more; --json has them all")
    for note in asked.notes:
        out.print(f"note: {note}", soft_wrap=True)
    for column, count in asked.unseen.items():
        out.print(f"note: {count:,} cells of {column!r} hold a category that training never saw; it counts as none")


def _drawn(model: "Model", x: "Array", answer: Mapping[str, Any], room: int) -> list[str]:
    """An image as lines, and below it what an autoencoder gives back; nothing where examples are no images."""
    import numpy as np

    from backlight.cli.drawing import draw_image
    from backlight.data import TableInputs

    inputs = model.inputs
    if isinstance(inputs, TableInputs) or len(inputs.shape) < 2:
        return []
    lines = [*draw_image(x.reshape(inputs.shape), room), ""]
    if "reconstruction" in answer:
        lines += ["is given back as", *draw_image(np.array(answer["reconstruction"]).reshape(inputs.shape), room), ""]
    return lines


def _row(answer: Mapping[str, Any]) -> list[tuple[str, str, Literal["left", "right"]]]:
    """An answer as (column, cell, where it stands in its column)."""
    if "reconstruction" in answer:
        return [("RMSE", f"{answer['rmse']:.4g}", "right")]
    if "probabilities" not in answer:
        return [(name, f"{value:,.6g}", "right") for name, value in answer.get("labels", answer).items()]
    picked = answer.get("classes") or {"class": answer["class"]}
    confidence = f"{100 * answer['confidence']:.1f} %"
    return [*((name, label, "left") for name, label in picked.items()), ("confidence", confidence, "right")]


def _in_full(asked: Asked, answer: dict[str, Any]) -> list[str]:
    lines = []
    known = f", and it is: {asked.truth}" if asked.truth is not None else ""
    if "reconstruction" in answer:
        return [f"{asked.names[0]} is given back with an RMSE of {answer['rmse']:.4g}"]
    if "class" in answer:
        lines.append(f"{asked.names[0]} is taken for: {answer['class']}{known}")
        ranked = sorted(answer["probabilities"].items(), key=lambda item: -item[1])[:10]
    elif "classes" in answer:
        return _in_full_by_question(asked.names[0], answer, known)
    elif "labels" in answer:
        lines.append(f"{asked.names[0]}{known}")
        ranked = list(answer["labels"].items())
    else:
        values = ", ".join(f"{name} {value:.6g}" for name, value in answer.items())
        return [f"{asked.names[0]} is predicted as: {values}{known}"]
    return lines + _bars(ranked)


def _in_full_by_question(name: str, answer: dict[str, Any], known: str) -> list[str]:
    """The whole answer, then what was picked for each question and what is likeliest besides."""
    lines = [
        f"{name} is taken for: {', '.join(answer['classes'].values())} ({100 * answer['confidence']:.1f} %){known}"
    ]
    picked, others = [], []
    for column, probabilities in answer["probabilities"].items():
        (first, p), (second, q) = sorted(probabilities.items(), key=lambda item: -item[1])[:2]
        picked.append((f"{column}: {first}", p))
        others.append(f"  or {second}, {100 * q:.1f} %")
    return lines + [line + other for line, other in zip(_bars(picked, padded=True), others, strict=True)]


def _bars(shares: Sequence[tuple[str, float]], *, padded: bool = False) -> list[str]:
    """One line per share: its name, the number, and a bar."""
    width, lines = max(len(name) for name, _ in shares), []
    for name, value in shares:
        bar = "█" * round(30 * min(max(value, 0.0), 1.0))
        line = f"  {name:<{width}}  {100 * value:5.1f} %  {bar}"
        lines.append(f"{line:<{width + 43}}" if padded else line.rstrip())
    return lines
