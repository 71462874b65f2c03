"""`--lr auto`: a learning rate found before the training, and the curve it was chosen by, kept in the run's folder."""

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from backlight.data import Dataset
    from backlight.files import Run, Settings
    from backlight.training import RangeTest

AUTO: Final = "auto"


def found_lr(settings: "Settings", dataset: "Dataset") -> "RangeTest":
    """What a range test finds on the training part.

    Args:
        settings: as the user gave them.
        dataset: their data.

    Raises:
        InputError: there is no rate to find.
    """
    from backlight.training import range_test

    resolved = settings.resolved(dataset)
    trainer = resolved.trainer(resolved.network(dataset), dataset.inputs)
    return range_test(trainer, dataset.x, dataset.y, rows=dataset.rows["train"], sample_weight=dataset.weights)


def keep_curve(run: "Run", found: "RangeTest") -> None:
    """Write the curve to the run's folder, as numbers and as a page."""
    from backlight.files import LR_CURVE, LR_PAGE
    from backlight.plots import Block, Chart, Heading, Line, Text, number, page
    from backlight.storage import write_bytes, write_json

    write_json(run.folder / LR_CURVE, asdict(found))
    decades = tuple(math.log10(rate) for rate in found.rates)
    most = 2 * max(found.losses[0], min(found.smoothed))
    shown = [(x, y) for x, y in zip(decades, found.losses, strict=True) if y <= most]
    smooth = [(x, y) for x, y in zip(decades, found.smoothed, strict=True) if y <= most]
    lines = tuple(
        Line(name, tuple(x for x, _ in points), tuple(y for _, y in points), kind)
        for name, points, kind in (("loss of a step's batch", shown, "points"), ("smoothed", smooth, "dashes"))
    )
    text = (
        f"The learning rate {number(found.chosen)} was chosen: a fifth of the first rate at which the smoothed loss "
        f"had fallen by nine tenths of its whole fall. Each of {len(found.rates)} rates was tried for one step, from "
        f"{number(found.rates[0])} to {number(found.rates[-1])}; losses above {number(most)} are not drawn."
    )
    blocks: list[Block] = [
        Heading("The range test", 1),
        Text(text),
        Chart(lines, ("learning rate, as a power of ten", "loss")),
    ]
    write_bytes(run.folder / LR_PAGE, page("The range test", blocks).encode())


def said_of(run: "Run") -> list[str]:
    """Where the learning rate comes from, in a line; no line where it was not looked for."""
    from backlight.files import LR_PAGE

    page = run.folder / LR_PAGE
    return [f"lr        {run.settings.lr:g} was found by a range test: {page}"] if page.exists() else []
