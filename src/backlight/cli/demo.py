"""`backlight demo`: the whole of it in under a minute."""

from pathlib import Path
from typing import Annotated

import typer

_EXAMPLE = "test:42"


def demo(
    out: Annotated[Path, typer.Option(help="The run's folder; replaced if it is a run.")] = Path("runs/demo"),
) -> None:
    """Train on the built-in digits, evaluate, look at one image, and say what to try next."""
    from backlight.cli.evaluate import evaluate
    from backlight.cli.predict import predict
    from backlight.cli.report import console
    from backlight.cli.train import begun, run_and_report

    say = console().print
    say(f"$ backlight train digits --out {out} --force")
    run_and_report(begun("digits", {}, classic=False, out=out, force=True), json=False)
    say(f"\n$ backlight evaluate {out}")
    evaluate(out)
    say(f"\n$ backlight predict {out} {_EXAMPLE}")
    predict(out, _EXAMPLE)
    say("\nTry next:")
    for command, purpose in (
        ("backlight train penguins", "a table, with missing values"),
        ("backlight train your.csv --target COLUMN", "your own table"),
        ("backlight train digits --classic", "the network that every article draws"),
        ("backlight data list", "all built-in data"),
    ):
        say(f"  {command:<42}{purpose}", soft_wrap=True)
