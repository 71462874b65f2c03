"""How a training looks in the terminal while it goes on: a consumer of its records."""

import math
import time
from typing import TYPE_CHECKING, Final

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from backlight.cli.drawing import BARS
from backlight.cli.lr_auto import said_of
from backlight.cli.report import console
from backlight.engine import WholeBatch
from backlight.training import EndRecord, EpochRecord, Record, StepsRecord, make_optimizer

if TYPE_CHECKING:
    from backlight.files import Conduct, Settings

_LINE_SECONDS: Final = 1.0
_MOST_LINES: Final = 6
_BESIDES: Final = ("weight_decay", "l1", "l2", "label_smoothing", "clip", "clip_examples", "average")


def show_run(conduct: "Conduct", *, quiet: bool = False) -> EndRecord:
    """Drive a run's records to their end, showing them on stderr; return the last.

    Args:
        conduct: the run.
        quiet: show nothing unless stderr is a terminal.
    """
    screen = console(stderr=True)
    if screen.is_terminal and not screen.is_dumb_terminal:
        return _show_live(conduct, screen)
    end = None
    lines = PlainLines(conduct)
    for record in conduct.records():
        if not quiet:
            for line in lines.of(record):
                screen.print(line, soft_wrap=True)
        if isinstance(record, EndRecord):
            end = record
    assert end is not None
    return end


def heading(conduct: "Conduct") -> list[str]:
    """What is trained on what, and how."""
    dataset, settings = conduct.dataset, conduct.run.settings
    rate = "" if settings.lr is None else f", lr {settings.lr:g}"
    rate += "" if settings.schedule == "constant" else f" ({settings.schedule})"
    parts = " · ".join(f"{part} {len(rows):,}" for part, rows in dataset.rows.items() if len(rows))
    lines = [
        f"data      {dataset.name}: {parts}",
        f"network   {str(conduct.network).removeprefix('Network ')}",
        *_start(conduct),
        f"training  {settings.loss}, {settings.optimizer}{rate}, batch {_batch(settings)}, seed {settings.seed}",
    ]
    optimizer = make_optimizer(settings.optimizer)
    search = optimizer.told(conduct.network.params.size) if isinstance(optimizer, WholeBatch) else None
    lines += [] if search is None else [f"search    {search}"]
    besides = [f"{name.replace('_', ' ')} {getattr(settings, name):g}" for name in _BESIDES if getattr(settings, name)]
    besides += [] if settings.augment is None else [f"augment {settings.augment}"]
    if besides:
        lines.append(f"with      {', '.join(besides)}")
    lines += said_of(conduct.run)
    left_out = getattr(dataset.inputs, "left_out", {})
    lines += _at_most([f"left out  {column}: {reason}" for column, reason in left_out.items()], "columns")
    lines += _at_most([f"note      {note}" for note in dataset.notes], "notes")
    if dataset.unlabelled:
        lines.append(f"left out  {dataset.unlabelled} rows without a target")
    if conduct.start_step:
        lines.append(f"resumed   at step {conduct.start_step:,}")
    return lines


def _batch(settings: "Settings") -> str:
    """How many examples a batch has, and how many batches a step."""
    return f"{settings.batch_size}" + (f" × {settings.accumulate}" if settings.accumulate > 1 else "")


def _start(conduct: "Conduct") -> list[str]:
    """Where the first layers come from, and which of them stay as they are."""
    run, frozen = conduct.run, len(conduct.training.plan.frozen)
    if run.started_from is None:
        return []
    told = "nothing frozen" if not frozen else f"the first {frozen} layers frozen" if frozen > 1 else "layer 0 frozen"
    return [f"start     {run.started_from}, {told}"]


def _at_most(lines: list[str], what: str) -> list[str]:
    """The first lines, and how many more there are."""
    if len(lines) <= _MOST_LINES:
        return lines
    return [*lines[: _MOST_LINES - 1], f"          and {len(lines) - _MOST_LINES + 1:,} more {what}"]


def metric_texts(record: EpochRecord) -> list[str]:
    """The losses, and the metric that people know."""
    texts = [f"loss {record.train['loss']:.4f}"]
    watched = record.watched()
    where = "validation" if record.validation is not None else "training"
    if record.validation is not None:
        texts.append(f"validation loss {watched['loss']:.4f}")
    if "accuracy" in watched:
        texts.append(f"{where} accuracy {100 * watched['accuracy']:.2f} %")
        if "exact" in watched:
            texts.append(f"all right {100 * watched['exact']:.2f} %")
    elif watched.get("r2") is not None:
        texts.append(f"{where} R² {watched['r2']:.4f}")
    if record.lr is not None:
        texts.append(f"lr {record.lr:.2g}")
    return texts


class PlainLines:
    """Lines for a file or a pipe: at most one a second, and always the first and the last epoch's."""

    def __init__(self, conduct: "Conduct") -> None:
        self._heading = heading(conduct)
        self._epochs = conduct.run.settings.epochs
        self._spoken = -_LINE_SECONDS
        self._pending: str | None = None
        self._rate = 0.0

    def of(self, record: Record) -> list[str]:
        """The lines that a record gives rise to."""
        lines, self._heading = self._heading, []
        if isinstance(record, StepsRecord):
            self._rate = record.examples_per_second
        elif isinstance(record, EpochRecord):
            line = f"epoch {record.epoch:>3}/{self._epochs}  {'  '.join(metric_texts(record))}"
            if record.epoch:
                line += f"  {self._rate:,.0f} examples/s"
            self._pending = line
            if time.monotonic() - self._spoken >= _LINE_SECONDS:
                self._spoken = time.monotonic()
                lines, self._pending = [*lines, line], None
        elif self._pending is not None:
            lines = [*lines, self._pending]
        return lines


def _show_live(conduct: "Conduct", screen: Console) -> EndRecord:
    for line in heading(conduct):
        screen.print(line)
    view = _View(conduct)
    end = None
    with Live(view.renderable(screen.width), console=screen, refresh_per_second=10, transient=False) as live:
        for record in conduct.records():
            view.take(record)
            if isinstance(record, EndRecord):
                end = record
            live.update(view.renderable(screen.width))
    assert end is not None
    return end


class _View:
    """The live display: progress, the losses as they fall, speed and time left."""

    def __init__(self, conduct: "Conduct") -> None:
        self._conduct = conduct
        self._epochs: int = conduct.run.settings.epochs
        self._examples = conduct.training.examples_per_epoch
        self._losses: list[float] = []
        self._metrics: list[str] = []
        self._steps: StepsRecord | None = None
        self._best: int | None = None
        self._ended = False

    def take(self, record: Record) -> None:
        if isinstance(record, StepsRecord):
            self._steps = record
        elif isinstance(record, EpochRecord):
            self._metrics = metric_texts(record)
            self._losses.append(float(record.watched()["loss"]))
            self._best = record.best_epoch
        else:
            self._ended = True

    def renderable(self, width: int) -> Group:
        epoch, share, rate, left = 0, 0.0, 0.0, "–"
        if self._steps is not None:
            epoch, rate = self._steps.epoch, self._steps.examples_per_second
            done = epoch - 1 + self._steps.examples / self._examples
            share = done / self._epochs
            begun = self._conduct.start_step / self._conduct.training.steps_per_epoch
            if done > begun:
                left = _duration(self._steps.seconds * (self._epochs - done) / (done - begun))
        bar_width = min(32, width // 3)
        filled = round(share * bar_width)
        bar = Text("━" * filled, style="cyan") + Text("━" * (bar_width - filled), style="bright_black")
        texts = [Text(f"epoch {epoch}/{self._epochs}"), bar]
        if not self._ended:
            texts.append(Text(f"at most {left} left"))
        lines = packed(texts, width)
        if self._losses:
            curve = [Text(sparkline(in_decades(self._losses), min(48, width - 1)), style="cyan")]
            if self._best is not None:
                curve.append(Text(f"best epoch {self._best}"))
            lines += [*packed([Text(text) for text in self._metrics], width), *packed(curve, width)]
        if rate and not self._ended:
            lines.append(Text(f"{rate:,.0f} examples/s"))
        return Group(*lines)


def packed(texts: list[Text], width: int) -> list[Text]:
    """Texts side by side, as many on a line as there is room for.

    Example:
        >>> [line.plain for line in packed([Text("loss 0.1"), Text("accuracy 90 %"), Text("left 0:01")], 24)]
        ['loss 0.1  accuracy 90 %', 'left 0:01']
    """
    lines: list[Text] = []
    for text in texts:
        if lines and lines[-1].cell_len + 2 + text.cell_len <= width:
            lines[-1] = lines[-1] + Text("  ") + text
        else:
            lines.append(text)
    return lines


def in_decades(losses: list[float]) -> list[float]:
    """Logarithms, so that the untrained network's loss does not flatten all that follows."""
    return [math.log10(max(loss, 1e-12)) for loss in losses]


def sparkline(values: list[float], width: int) -> str:
    """The values as bars, thinned to a width.

    Example:
        >>> sparkline([3.0, 2.0, 1.0], 10)
        '█▅▁'
    """
    shown = values if len(values) <= width else [values[k * len(values) // width] for k in range(width)]
    low, high = min(shown), max(shown)
    spread = (high - low) or 1.0
    return "".join(BARS[round((value - low) / spread * (len(BARS) - 1))] for value in shown)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"
