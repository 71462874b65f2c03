"""`backlight bench`: what the documentation claims about speed, measured here."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backlight.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

BUSY = 0.5  # processes at work, on average over a minute


def bench(
    only: Annotated[
        str | None,
        typer.Option(
            help="Of training, examples, augment, cost, memory, commands, explaining, imports (default: these), "
            "large, labels, accuracy."
        ),
    ] = None,
    workloads: Annotated[str, typer.Option(help="Which of the workloads A to E.")] = "A,B,C,D,E",
    data: Annotated[
        str | None,
        typer.Option(help="What accuracy is compared on, such as wine,mnist (default: all but the two MNIST)."),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often to measure; of labels and accuracy, seeds, 5 at most.")] = 7,
    threads: Annotated[int, typer.Option(help="For every system.")] = 2,
    out: Annotated[Path | None, typer.Option(help="Write the picture of labels, ending in .svg.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """Measure Backlight beside PyTorch, JAX and scikit-learn, as far as they are installed, in interleaved rounds.

    'make bench' makes an environment that has them all. Nothing else should be working on the machine.
    """
    from backlight.bench.real_data import data_named
    from backlight.bench.sections import SPEED, TABLES, Plan, measure, sections_named
    from backlight.bench.workloads import workloads_named
    from backlight.cli.explaining import check_drawing
    from backlight.cli.report import console, print_json

    sections = SPEED if only is None else sections_named(only)
    compared = TABLES if data is None else data_named(data)
    if out is not None:
        if "labels" not in sections:
            raise InputError("--out is the picture of the section labels; give --only labels with it, or leave it out")
        check_drawing(out, (".svg",))
    plan = Plan(sections, workloads_named(workloads), rounds, threads, compared)
    screen = console(stderr=True)

    def say(text: str) -> None:
        screen.print(text, style="bright_black", soft_wrap=True)

    def show_row(section: str, row: Mapping[str, Any]) -> None:
        if section == "accuracy" and "left_out" not in row:
            say(accuracy_line(row))

    found = measure(plan, say, show_row)
    if out is not None and found.get("labels"):
        write_labels(out, found["labels"])
        typer.echo(f"picture   {out}", err=True)
    if json:
        print_json(found)
    else:
        show(found, console())
    if "interrupted" in found:
        raise typer.Exit(130)


def show(found: Mapping[str, Any], out: "Console") -> None:
    """Everything that was measured, as tables."""
    machine = found["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    out.print(f"{machine['processor']}, {machine['cores']} cores, {machine['system']}; {found['threads']} threads")
    out.print(f"{versions}; engine {machine['engine']['name']}")
    if (machine["load"] or 0) > BUSY:
        out.print(f"the machine was busy when this began (load {machine['load']}): measure again when it is not")
    for key, why in found["missing"].items():
        out.print(f"left out: {key}: {why}")
    if found.get("interrupted"):
        out.print("interrupted: this is what had been measured by then", soft_wrap=True)
    shows = {
        "workloads": show_workloads,
        "examples": show_examples,
        "augment": show_augmenting,
        "cost": show_cost,
        "memory": show_memory,
        "commands": show_commands,
        "explaining": show_explaining,
        "imports": show_imports,
        "large": show_large,
        "labels": show_labels,
        "accuracy": show_accuracy,
    }
    for name, shower in shows.items():
        if found.get(name):
            out.print()
            shower(found[name], out)


def show_workloads(workloads: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Microseconds per step, and ratios."""
    from backlight.bench.systems import PEERS

    def ratio(workload: Mapping[str, Any], key: str) -> str:
        found = workload["over_backlight"].get(key)
        return "–" if found is None else f"{found:.2f}"

    out.print("Training, microseconds per step: medians")
    columns = ["", "Backlight", *(peer.short for peer in PEERS)]
    rows = [
        [w["name"], number(w["backlight_us"]), *(number(w["peers"].get(f"{p.key}_us")) for p in PEERS)]
        for w in workloads
    ]
    out.print(table(columns, rows))
    out.print("\nTimes Backlight's median; of the arithmetic peak, the share that Backlight reaches")
    columns = ["", "best peer", *(peer.short for peer in PEERS), "peak"]
    rows = [
        [
            w["name"],
            "–" if w["best_peer_over_backlight"] is None else f"{w['best_peer_over_backlight']:.2f}",
            *(ratio(w, peer.key) for peer in PEERS),
            f"{w['share_of_peak']:.1%}",
        ]
        for w in workloads
    ]
    out.print(table(columns, rows))
    for w in workloads:
        out.print(f"{w['name']}: {w['what']}; the largest product reaches {w['peak_gflops']:.0f} GFLOP/s")
        for key, why in w["left_out"].items():
            out.print(f"   without {key}: {why}", soft_wrap=True)


def show_examples(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Per-example losses and gradient norms."""
    out.print("Recording every example's loss and gradient norm, microseconds per step")
    columns = ["", "step", "recorded", "extra", "torch.func", "times"]
    out.print(
        table(
            columns,
            [
                [
                    row["name"],
                    number(row["step_us"]),
                    number(row["recorded_step_us"]),
                    f"{row['extra_share']:.1%}",
                    number(row.get("norms_us")),
                    number(row["norms_over_recorded_step"]),
                ]
                for row in rows
            ],
        )
    )


def show_augmenting(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """What augmentation adds to a step, and Pillow's time for an image."""
    out.print("Augmenting 28 x 28 images in workload B, microseconds; Pillow from array to array,")
    out.print("and of that its transform alone")
    columns = ["", "step", "added", "an image", "Pillow", "transform", "times"]
    lines = [
        [
            row["what"],
            number(row["step_us"]),
            f"{row['added']:.1%}",
            *(number(row[key]) for key in ("image_us", "pillow_us", "transform_us", "pillow_over_image")),
        ]
        for row in rows
    ]
    out.print(table(columns, lines))


def show_cost(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """What a step and a gradient cost, by size."""
    out.print("Cost by size, batch 100, microseconds")
    out.print(
        table(
            ["parameters", "step", "GFLOP/s", "gradient", "forward", "gradient/forward"],
            [
                [
                    f"{row['parameters']:,}",
                    number(row["step_us"]),
                    f"{row['gflops']:.1f}",
                    number(row["gradient_us"]),
                    number(row["forward_us"]),
                    f"{row['gradient_over_forward']:.2f}",
                ]
                for row in rows
            ],
        )
    )


def show_memory(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Memory beside data, parameters and optimizer state."""
    out.print("Memory in training, MB: what is needed beside data, parameters and optimizer state")
    columns = ["", "beside", "data", "parameters", "a batch's activations"]
    keys = ("beside_mb", "data_mb", "parameters_mb", "batch_mb")
    out.print(table(columns, [[row["name"], *(f"{row[key]:,.1f}" for key in keys)] for row in rows]))


def show_commands(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Whole commands."""
    out.print("The whole command: 60,000 images read, three epochs of B, evaluated, saved")
    columns = ["", "seconds", "installed MB"]
    out.print(table(columns, [[row["title"], f"{row['seconds']:.2f}", f"{row['installed_mb']:,.0f}"] for row in rows]))


def show_explaining(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """How long explanations take."""
    out.print("Explaining, on a network 784-512-512-10")
    out.print(table(["", "milliseconds"], [[row["what"], number(row["seconds"], 1000)] for row in rows]))


def show_imports(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """How long importing takes."""
    out.print("Importing, each in a fresh interpreter")
    columns = ["", "milliseconds", f"times {rows[0]['statement']!r}"]
    out.print(table(columns, [[row["statement"], number(row["seconds"], 1000), f"{row['ratio']:.2f}"] for row in rows]))


def show_large(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """A table that is read in a stream."""
    (row,) = rows
    out.print(f"A table of {row['rows']:,} rows and {row['columns']} columns, {number(row['file_mb'])} MB")
    lines = [
        ["DuckDB reads every cell", row["scan_seconds"]],
        ["Backlight does so", row["read_seconds"]],
        ["all that goes before training", row["load_seconds"]],
    ]
    out.print(table(["", "seconds"], [[what, number(seconds)] for what, seconds in lines]))
    out.print(f"reading reaches {row['scan_over_read']:.0%} of DuckDB's speed")
    out.print(f"training holds {number(row['peak_mb'])} MB at its peak")


def write_labels(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """The picture of accuracy against the number of labels."""
    from backlight.bench.labels import labels_chart
    from backlight.plots import charts_file
    from backlight.storage import write_bytes

    write_bytes(path, charts_file((labels_chart(rows),), "Accuracy against the number of labels").encode())


def show_labels(found: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Errors against the number of labels."""
    from backlight.bench.labels import WAYS

    out.print("MNIST, digits 5 to 9: errors on the test part in %, mean over seeds, against labels per class")
    rows = [[f"{row['labels']:,}", *(f"{100 * row[way.name]['mean']:.2f}" for way in WAYS)] for row in found]
    out.print(table(["labels", *(way.name for way in WAYS)], rows))
    for way in WAYS:
        out.print(f"{way.name}: {way.title}")


def show_accuracy(rows: Sequence[Mapping[str, Any]], out: "Console") -> None:
    """Scores, what Backlight is ahead by of the first peer, and seconds."""
    from backlight.bench.scored import PEERS_BY_SCORE

    measured = [row for row in rows if "left_out" not in row]
    columns = ["", "rows", "score", "Backlight", *(peer.short for peer in PEERS_BY_SCORE)]
    if measured:
        out.print("Scores on the test part, %: means over seeds")
        out.print(table(columns, [_scores(row) for row in measured]))
    ahead = [(row["name"], row["ahead"]["mlp"]) for row in measured if "mlp" in row["ahead"]]
    if ahead:
        out.print("\nBacklight ahead of MLP, percentage points: mean, 95 % intervals over test rows and over seeds")
        lines = [[name, f"{100 * a['mean']:+.2f}", span(a["over_rows"]), span(a["over_seeds"])] for name, a in ahead]
        out.print(table(["", "mean", "over rows", "over seeds"], lines))
    if measured:
        out.print("\nSeconds to train: medians over seeds")
        out.print(table(["", *columns[3:]], [_seconds(row) for row in measured]))
    for row in rows:
        if "left_out" in row:
            out.print(f"left out: {row['name']}: {row['left_out']}", soft_wrap=True)


def accuracy_line(row: Mapping[str, Any]) -> str:
    """The scores on a data set in a line of their own, for those who wait for the others.

    Example:
        >>> accuracy_line({"name": "wine", "score": "r2", "rows": 9, "systems": {"backlight": {"score": 0.25}}})
        'wine: R², %: Backlight 25.00'
    """
    from backlight.bench.scored import PEERS_BY_SCORE

    (name, _, score, *cells) = _scores(row)
    told = zip(("Backlight", *(peer.short for peer in PEERS_BY_SCORE)), cells, strict=True)
    return f"{name}: {score}, %: " + ", ".join(f"{who} {cell}" for who, cell in told if cell != "–")


def _scores(row: Mapping[str, Any]) -> list[str]:
    systems = _in_order(row)
    scores = ["–" if found is None else f"{100 * found['score']:.2f}" for found in systems]
    return [row["name"], f"{row['rows']:,}", {"r2": "R²"}.get(row["score"], row["score"]), *scores]


def _seconds(row: Mapping[str, Any]) -> list[str]:
    return [row["name"], *(number(None if found is None else found["seconds"]) for found in _in_order(row))]


def _in_order(row: Mapping[str, Any]) -> list[Mapping[str, Any] | None]:
    """Backlight and then its peers, None for one that is not installed."""
    from backlight.bench.scored import PEERS_BY_SCORE

    return [row["systems"].get(key) for key in ("backlight", *(peer.key for peer in PEERS_BY_SCORE))]


def span(bounds: Sequence[float] | None) -> str:
    """An interval in percentage points.

    Example:
        >>> span([-0.0123, 0.02]), span(None)
        ('-1.23 to +2.00', '–')
    """
    return "–" if bounds is None else f"{100 * bounds[0]:+.2f} to {100 * bounds[1]:+.2f}"


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Any:
    """A table whose first column is words and whose others are numbers."""
    from rich.table import Table

    found = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for k, column in enumerate(columns):
        found.add_column(column, justify="right" if k else "left")
    for row in rows:
        found.add_row(*row)
    return found


def number(value: float | None, times: float = 1) -> str:
    """Three digits at least, thousands apart.

    Example:
        >>> number(8.04), number(227.15), number(81180.7), number(None)
        ('8.04', '227', '81,181', '–')
    """
    if value is None:
        return "–"
    value *= times
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
