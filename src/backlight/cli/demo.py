"""`backlight demo`: the whole of it in under a minute."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from backlight.files import Run


def demo(
    out: Annotated[Path, typer.Option(help="The run's folder; replaced if it is a run.")] = Path("runs/demo"),
) -> None:
    """Train on the built-in digits, evaluate, look at one image, and say what to try next."""
    from backlight.cli.evaluate import evaluate
    from backlight.cli.predict import predict
    from backlight.cli.report import console
    from backlight.cli.train import begun, run_and_report
    from backlight.files import Run

    say = console().print
    say(f"$ backlight train digits --out {out} --force")
    run_and_report(begun("digits", {}, classic=False, out=out, force=True), json=False)
    say(f"\n$ backlight evaluate {out}")
    evaluate(out)
    example = least_sure(Run.open(out))
    say(f"\nThe test image that it is least sure of:\n$ backlight predict {out} {example}")
    predict(out, example)
    say("\nTry next:")
    for command, purpose in (
        ("backlight train penguins", "a table, with missing values"),
        ("backlight train your.csv --target COLUMN", "your own table"),
        ("backlight train digits --classic", "the network that every article draws"),
        ("backlight data list", "all built-in data"),
    ):
        say(f"  {command:<42}{purpose}", soft_wrap=True)


def least_sure(run: "Run") -> str:
    """The name of the test example whose best class has the least confidence."""
    answers = run.model().answers(run.dataset().part("test")[0])
    confidences = [answer["confidence"] for answer in answers]
    return f"test:{confidences.index(min(confidences))}"
