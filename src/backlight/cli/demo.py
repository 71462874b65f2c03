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
    explain_before_and_after(out, example)
    say("\nTry next:")
    for command, purpose in (
        (f"backlight explain {out} --example test:0", "all of an explanation, in the terminal"),
        ("backlight train penguins", "a table, with missing values"),
        ("backlight train your.csv --target COLUMN", "your own table"),
        ("backlight train digits --classic", "the network that every article draws"),
        ("backlight data list", "all built-in data"),
    ):
        say(f"  {command:<48}{purpose}", soft_wrap=True)


def explain_before_and_after(out: Path, example: str) -> None:
    """The same example, opened before training and after it, with one weight in both; and the page."""
    from backlight.cli.blocks import show_blocks
    from backlight.cli.report import console
    from backlight.explanation import example_of, explain, open_moment
    from backlight.explanation.telling import tell_briefly

    after = open_moment(out)
    x, y, name = example_of(after, example)
    told = explain(after, x, y, name=name)
    before = explain(out, x, y, at=0, weight=told.chain.weight, name=name)
    console().print(f"\n$ backlight explain {out} --example {example} --at 0, and without --at; in short:")
    show_blocks([*tell_briefly(before), *tell_briefly(told)], console())
    page = out / "explained.html"
    told.plot().save(page)
    console().print(f"\nThe whole explanation, to open in a browser: {page}", soft_wrap=True)


def least_sure(run: "Run") -> str:
    """The name of the test example whose best class has the least confidence."""
    answers = run.model().answers(run.dataset().part("test")[0])
    confidences = [answer["confidence"] for answer in answers]
    return f"test:{confidences.index(min(confidences))}"
