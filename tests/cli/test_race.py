"""`backlight race`: what it shows while it goes on and at the end, what it writes, and what it refuses."""

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

from backlight.cli.race_display import standings
from backlight.racing import Point, contest, costs
from tests.cli.terminal import backlight, refused_in_one_line, write_table
from tests.files.processes import interrupted, start

METHODS = [
    *("backpropagation", "backpropagation=full", "one-weight", "one-weight=random"),
    *("combinations=-1:0:1", "random=1"),
]
SHORT = ("--passes", "20")


@pytest.fixture(autouse=True)
def few_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a gradient costs is measured of two small networks alone, and soon."""
    monkeypatch.setattr(contest, "SIZES", (10, 100))
    monkeypatch.setattr(costs, "_MOST", 2)
    monkeypatch.setattr(costs, "_SECONDS", 1e-3)


@pytest.mark.parametrize("options", [("xor",), ("table.csv", "--target", "kind"), ("arrays.npz", "--layers", "none")])
def test_programs_get_one_object(options):
    result = backlight("race", *options, *SHORT, "--json")
    assert result.code == 0, result.err
    assert result.err == ""
    content = result.json
    assert [one["method"] for one in content["methods"]] == METHODS
    assert [row["weights"] for row in content["gradient"]] == [8, 98]
    assert isinstance(content["exponent"], float)
    assert {row["words"] for row in content["curse"]} >= {"1 ms", "16.7 minutes", "11.6 days"}


def test_people_are_told_what_each_row_proves():
    result = backlight("race", "xor", *SHORT)
    assert result.code == 0, result.err
    assert "With and without backpropagation: xor, 82 weights" in result.out
    assert "What one gradient costs" in result.out
    assert "The curse of dimensionality" in result.out
    for name in (
        "backpropagation, full batch: ",
        "one weight at a time, at random: ",
        "every combination of −1, 0, 1: ",
    ):
        assert name in result.out
    assert "measuring what a gradient costs" in result.err


@pytest.mark.parametrize(
    "task", [("--target", "size"), ("--task", "autoencode"), ("--target", "kind", "--target", "shape")]
)
def test_any_question_can_be_raced(task):
    result = backlight("race", "table.csv", *task, *SHORT, "--json")
    assert result.code == 0, result.err
    assert all(one["score"] is not None for one in result.json["methods"])


def test_the_page_and_the_picture_are_written():
    result = backlight("race", "xor", *SHORT, "--html", "race.html", "--out", "race.svg")
    assert result.code == 0, result.err
    assert result.out == ""
    page = Path("race.html").read_text(encoding="utf-8")
    assert page.count("<svg") > 3
    assert "one weight at a time" in page
    picture = ElementTree.parse("race.svg").getroot()
    assert any(
        text.text == "one weight at a time, in order" for text in picture.iter("{http://www.w3.org/2000/svg}text")
    )
    again = backlight("race", "xor", *SHORT, "--html", "race.html", "--out", "race.svg")  # its own are replaced
    assert again.code == 0, again.err


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("there is no file and no built-in data set 'nosuch'", ("nosuch",)),
        ("seconds is 0, so that nothing could be raced; give a number above 0", ("xor", "--seconds", "0")),
        ("seconds is -2.0; it must be a finite number", ("xor", "--seconds", "-2")),
        ("passes is nan", ("xor", "--passes", "nan")),
        ("seconds is 1 and passes is 9; give one of the two", ("xor", "--seconds", "1", "--passes", "9")),
        ("--layers is '0'", ("xor", "--layers", "0")),
        ("there is no activation 'rleu'", ("xor", "--activation", "rleu")),
        ("the values of combinations are 1", ("xor", "--values", "1")),
        ("'x' is no number", ("xor", "--values", "-1:x")),
        ("--out is race.png; name a picture, with .svg at its end", ("xor", "--out", "race.png")),
        ("there is no folder nowhere for the page", ("xor", "--html", "nowhere/race.html")),
        ("table.csv exists and is no picture", ("xor", "--out", "table.csv")),
        ("seed is -1", ("xor", "--seed", "-1")),
    ],
)
def test_what_cannot_be_is_refused(message, options):
    if "table.csv" in options:
        Path("table.csv").rename("table.svg")
        message, options = message.replace(".csv", ".svg"), ("xor", "--out", "table.svg")
    refused_in_one_line(message, "race", *options)


def test_ctrl_c_ends_it_and_shows_what_is_there():
    process = start("race", "digits", "--seconds", "60")
    assert process.stderr is not None
    assert process.stderr.readline().split()[2] == b"backpropagation"
    out, err = interrupted(process, 10)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"The race was interrupted; this is what was there." in out
    assert b"one weight at a time, in order: " in out
    assert b"What one gradient costs" not in out
    assert b"11.6 days" in out


def runner(name: str, *, ended: str | None = None) -> Any:
    points = [Point(0.0, 0.0, 2.0), Point(10.0, 1.0, 0.5)]
    entrant = SimpleNamespace(name=name, gradient=False)
    return SimpleNamespace(entrant=entrant, points=points, best=0.5, passes=10.0, seconds=1.0, ended=ended)


@pytest.mark.parametrize(("width", "there"), [(100, 5), (70, 4), (55, 3), (40, 2), (24, 2)])
def test_the_live_table_fits_the_screen(width, there):
    screen = Console(width=width, file=io.StringIO(), force_terminal=True)
    with screen.capture() as captured:
        screen.print(standings([runner("random combinations from −1 to 1"), runner("short", ended="x")], width))
    lines = captured.get().splitlines()
    assert len(lines) == 3
    assert "0.5" in lines[1]
    assert ("passes" in lines[0]) == (there > 2)
    assert ("seconds" in lines[0]) == (there > 3)
    assert ("█" in lines[1]) == (there > 4)


def test_a_large_table_of_quantities(tmp_path):
    write_table(tmp_path / "more.csv", 3000)
    result = backlight("race", tmp_path / "more.csv", "--target", "size", "--seconds", "0.05", "--json")
    assert result.code == 0, result.err
    assert result.json["methods"][0]["score"]["metric"] == "r2"
