"""`backlight data show`: what Backlight sees in data before any training."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from backlight.data import Dataset
    from backlight.data.tables.describing import ColumnSeen, TableSeen
    from backlight.plots import Block

_PICTURES: Final = 10
_CLASSES: Final = 20
_COLUMNS: Final = 60


def show_data(
    data: Annotated[str, typer.Argument(help="A built-in name, or a file or folder as for 'train'.")],
    target: Annotated[list[str] | None, typer.Option(help="The column to predict; may be repeated.")] = None,
    task: Annotated[str | None, typer.Option(help="classification or regression.")] = None,
    group: Annotated[str | None, typer.Option(help="Rows alike in this column stay in one part.")] = None,
    time: Annotated[str | None, typer.Option(help="Test on the latest rows by this column.")] = None,
    split: Annotated[str | None, typer.Option(help="A column that says train, validation or test.")] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Columns not to learn from.")] = None,
    keep: Annotated[list[str] | None, typer.Option(help="Columns to learn from whatever they look like.")] = None,
    types: Annotated[list[str] | None, typer.Option(help="COLUMN=number, text or date.")] = None,
    separator: Annotated[str | None, typer.Option(help="Between cells, such as ';', tab or space.")] = None,
    size: Annotated[str | None, typer.Option(help="Of images, such as 32x32 (default: theirs, up to 64).")] = None,
    gray: Annotated[bool, typer.Option("--gray", help="Drop the colours of images.")] = False,
    labels: Annotated[str | None, typer.Option(help="A CSV of image names and labels.")] = None,
    label_from: Annotated[str | None, typer.Option(help="A pattern in image names, such as '(.+)_'.")] = None,
    skip_broken: Annotated[bool, typer.Option("--skip-broken", help="Leave broken images out.")] = False,
    augment: Annotated[
        str | None, typer.Option(help="Write a picture of images beside their variants, as for 'train'.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="That picture's name, ending in .png (default: DATA-augmented.png).")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a self-contained page.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Show what Backlight sees in DATA: its columns, its classes, its pictures, and what would be learnt from.

    Examples: 'backlight data show houses.csv', 'backlight data show houses.csv --target price',
    'backlight data show scans/ --labels names.csv',
    'backlight data show mnist --augment rotate=12,elastic=34:4'.
    """
    from backlight.cli.blocks import show_blocks
    from backlight.cli.data_variants import check_variants, show_variants
    from backlight.cli.explaining import check_page
    from backlight.cli.reading import watched_reading
    from backlight.cli.report import console, print_json
    from backlight.data import BUILTIN, TableOptions
    from backlight.data.loading import is_table, refuse_options
    from backlight.data.tables.describing import describe_table
    from backlight.files import Settings, load_for
    from backlight.plots import Figure

    check_page(html)
    check_variants(augment, out, html)
    settings = Settings(
        data,
        target=tuple(target or ()),
        task=task,
        drop=tuple(drop or ()),
        keep=tuple(keep or ()),
        types=tuple(types or ()),
        separator=separator,
        group=group,
        time=time,
        split=split,
        size=size,
        gray=gray,
        labels=labels,
        label_from=label_from,
        skip_broken=skip_broken,
        augment=augment,
    )
    settings.check()
    if augment is not None:
        show_variants(settings, out, json=json)
        return
    table = is_table(data) and data not in BUILTIN
    if table:
        refuse_options(data, settings.options(), TableOptions)
    with watched_reading(quiet=json) as progress:
        dataset = None if table and not target else load_for(settings, progress)
    seen = describe_table(data, settings.table_options()) if table else None
    if json:
        print_json(_as_json(data, seen, dataset))
        return
    blocks = _blocks(data, seen, dataset)
    if html is not None:
        Figure(data, tuple(blocks)).save(html)
        typer.echo(f"page      {html}", err=True)
        return
    show_blocks(blocks, console())


def _as_json(data: str, seen: "TableSeen | None", dataset: "Dataset | None") -> dict[str, Any]:
    content: dict[str, Any] = {"data": data}
    if seen is not None:
        content |= {"rows": seen.rows, "columns": [column.to_dict() for column in seen.columns]}
        content |= {"left_out": dict(seen.left_out), "notes": list(seen.notes)}
    if dataset is not None:
        content["parts"] = {part: len(rows) for part, rows in dataset.rows.items()}
        content["unlabelled"] = dataset.unlabelled
        content["inputs"] = dataset.inputs.to_dict()
        content["target"] = dataset.target.to_dict()
        content["classes"] = {title: dict(counts) for title, counts in _counted(dataset)}
        content["notes"] = list(dict.fromkeys([*content.get("notes", ()), *dataset.notes]))
    return content


def _blocks(data: str, seen: "TableSeen | None", dataset: "Dataset | None") -> "list[Block]":
    from backlight.plots import Heading, Table, Text

    blocks: list[Block] = [Heading(f"What {data} holds", 1)]
    if seen is not None:
        blocks += [Text(f"{seen.rows:,} rows, {len(seen.columns) + len(seen.left_out):,} columns"), *_columns(seen)]
    left_out: dict[str, str] = dict(seen.left_out) if seen is not None else {}
    notes = list(seen.notes) if seen is not None else []
    if dataset is not None:
        left_out |= getattr(dataset.inputs, "left_out", {})
        notes = list(dict.fromkeys([*notes, *dataset.notes]))
        blocks += _learnt(dataset)
    elif seen is not None:
        blocks.append(Text("Give --target COLUMN to see what would be learnt from.", "note"))
    if left_out:
        blocks += [Heading("Left out"), Table(("column", "why"), tuple(left_out.items()))]
    blocks += [Text(note, "warning") for note in notes]
    return blocks


def _columns(seen: "TableSeen") -> "list[Block]":
    from backlight.plots import Table, Text

    rows = tuple(
        (column.name, column.type, column.missing or None, _range(column), sparkline(column.histogram))
        for column in seen.columns[:_COLUMNS]
    )
    blocks: list[Block] = [Table(("column", "type", "missing", "values", "how often"), rows)]
    if len(seen.columns) > _COLUMNS:
        blocks.append(Text(f"… and {len(seen.columns) - _COLUMNS:,} more columns; --json has them all", "note"))
    return blocks


def _range(column: "ColumnSeen") -> str:
    from backlight.plots import number

    if column.different is not None:
        shown = len(column.commonest) if column.different == len(column.commonest) else 3
        texts = ", ".join(f"{text} ({count:,})" for text, count in column.commonest[:shown])
        return texts + (f" and {column.different - shown:,} more" if column.different > shown else "")
    if column.low is None:
        return "none"
    low, high = (number(end) if isinstance(end, float) else str(end) for end in (column.low, column.high))
    mean = f", mean {number(column.mean)}" if column.mean is not None else ""
    return f"{low} to {high}{mean}"


def sparkline(counts: Sequence[int]) -> str:
    """Counts as a row of bars; whatever is not 0 can be seen.

    Example:
        >>> sparkline([0, 1, 4, 8])
        ' ▁▄█'
    """
    from backlight.cli.drawing import BARS

    most = max(counts, default=0) or 1
    return "".join(f" {BARS}"[-(-count * len(BARS) // most)] for count in counts)


def _learnt(dataset: "Dataset") -> "list[Block]":
    from backlight.data import Quantities
    from backlight.plots import Bars, Heading, Table, Text

    parts = ", ".join(f"{part} {len(rows):,}" for part, rows in dataset.rows.items())
    without = f"; {dataset.unlabelled:,} rows without a target" if dataset.unlabelled else ""
    blocks: list[Block] = [Heading("What would be learnt"), Text(f"{dataset.inputs.width:,} inputs; {parts}{without}")]
    if isinstance(dataset.target, Quantities):
        ranges = zip(dataset.target.names, dataset.target.mean, dataset.target.std, strict=True)
        rows = tuple((name, mean, std) for name, mean, std in ranges)
        blocks.append(Table(("quantity", "mean of the training part", "standard deviation"), rows))
    for title, counts in _counted(dataset):
        shown = counts[:_CLASSES]
        more = f" (the commonest {_CLASSES} of {len(counts)})" if len(counts) > _CLASSES else ""
        names, values = tuple(name for name, _ in shown), tuple(float(count) for _, count in shown)
        blocks.append(Bars(names, values, f"{title}: examples of each class{more}"))
    return blocks + _pictures(dataset)


def _counted(dataset: "Dataset") -> list[tuple[str, list[tuple[str, int]]]]:
    """The classes of every question with their examples; the commonest first if many."""
    from backlight.data.dataset import class_counts

    counted = [(title, list(counts.items())) for title, counts in class_counts(dataset).items()]
    for _, counts in counted:
        if len(counts) > _CLASSES:
            counts.sort(key=lambda pair: -pair[1])
    return counted


def _pictures(dataset: "Dataset") -> "list[Block]":
    """The first training example of every class, or the first few, where examples are images."""
    import numpy as np

    from backlight.data import Classes, TableInputs
    from backlight.plots import Gallery, Picture

    inputs, rows = dataset.inputs, dataset.rows["train"]
    if isinstance(inputs, TableInputs) or len(inputs.shape) < 2 or not len(rows):
        return []
    chosen = rows[:_PICTURES]
    if isinstance(dataset.target, Classes):
        chosen = rows[np.unique(dataset.y[rows], return_index=True)[1]][:_PICTURES]
    names = [str(_name(dataset, int(row))) for row in chosen]
    images = [dataset.x[row].reshape(inputs.shape).astype(np.float64) for row in chosen]
    return [Gallery(tuple(Picture(image, caption=name) for image, name in zip(images, names, strict=True)))]


def _name(dataset: "Dataset", row: int) -> str:
    from backlight.data import Classes

    if isinstance(dataset.target, Classes):
        return dataset.target.names[int(dataset.y[row])]
    return dataset.example_of(row)
