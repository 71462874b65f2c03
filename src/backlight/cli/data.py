"""`backlight data`: the data sets that Backlight knows by name, and what is in data of any kind."""

from pathlib import Path
from typing import Annotated

import typer

from backlight.cli.data_show import show_data

app = typer.Typer(help="List the built-in data sets, fetch one, or show what is in data.", no_args_is_help=True)
app.command("show")(show_data)


@app.command("list")
def list_data(
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout.")] = False,
) -> None:
    """List the data sets that have a name."""
    from dataclasses import asdict

    from rich.table import Table

    from backlight.cli.report import console, print_json
    from backlight.data import BUILTIN

    if json:
        print_json({"data": [asdict(entry) for entry in BUILTIN.values()]})
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("name")
    table.add_column("examples", justify="right")
    table.add_column("one example")
    table.add_column("what", overflow="fold")
    for entry in BUILTIN.values():
        where = "; fetched once" if entry.origin == "fetched" else ""
        table.add_row(entry.name, f"{entry.examples:,}", entry.size, f"{entry.description}; {entry.licence}{where}")
    console().print(table)


@app.command()
def get(
    name: Annotated[str, typer.Argument(help="mnist or fashion-mnist.")],
    folder: Annotated[Path | None, typer.Option(help="Where to (default: the user's cache folder).")] = None,
) -> None:
    """Fetch a data set from its public mirrors, resumed where it broke off, and verify it."""
    from backlight.cli.report import console
    from backlight.data.fetching import fetch

    out = console(stderr=True)
    with out.status(f"fetching {name} …"):
        paths = fetch(name, folder)
    for path in paths:
        out.print(f"verified  {path}", soft_wrap=True)
