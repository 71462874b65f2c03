"""What the explaining verbs share: how long a replay takes, a run's training examples, and how results are shown."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from backlight.errors import InputError

if TYPE_CHECKING:
    from backlight.arrays import Array
    from backlight.explanation import Moment
    from backlight.plots.shown import Shown

RunFolder: TypeAlias = Annotated[Path, typer.Argument(help="The run's folder.")]
At: TypeAlias = Annotated[str, typer.Option(help="0 (untrained), a step, best or last.")]
Html: TypeAlias = Annotated[Path | None, typer.Option(help="Write a self-contained page.")]
Json: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")]


def open_at(run: Path, at: str) -> "Moment":
    """Open a run at a moment, telling on stderr how long a replay will take where that is a second or more."""
    from backlight.explanation import open_moment

    if at.isascii() and at.isdigit() and int(at):
        say_how_long(run, int(at))
    return open_moment(run, at)


def say_how_long(run: Path, last: int, first: int | None = None) -> None:
    """Tell on stderr how long a replay will take, where that is a second or more."""
    from backlight.explanation import replay_seconds
    from backlight.files import Run

    opened = Run.open(run)
    seconds = replay_seconds(opened, last, first) if last <= opened.taken else None
    if seconds is not None and seconds >= 1:
        typer.echo(f"replaying {last:,} steps: about {seconds:.0f} s", err=True)


def training_examples(moment: "Moment", count: int | None = None) -> "tuple[Array, Array, list[str]]":
    """Inputs, targets and names of the training part, or of its first `count` rows."""
    dataset = moment.dataset
    x, y = dataset.part("train")
    if count is not None and not 1 <= count <= len(x):
        raise InputError(f"--batch is {count}; the training part has {len(x):,} examples, so give 1 to {len(x)}")
    names = [dataset.called(f"train:{k}") for k in range(len(x) if count is None else count)]
    first = x[:count]
    return first, first if y is x else y[:count], names


def check_page(html: Path | None) -> None:
    """Refuse, before anything is computed, a page that would take the place of something else.

    Raises:
        InputError: the name does not end in .html, its folder does not exist, or the file there is no page.
    """
    if html is not None:
        _check_free("--html", html, (".html", ".htm"), "page", b"<!doctype")


def check_picture(picture: Path) -> None:
    """Refuse, before anything is computed, a picture that would take the place of something else.

    Raises:
        InputError: the name does not end in .png, its folder does not exist, or the file there is no such picture.
    """
    _check_free("--out", picture, (".png",), "picture", b"\x89png")


def check_drawing(drawing: Path, kinds: tuple[str, ...] = (".svg", ".png")) -> None:
    """Refuse, before anything is computed, a drawing that would take the place of something else.

    Args:
        drawing: its name.
        kinds: how it may end.

    Raises:
        InputError: the name ends otherwise, its folder does not exist, or the file there is no such drawing.
    """
    ending = drawing.suffix.lower()
    if ending not in kinds:
        raise InputError(f"--out is {drawing}; name a picture, with {' or '.join(kinds)} at its end")
    _check_free("--out", drawing, (ending,), "picture", {".svg": b"<svg", ".png": b"\x89png"}[ending])


def _check_free(option: str, path: Path, endings: tuple[str, ...], what: str, begins: bytes) -> None:
    if path.suffix.lower() not in endings:
        raise InputError(f"{option} is {path}; name a {what}, with {endings[0]} at its end")
    if not path.parent.is_dir():
        raise InputError(f"there is no folder {path.parent} for the {what}; make it, or choose another")
    if path.exists() and not (path.is_file() and path.read_bytes()[: len(begins)].lower() == begins):
        raise InputError(f"{path} exists and is no {what}, so it is not replaced; choose another name")


def show(explanation: "Shown", *, html: Path | None, json: bool) -> None:
    """Print an explanation for people or for programs, and write its page if asked."""
    show_several({"": explanation}, html=html, json=json)


def show_several(explanations: "Mapping[str, Shown]", *, html: Path | None, json: bool) -> None:
    """Print several explanations one after another; in JSON each under its name, a single one as it is."""
    from backlight.cli.blocks import show_blocks
    from backlight.cli.report import console, print_json
    from backlight.plots import Figure

    several = list(explanations.values())
    if html is not None:
        Figure(several[0].title, tuple(block for told in several for block in told.blocks())).save(html)
        typer.echo(f"page      {html}", err=True)
    if json:
        contents: Any = {name: told.to_dict() for name, told in explanations.items()}
        print_json(contents.get("", contents))
    elif html is None:
        out = console()
        for number, told in enumerate(several):
            if number:
                out.print()
            show_blocks(told.blocks(), out)
