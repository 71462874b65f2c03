"""`backlight train`: train a network and write a run."""

import signal
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backlight.cli.lr_auto import AUTO, found_lr, keep_curve
from backlight.cli.typed import parse_batch_size, parse_layers, parse_lr, with_method
from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.files import Conduct, Settings

_NETWORK, _TRAINING, _DATA, _RUN = "The network", "The training", "The data", "The run"


def train(
    data: Annotated[
        str | None,
        typer.Argument(
            help="A built-in name (see 'backlight data list'), a CSV or Parquet table, .npz, a folder or zip of images."
        ),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(help="The column to predict; may be repeated.", rich_help_panel=_DATA)
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="classification, regression or autoencode.", rich_help_panel=_DATA)
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help="Fraction for validation (default: 0.15).", rich_help_panel=_DATA)
    ] = None,
    test: Annotated[
        float | None, typer.Option(help="Fraction for the test (default: 0.15).", rich_help_panel=_DATA)
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Rows alike in this column stay in one part.", rich_help_panel=_DATA)
    ] = None,
    time: Annotated[
        str | None, typer.Option(help="Test on the latest rows by this column.", rich_help_panel=_DATA)
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="A column that says train, validation or test.", rich_help_panel=_DATA)
    ] = None,
    drop: Annotated[list[str] | None, typer.Option(help="Columns not to learn from.", rich_help_panel=_DATA)] = None,
    keep: Annotated[
        list[str] | None,
        typer.Option(help="Columns to learn from whatever they look like.", rich_help_panel=_DATA),
    ] = None,
    types: Annotated[
        list[str] | None,
        typer.Option(help="COLUMN=number, text or date, where it is taken for another.", rich_help_panel=_DATA),
    ] = None,
    separator: Annotated[
        str | None, typer.Option(help="Between cells, such as ';', tab or space.", rich_help_panel=_DATA)
    ] = None,
    weight: Annotated[
        str | None, typer.Option(help="A column that says how much each row counts.", rich_help_panel=_DATA)
    ] = None,
    class_weights: Annotated[
        str | None, typer.Option(help="balanced, or CLASS=WEIGHT,… .", rich_help_panel=_DATA)
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Of images, such as 32x32 (default: theirs, up to 64).", rich_help_panel=_DATA)
    ] = None,
    gray: Annotated[bool, typer.Option("--gray", help="Drop the colours of images.", rich_help_panel=_DATA)] = False,
    labels: Annotated[str | None, typer.Option(help="A CSV of image names and labels.", rich_help_panel=_DATA)] = None,
    label_from: Annotated[
        str | None, typer.Option(help="A pattern in image names, such as '(.+)_'.", rich_help_panel=_DATA)
    ] = None,
    skip_broken: Annotated[
        bool, typer.Option("--skip-broken", help="Leave broken images out.", rich_help_panel=_DATA)
    ] = False,
    classes: Annotated[
        str | None, typer.Option(help="Only these of the data's classes: 0,1,2 .", rich_help_panel=_DATA)
    ] = None,
    per_class: Annotated[
        int | None, typer.Option(help="Learn from so many examples of each class only.", rich_help_panel=_DATA)
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(help="A run whose layers and preparation of inputs are kept.", rich_help_panel=_NETWORK),
    ] = None,
    freeze: Annotated[
        int | None, typer.Option(help="Of those, the first N layers do not learn.", rich_help_panel=_NETWORK)
    ] = None,
    layers: Annotated[
        str | None,
        typer.Option(help="Hidden units, or none (default: 128,64).", rich_help_panel=_NETWORK),
    ] = None,
    code: Annotated[
        int | None, typer.Option(help="Units of an autoencoder's middle (default: 32).", rich_help_panel=_NETWORK)
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Of the hidden layers (default: relu).", rich_help_panel=_NETWORK)
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(help="Activation of the last layer (default: to suit the data).", rich_help_panel=_NETWORK),
    ] = None,
    loss: Annotated[
        str | None,
        typer.Option(
            help="squared, cross_entropy, absolute, huber, poisson (default: to suit the data).",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            help="small, lecun, glorot, he; _normal or _uniform (default: glorot_uniform).",
            rich_help_panel=_NETWORK,
        ),
    ] = None,
    norm: Annotated[
        str | None,
        typer.Option(help="batch or layer: normalise what goes into hidden units.", rich_help_panel=_NETWORK),
    ] = None,
    dropout: Annotated[
        float | None,
        typer.Option(help="Rate for hidden units (default: 0.1 from 1,000 examples on).", rich_help_panel=_NETWORK),
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            help="backpropagation, or without: one-weight, one-weight=random, combinations=-1:0:1, random=1 "
            "(default: backpropagation).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(
            help="sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, lbfgs (default: adam).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option(
            help="Learning rate, or auto for a range test (default: the optimizer's own).", rich_help_panel=_TRAINING
        ),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="step=10:0.1, 1/t=10, cosine, one-cycle, plateau=5:0.1, warmup=3,cosine (default: constant).",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="Of momentum and nesterov (default: 0.9).", rich_help_panel=_TRAINING)
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Decoupled (default: adamw 0.01, others 0).", rich_help_panel=_TRAINING)
    ] = None,
    l1: Annotated[
        float | None, typer.Option(help="Penalty per unit of |W| (default: 0).", rich_help_panel=_TRAINING)
    ] = None,
    l2: Annotated[
        float | None, typer.Option(help="Penalty per unit of W²/2 (default: 0).", rich_help_panel=_TRAINING)
    ] = None,
    clip: Annotated[
        float | None, typer.Option(help="The longest gradient of a step.", rich_help_panel=_TRAINING)
    ] = None,
    clip_examples: Annotated[
        float | None, typer.Option(help="The longest gradient of a single example.", rich_help_panel=_TRAINING)
    ] = None,
    average: Annotated[
        float | None,
        typer.Option(help="Average the weights, keeping so much each step: 0.999.", rich_help_panel=_TRAINING),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(help="Share of each label given to all classes: 0.1.", rich_help_panel=_TRAINING),
    ] = None,
    accumulate: Annotated[
        int | None, typer.Option(help="Batches per step (default: 1).", rich_help_panel=_TRAINING)
    ] = None,
    batch_size: Annotated[
        str | None, typer.Option(help="Examples per step, or full (default: 100).", rich_help_panel=_TRAINING)
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="The most passes over the data (default: 200).", rich_help_panel=_TRAINING)
    ] = None,
    until: Annotated[
        list[str] | None,
        typer.Option(help="Stop at 'loss<0.05' or 'accuracy>=0.97'; may be repeated.", rich_help_panel=_TRAINING),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after that many epochs without a better validation (default: 20).", rich_help_panel=_TRAINING
        ),
    ] = None,
    augment: Annotated[
        str | None,
        typer.Option(
            help="Vary images, such as rotate=12,shift=2,elastic=34:4, or rows, as noise=0.1,columns=0.1.",
            rich_help_panel=_TRAINING,
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Of every random draw (default: 0).", rich_help_panel=_TRAINING)
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads of the engine (default: its own choice).", rich_help_panel=_TRAINING)
    ] = None,
    engine: Annotated[
        str | None, typer.Option(help="auto, native or reference (default: auto).", rich_help_panel=_TRAINING)
    ] = None,
    classic: Annotated[
        bool,
        typer.Option(
            "--classic",
            help="The network that every article draws: layers 16,16, sigmoid, squared error, plain descent.",
            rich_help_panel=_TRAINING,
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="The run's folder (default: runs/DATA-N).", rich_help_panel=_RUN)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace that run.", rich_help_panel=_RUN)] = False,
    resume: Annotated[
        Path | None, typer.Option(help="Go on with a run that was cut short.", rich_help_panel=_RUN)
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout.", rich_help_panel=_RUN)
    ] = False,
) -> None:
    """Train a network on DATA, watch it learn, and keep it as a run.

    Examples: 'backlight train digits', 'backlight train penguins --layers 32',
    'backlight train houses.csv --target price', 'backlight train photos/', 'backlight train --resume runs/digits-1'.
    """
    given = {
        name: value
        for name, value in locals().items()
        if name not in ("data", "classic", "out", "force", "resume", "json")
        and value is not None
        and value is not False
    }
    if resume is not None:
        if data is not None or given or classic or out is not None or force:
            raise InputError("--resume goes on with a run as it was begun; give no data and no other options")
        run_and_report(_resumed(resume, quiet=json), json=json)
        return
    if data is None:
        raise InputError("which data? give a built-in name such as digits, a .csv, .parquet or .npz file, or a folder")
    run_and_report(begun(data, given, classic=classic, out=out, force=force, quiet=json), json=json)


def begun(
    data: str, given: dict[str, Any], *, classic: bool, out: Path | None, force: bool, quiet: bool = False
) -> "Conduct":
    """A new run: everything is checked before its folder is made.

    Args:
        data: a built-in name or a file.
        given: settings that were given, as typed.
        classic: whether the others are the classic ones.
        out: the folder, or None for the next free one below `runs`.
        force: whether it may replace a run.
        quiet: whether nothing is said of the reading of images unless there is a terminal.
    """
    from backlight.cli.reading import watched_reading
    from backlight.files import Settings, begin, check_free, load_for
    from backlight.files.scouting import DECIDED

    if out is not None:
        check_free(out, force=force)
    if "method" in given:
        given = with_method(given)
    auto = given.get("lr") == AUTO
    if "start_from" in given:
        refuse_beside_start(given, classic=classic)
    settings = _settings(Settings, data, given, classic=classic)
    settings.check()
    if auto:
        replace(settings, lr=1.0).check()  # whether there may be a rate at all
    with watched_reading(quiet=quiet) as progress:
        dataset = load_for(settings, progress)
    found = found_lr(settings, dataset) if auto else None
    if found is not None:
        settings = replace(settings, lr=found.chosen)
    conduct = begin(settings, dataset, DECIDED if classic else given, folder=out, force=force)
    if found is not None:
        keep_curve(conduct.run, found)
    return conduct


def _settings(kind: "type[Settings]", data: str, given: dict[str, Any], *, classic: bool) -> "Settings":
    if "layers" in given:
        given["layers"] = parse_layers(given["layers"])
    if "classes" in given:
        given["classes"] = tuple(part.strip() for part in given["classes"].split(","))
    for name in ("target", "drop", "keep", "types", "until"):
        if name in given:
            given[name] = tuple(given[name])
    if "lr" in given:
        given["lr"] = parse_lr(given["lr"])
    if "batch_size" in given:
        given["batch_size"] = parse_batch_size(given["batch_size"])
    return kind.classic(data, **given) if classic else kind(data, **given)


def refuse_beside_start(given: Collection[str], *, classic: bool = False) -> None:
    """Refuse options that say what the run to start from has decided already.

    Example:
        >>> refuse_beside_start({"layers": "64"})
        Traceback (most recent call last):
        ...
        backlight.errors.InputError: --layers is decided by the run that --start-from names; leave it out
    """
    decided = ("layers", "activation", "init", "norm", "dropout", "code", "size", "gray", "drop", "keep", "types")
    refused = [f"--{name}" for name in decided if name in given] + ["--classic"] * classic
    if refused:
        verb, rest = ("is", "it") if len(refused) == 1 else ("are", "them")
        raise InputError(f"{', '.join(refused)} {verb} decided by the run that --start-from names; leave {rest} out")


def _resumed(folder: Path, *, quiet: bool) -> "Conduct":
    from backlight.cli.reading import watched_reading
    from backlight.engine import engine_build
    from backlight.files import Conduct, Run

    run = Run.open(folder)
    ended = run.ended
    if ended is not None:
        raise InputError(f"{folder} has ended: {ended['reason']}; there is nothing to resume")
    now = engine_build(run.settings.engine)
    if now != run.engine:
        changed = [f"{k} {now[k]} instead of {run.engine.get(k)}" for k in now if now[k] != run.engine.get(k)]
        typer.echo(f"backlight: warning: the engine differs, so the bits may: {'; '.join(changed)}", err=True)
    with watched_reading(quiet=quiet) as progress:
        dataset = run.dataset(progress)
    return Conduct(run, dataset, resume=True)


def run_and_report(conduct: "Conduct", *, json: bool) -> None:
    """Drive a run to its end, showing how it goes, and report the result."""
    from backlight.cli.display import show_run
    from backlight.cli.report import print_json, print_result, result_of, standing_of

    with _graceful(conduct) as signals:
        end = show_run(conduct, quiet=json)
    standing = None
    with suppress(KeyboardInterrupt):  # the run is saved; only the comparison is given up
        standing = standing_of(conduct, end)
    if json:
        print_json(result_of(conduct, end, standing))
    else:
        print_result(conduct, end, standing)
    if end.failed:
        raise typer.Exit(1)
    if signals:
        raise typer.Exit(128 + signals[0])


@contextmanager
def _graceful(conduct: "Conduct") -> Iterator[list[int]]:
    """The first Ctrl-C or SIGTERM ends the run, dropping the step in progress; the second at once.

    Yields:
        The signals that have come.
    """
    signals: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        signals.append(number)
        conduct.stop()
        for signum in before:
            signal.signal(signum, signal.default_int_handler)

    before = {signum: signal.getsignal(signum) for signum in (signal.SIGINT, signal.SIGTERM)}
    for signum in before:
        signal.signal(signum, stop)
    try:
        yield signals
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
