"""Results, as tables for people and as JSON for programs."""

import json as json_module
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from backlight.data import PARTS
from backlight.files import INTERRUPTED

if TYPE_CHECKING:
    from backlight.assessment import Standing
    from backlight.files import Conduct
    from backlight.training import EndRecord

_TITLES: Final = {
    "loss": "loss",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "exact": "all right",
    "r2": "R²",
    "rmse": "RMSE",
    "mae": "MAE",
}
_PIPE_WIDTH: Final = 10_000  # nothing is wrapped or cut in a file
_NAME: Final = 24
_MISTAKES: Final = 12
_SHARES: Final = ("accuracy", "macro_f1", "exact")


def console(*, stderr: bool = False) -> Console:
    """Where results are printed; names from the user's data are shown as they are, whatever brackets they hold.

    Args:
        stderr: whether it is for messages rather than for results.
    """
    found = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not found.is_terminal:
        found.width = _PIPE_WIDTH
    return found


def print_json(content: Any) -> None:
    """Print exactly one JSON object."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    sys.stdout.write(json_module.dumps(content, ensure_ascii=not unicode, allow_nan=False) + "\n")


def standing_of(conduct: "Conduct", end: "EndRecord") -> "Standing | None":
    """Where the result stands; None for a run that failed or was interrupted."""
    from backlight.assessment import standing

    if end.failed or end.reason == INTERRUPTED:
        return None
    assert conduct.model is not None
    return standing(conduct.run.settings, conduct.dataset, conduct.model.metrics)


def result_of(conduct: "Conduct", end: "EndRecord", standing: "Standing | None") -> dict[str, Any]:
    """What `train --json` prints."""
    assert conduct.model is not None
    training, rows = conduct.training, len(conduct.dataset.rows["train"])
    taken = end.step - conduct.start_step
    return {
        "run": str(conduct.run.folder),
        "stopped": end.reason,
        "epochs": end.epoch,
        "best_epoch": end.best_epoch,
        "steps": end.step,
        "parameters": conduct.network.learnt,
        "seconds": round(end.seconds, 3),
        "examples_per_second": round(taken / training.steps_per_epoch * rows / max(end.seconds, 1e-9), 1),
        "metrics": dict(conduct.model.metrics),
        **({"baseline": None, "linear": None, "warnings": []} if standing is None else standing.to_dict()),
    }


def print_result(conduct: "Conduct", end: "EndRecord", standing: "Standing | None") -> None:
    """The end of a training, for people."""
    out = console()
    assert conduct.model is not None
    folder = conduct.run.folder
    out.print(f"stopped   {end.reason}")
    if end.best_epoch is not None:
        out.print(f"kept      the weights of epoch {end.best_epoch}, the best on validation")
    out.print()
    print_metrics(out, conduct.model.metrics)
    print_questions(out, conduct.model.metrics)
    out.print()
    if standing is not None:
        print_standing(out, standing)
        out.print()
    out.print(f"saved     {folder}  ({end.seconds:.1f} s)", soft_wrap=True)
    if end.reason == INTERRUPTED:
        out.print(f"resume    backlight train --resume {folder}", soft_wrap=True)
    part = next(part for part in reversed(PARTS) if len(conduct.dataset.rows[part]))
    which = "" if part == "test" else f" --part {part}"
    out.print(f"next      backlight evaluate {folder}{which}", soft_wrap=True)
    out.print(f"          backlight predict {folder} {part}:0", soft_wrap=True)


def print_standing(out: Console, standing: "Standing") -> None:
    """The score with its interval, and what it is compared with, a line each; then what must be said of it."""
    from backlight.assessment import interval_text, score_text

    metrics, score = standing.metrics, standing.metrics["score"]
    lines = [f"score     {standing.part} {_TITLES[score]} {score_text(score, metrics[score])}"]
    if metrics["interval"] is not None:
        lines[0] += f" ({interval_text(score, metrics['interval'])} with 95 % confidence)"
    for label, rival in (("linear", standing.linear), ("baseline", standing.baseline)):
        if rival is not None:
            lines.append(f"{label:<10}{score_text(score, rival.metrics.get(score))}  {rival.what}")
    for line in [*lines, *(f"warning   {warning}" for warning in standing.warnings)]:
        out.print(line, soft_wrap=True)


def metrics_table(metrics: Mapping[str, Mapping[str, Any]]) -> Table:
    """One row per part, one column per metric."""
    names = [name for name in _TITLES if any(name in row for row in metrics.values())]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    for name in names:
        table.add_column(_TITLES[name], justify="right")
    for part, row in metrics.items():
        table.add_row(part, *(metric_cell(name, row.get(name)) for name in names))
    return table


def print_metrics(out: Console, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """The metrics as a table, or one below the other where the table does not fit."""
    table = metrics_table(metrics)
    if fits(out, table):
        out.print(table)
        return
    for part, row in metrics.items():
        out.print(part)
        for name in (name for name in _TITLES if name in row):
            out.print(f"  {_TITLES[name]:<10}{metric_cell(name, row[name])}")


def print_questions(out: Console, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    """The accuracy of each of several questions, one row per question and one column per part, where there are any."""
    by_part = {part: row["accuracies"] for part, row in metrics.items() if "accuracies" in row}
    if not by_part:
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("accuracy of")
    for part in by_part:
        table.add_column(part, justify="right")
    for name in next(iter(by_part.values())):
        table.add_row(short(name), *(metric_cell("accuracy", shares[name]) for shares in by_part.values()))
    out.print()
    if fits(out, table):
        out.print(table)
        return
    for part, shares in by_part.items():
        out.print(f"accuracy of, {part}")
        for name, share in shares.items():
            out.print(f"  {short(name)}  {metric_cell('accuracy', share)}")


def fits(out: Console, table: Table) -> bool:
    """Whether a table has room without anything being wrapped or cut."""
    return table.__rich_measure__(out, out.options.update(max_width=_PIPE_WIDTH)).maximum <= out.width


def metric_cell(name: str, value: float | None) -> str:
    """A metric as text.

    Example:
        >>> metric_cell("accuracy", 0.9815), metric_cell("loss", 0.07), metric_cell("rmse", 49213.4)
        ('98.15 %', '0.0700', '49,213')
        >>> metric_cell("loss", 3.2e19)
        '3.200e+19'
    """
    if value is None:
        return "–"
    if name in _SHARES:
        return f"{100 * value:.2f} %"
    if abs(value) >= 1e9 or 0 < abs(value) < 1e-4:
        return f"{value:.3e}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4f}"


def confusion_table(confusion: list[list[int]], names: list[str]) -> Table:
    """Rows: what examples are; columns: what they were taken for. Mistakes stand out."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), title_justify="left")
    table.add_column("is \\ taken for", style="bold", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", style="bold", no_wrap=True)
    for k, (name, row) in enumerate(zip(names, confusion, strict=True)):
        cells = [
            Text(str(count) if count else "·", style="" if c == k else "red" if count else "bright_black")
            for c, count in enumerate(row)
        ]
        table.add_row(name, *cells)
    return table


def mistakes_table(confusion: list[list[int]], names: list[str]) -> Table:
    """The most frequent mistakes, where there are too many classes for a table of all pairs."""
    counts = [(count, k, c) for k, row in enumerate(confusion) for c, count in enumerate(row) if count and c != k]
    counts.sort(key=lambda mistake: -mistake[0])
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("is", "taken for", "times"):
        table.add_column(title, justify="right" if title == "times" else "left", no_wrap=True)
    for count, k, c in counts[:_MISTAKES]:
        table.add_row(names[k], names[c], f"{count:,}")
    if len(counts) > _MISTAKES:
        table.add_row("…", "…", "", style="bright_black")
    return table


def confusion(out: Console, counts: list[list[int]], classes: tuple[str, ...]) -> Table:
    """The confusion matrix, with shorter names if need be, or the most frequent mistakes where it does not fit."""
    shorter = [short(name) for name in classes]
    tables = (confusion_table(counts, list(classes)), confusion_table(counts, shorter))
    return next((table for table in tables if fits(out, table)), mistakes_table(counts, shorter))


def short(name: str) -> str:
    """A name that fits into a column: of a long one, its beginning and its end.

    Example:
        >>> short("a very long name that goes on and on")
        'a very long nam…n and on'
    """
    return name if len(name) <= _NAME else f"{name[: _NAME - 9]}…{name[-8:]}"
