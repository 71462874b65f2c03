"""What labels are worth: errors against how many there are, with and without augmentation, a trunk and an encoder.

The question is which of MNIST's digits 5 to 9 an image shows. A trunk has learnt to tell the digits 0 to 4 apart; an
encoder has learnt to give all 60,000 images back, without labels. All three are trained by the same commands as in
docs/transfer.md, and so is the head, whose labelled examples and first weights each seed draws anew.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean
from typing import Any, Final

from backlight.files import Settings, begin, load_for
from backlight.plots import Chart, Line

LABELS: Final = (1, 3, 10, 30, 100, 300, 1000)
"""Per class."""

_VARIED: Final = "rotate=12,scale=0.15,shift=2,elastic=34:4"
_STEPS: Final = 5_000
_CLASSES: Final = ("5", "6", "7", "8", "9")
_DATA: Final = "mnist"
_FIRST_SEED: Final = 100

TRUNK: Final = Settings(
    _DATA,
    classes=("0", "1", "2", "3", "4"),
    layers=(800, 400),
    dropout=0.2,
    augment=_VARIED,
    epochs=10,
    seed=_FIRST_SEED,
)
ENCODER: Final = Settings(
    _DATA,
    task="autoencode",
    layers=(512,),
    code=256,
    dropout=0.2,
    augment=f"{_VARIED},noise=0.2",
    validation=0.0,
    epochs=6,
    seed=_FIRST_SEED,
)


@dataclass(frozen=True)
class Way:
    """A way of learning from few labels.

    Attributes:
        name: in short.
        title: what it is.
        settings: of the head's training, but for the number of labels and the seed.
        start: what is started from: "trunk", "encoder", or nothing.
    """

    name: str
    title: str
    settings: Settings
    start: str | None = None


def _few(**given: Any) -> Settings:
    return Settings(_DATA, classes=_CLASSES, validation=0.0, batch_size=10, **given)


WAYS: Final = (
    Way("scratch", "from scratch", _few(layers=(800, 400), dropout=0.5)),
    Way("augmented", "from scratch, augmented", _few(layers=(800, 400), dropout=0.5, augment=_VARIED)),
    Way("trunk", "trunk from digits 0 to 4", _few(freeze=1), "trunk"),
    Way("encoder", "encoder from unlabelled images", _few(freeze=1), "encoder"),
)


def epochs_for(labels: int) -> int:
    """How many passes over so many labels per class make up 5,000 steps; 100 at most.

    Example:
        >>> [epochs_for(labels) for labels in (1, 100, 1000)]
        [100, 100, 10]
    """
    return min(100, max(1, _STEPS * 10 // (labels * len(_CLASSES))))


def measure_labels(
    folder: Path, *, seeds: int, threads: int, say: Callable[[str], None], labels: Sequence[int] = LABELS
) -> Iterator[dict[str, Any]]:
    """Train every way on every number of labels, with several seeds.

    Args:
        folder: where runs may be written.
        seeds: how many: 0, 1, ….
        threads: how many the engine may use.
        say: is told how it goes on.
        labels: per class.

    Yields:
        A row per number of labels: `labels` per class, and by the name of each way its `errors`, the shares of the test
        part that were taken for another digit, one per seed, and their `mean`.
    """
    starts: dict[str, Path] = {}
    for name, settings in (("trunk", TRUNK), ("encoder", ENCODER)):
        say(f"the {name}, {settings.epochs} epochs")
        starts[name] = folder / name
        _test_metrics(replace(settings, threads=threads), starts[name])
    for count in labels:
        row: dict[str, Any] = {"labels": count}
        for way in WAYS:
            start = None if way.start is None else str(starts[way.start])
            settings = replace(
                way.settings, start_from=start, per_class=count, epochs=epochs_for(count), threads=threads
            )
            errors = [
                1.0 - _test_metrics(replace(settings, seed=seed), folder / "head")["accuracy"] for seed in range(seeds)
            ]
            row[way.name] = {"mean": round(mean(errors), 5), "errors": [round(error, 5) for error in errors]}
        say(labels_line(row))
        yield row


def labels_chart(rows: Sequence[Mapping[str, Any]]) -> Chart:
    """Accuracy against the number of labels, a line for each way, with the least and the most of the seeds."""
    places = tuple(float(row["labels"]) for row in rows)
    lines = []
    for way in WAYS:
        found = [row[way.name] for row in rows]
        ends = tuple((100 - 100 * max(each["errors"]), 100 - 100 * min(each["errors"])) for each in found)
        lines.append(Line(way.title, places, tuple(100 - 100 * each["mean"] for each in found), ends=ends))
    labels = ("labels per class", "accuracy on the test part, %")
    return Chart(tuple(lines), labels, caption="MNIST, digits 5 to 9", logs=(True, False))


def labels_line(row: dict[str, Any]) -> str:
    """A row of errors in words.

    Example:
        >>> labels_line({"labels": 10, "scratch": {"mean": 0.17, "errors": [0.17]}})
        '10 labels a class, errors in %: scratch 17.0'
    """
    told = ", ".join(f"{name} {100 * found['mean']:.1f}" for name, found in row.items() if name != "labels")
    return f"{row['labels']:,} labels a class, errors in %: {told}"


def _test_metrics(settings: Settings, folder: Path) -> dict[str, Any]:
    """Train a run to its end; what its test part says."""
    conduct = begin(settings, load_for(settings), folder=folder, force=True)
    conduct.complete()
    assert conduct.model is not None
    return dict(conduct.model.metrics["test"])
