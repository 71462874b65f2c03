"""`backlight data show DATA --augment …`: a picture of images beside the variants that training would see."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.files import Settings

_EXAMPLES: Final = 8
_EPOCHS: Final = 9


def check_variants(augment: str | None, out: Path | None, html: Path | None) -> None:
    """Refuse, before data is read, options that do not go together.

    Raises:
        InputError: --out without --augment, --html with it, or a picture that cannot be written there.
    """
    from backlight.cli.explaining import check_picture

    if augment is None and out is not None:
        raise InputError("--out names the picture of --augment; give --augment, or --html for a page")
    if augment is not None and html is not None:
        raise InputError("--augment writes a picture alone, without a page; leave out --html")
    if out is not None:
        check_picture(out)


def show_variants(settings: "Settings", out: Path | None, *, json: bool) -> None:
    """Write the picture: each line is a training example, followed by its variants in the first epochs.

    Args:
        settings: which name the data and the augmentation.
        out: the picture's name; the data's, where there is none.
        json: whether one JSON object tells where it is.

    Raises:
        InputError: the data are no images, or the augmentation does not suit them.
    """
    import numpy as np

    from backlight.cli.explaining import check_picture
    from backlight.cli.report import print_json
    from backlight.data import ImageInputs
    from backlight.files import load_for
    from backlight.plots import contact_sheet
    from backlight.storage import write_bytes

    dataset = load_for(settings)
    augmentation = settings.augmentation(dataset.inputs)
    assert augmentation is not None
    if not augmentation.shape:
        raise InputError(
            f"a picture of variants is for images, and {settings.data} holds columns of numbers; "
            "train with --augment without looking at them"
        )
    path = out or Path(f"{dataset.name}-augmented.png")
    check_picture(path)
    rows = dataset.rows["train"][:_EXAMPLES]
    x = dataset.x[rows]
    variants = [augmentation.changed(x, seed=settings.seed, epoch=epoch, rows=rows) for epoch in range(_EPOCHS)]
    originals = x / 255.0 if x.dtype == np.uint8 else x
    pictures = np.stack([originals, *variants], axis=1).reshape(len(rows), _EPOCHS + 1, *augmentation.shape)
    negative = isinstance(dataset.inputs, ImageInputs) and dataset.inputs.negative
    write_bytes(path, contact_sheet(1.0 - pictures if negative else pictures))
    if json:
        print_json({"data": settings.data, "augment": settings.augment, "picture": str(path), "epochs": _EPOCHS})
        return
    typer.echo(f"picture   {path}", err=True)
    typer.echo(
        f"          {len(rows)} training examples, each followed by its variants in epochs 1 to {_EPOCHS} "
        f"(seed {settings.seed})",
        err=True,
    )
