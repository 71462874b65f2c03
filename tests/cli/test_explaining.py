"""The explaining verbs: what they print for people and programs, their pages, and what they refuse."""

import io
import json
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from backlight.cli.blocks import show_blocks
from backlight.engine import engine_build
from backlight.files import Run
from backlight.plots import Picture, Table
from tests.cli.terminal import backlight, refused_in_one_line

VERBS = [
    ("explain", ()),
    ("explain", ("--at", "0")),
    ("explain", ("--at", "2", "--unit", "0:1", "--weight", "0:1:b")),
    ("explain", ("--at", "last", "--batch", "10")),
    ("explain", ("--all",)),
    ("explain", ("--output", "green")),
    ("explain", ("--importance",)),
    ("moves", ("--weight", "0:1:0")),
    ("moves", ("--weight", "2:0:b", "--from", "0", "--to", "1")),
    ("sensitivity", ()),
    ("sensitivity", ("--compare", "0:1:0", "2:0:1", "--at", "0")),
    ("health", ()),
    ("landscape", ("--points", "3", "--batches", "full,1")),
    ("check", ("--at", "0")),
]


def _lists_of_parts(content: object) -> list[dict[str, object]]:
    """Every list of parts in plain data."""
    if isinstance(content, dict):
        found = [content] if {"parts", "sum", "whole"} <= content.keys() else []
        return found + [part for value in content.values() for part in _lists_of_parts(value)]
    if isinstance(content, list):
        return [part for value in content for part in _lists_of_parts(value)]
    return []


@pytest.mark.parametrize(("verb", "options"), VERBS)
def test_people_and_programs_are_told_the_same(run: Path, verb: str, options: tuple[str, ...]) -> None:
    told = backlight(verb, run, *options)
    assert told.code == 0, told.err
    assert len(told.out.splitlines()) > 5
    for parts in _lists_of_parts(backlight(verb, run, *options, "--json").json):
        values = [part["value"] for part in parts["parts"]]  # type: ignore[attr-defined]
        assert sum(values) == pytest.approx(parts["sum"], rel=1e-9, abs=1e-12)
        assert parts["sum"] == pytest.approx(parts["whole"], rel=1e-9, abs=1e-10)


@pytest.mark.parametrize(("verb", "options"), VERBS)
def test_a_page_is_written(run: Path, verb: str, options: tuple[str, ...]) -> None:
    told = backlight(verb, run, *options, "--html", "page.html")
    assert told.code == 0, told.err
    assert told.out == ""
    page = Path("page.html").read_text(encoding="utf-8")
    HTMLParser().feed(page)
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page


def test_columns_and_classes_are_called_by_their_names(run: Path) -> None:
    content = backlight("explain", run, "--example", "test:1", "--json").json
    assert [row["name"] for row in content["inputs"]] == ["length", "shape=round", "shape=square", "size", "count"]
    assert {wish["name"] for wish in content["outputs"]} == {"red", "green", "blue"}
    assert content["example"] == "test:1"


def test_a_row_of_a_file_is_explained(run: Path) -> None:
    content = backlight("explain", run, "--example", "table.csv:3", "--json").json
    assert content["example"] == "table.csv:3"
    said = backlight("predict", run, "table.csv", "--json").json["predictions"][3]
    assert (said["example"], said["class"]) == ("table.csv:3", content["prediction"])


def test_before_training_and_after_it_are_different_moments(run: Path) -> None:
    before = backlight("explain", run, "--at", "0", "--json").json
    after = backlight("explain", run, "--at", "last", "--json").json
    assert before["step"] == 0
    assert before["when"] == "before training"
    assert before["loss"] != after["loss"]


def test_explaining_changes_nothing(run: Path) -> None:
    files = {path: path.read_bytes() for path in run.iterdir()}
    for verb, options in VERBS:
        assert backlight(verb, run, *options).code == 0
    assert {path: path.read_bytes() for path in run.iterdir()} == files


def test_another_engine_build_is_warned_of(run: Path) -> None:
    content = json.loads((run / "run.json").read_text())
    content["engine"]["build"] = "numpy 1.0"
    (run / "run.json").write_text(json.dumps(content))
    told = " ".join(backlight("explain", run, "--at", "1").out.split())
    assert f"the build is {engine_build()['build']}, and the run was made with numpy 1.0" in told


@pytest.mark.parametrize(
    ("message", "arguments"),
    [
        ("there is no run folder nowhere", ("explain", "nowhere")),
        ("there is no example 'test:9999'", ("explain", "done", "--example", "test:9999")),
        ("'test' names no example", ("explain", "done", "--example", "test")),
        ("there is no file gone.csv", ("explain", "done", "--example", "gone.csv:0")),
        ("table.csv has rows 0 to 59, and row 60 was asked for", ("explain", "done", "--example", "table.csv:60")),
        ("at is 'first'; give 0, the number of a step, best, or last", ("explain", "done", "--at", "first")),
        ("step 100000 was asked for; done has taken 2 steps, so give 0 to 2", ("explain", "done", "--at", "100000")),
        ("layer 1 has no weights; the layers that have are 0, 2", ("explain", "done", "--unit", "1:0")),
        ("8 was asked for, and layer 0 has units 0 to 7", ("explain", "done", "--unit", "0:8")),
        ("'2' names nothing; expected a unit LAYER:UNIT", ("explain", "done", "--unit", "2")),
        ("5 was asked for, and layer 0 has incoming units 0 to 4", ("explain", "done", "--weight", "0:0:5")),
        ("'0:0' names nothing; expected a weight LAYER:TO:FROM", ("explain", "done", "--weight", "0:0")),
        ("--batch is 0; the training part has 42 examples", ("explain", "done", "--batch", "0")),
        ("--batch and --all exclude each other", ("explain", "done", "--batch", "3", "--all")),
        ("there is no output 'gren'; did you mean 'green'?", ("explain", "done", "--output", "gren")),
        ("--importance is about all examples", ("explain", "done", "--importance", "--example", "test:1")),
        ("of a part, and --all about one", ("explain", "done", "--importance", "--all")),
        ("layer 1 has no weights", ("moves", "done", "--weight", "1:0:0")),
        ("'x' names nothing", ("sensitivity", "done", "--compare", "x", "0:0:0")),
    ],
)
def test_what_cannot_be_explained_is_refused(run: Path, message: str, arguments: tuple[str, ...]) -> None:
    refused_in_one_line(message, *arguments)


@pytest.mark.parametrize("steps", [("--from", "2", "--to", "1"), ("--to", "9"), ("--from", "-1", "--to", "1")])
def test_moves_between_impossible_steps_are_refused(run: Path, steps: tuple[str, ...]) -> None:
    refused_in_one_line(
        "was asked for" if steps[1] != "-1" else "first is -1", "moves", run, "--weight", "0:0:0", *steps
    )


def test_changed_data_are_refused_by_name(run: Path) -> None:
    table = Path("table.csv")
    table.write_text(table.read_text().replace("round", "square", 1))
    refused_in_one_line("table.csv has changed since done was made", "explain", run, "--at", "0")


def test_quantities_are_told_in_their_own_units() -> None:
    trained = backlight("train", "table.csv", "--target", "size", "--epochs", "2", "--layers", "8", "--out", "sizes")
    assert trained.code == 0, trained.err
    content = backlight("explain", "sizes", "--example", "test:0", "--json").json
    predicted = backlight("predict", "sizes", "test:0", "--json").json["predictions"][0]["size"]
    name, value = content["prediction"].split()
    assert name == "size"
    assert float(value) == pytest.approx(predicted, rel=1e-4)
    assert f"Predicted size {value}; it should be size" in backlight("explain", "sizes", "--example", "test:0").out


def test_an_answer_rests_on_columns(run: Path) -> None:
    told = backlight("explain", run, "--example", "test:1", "--output", "green", "--json").json["contributions"]
    assert told["output"] == "the probability of green"
    assert [part["column"] for part in told["columns"]] == ["length", "shape", "size", "count"]
    row = Path("table.csv").read_text().splitlines()[1 + _row_number(run, "test:1")].split(",")
    assert told["columns"][1]["value"] == row[1]
    assert told["columns"][0]["value"] == pytest.approx(float(row[0]), abs=1e-5)
    assert told["sum"] == pytest.approx(told["whole"], rel=1e-6)
    text = backlight("explain", run, "--example", "test:1", "--output", "green").out
    assert "Which columns it rests on\nFor test:1, the probability of green is" in text


def _row_number(run: Path, example: str) -> int:
    return Run.open(run).dataset().row_of(example)


def test_a_model_needs_columns(run: Path) -> None:
    told = backlight("explain", run, "--importance", "--json").json
    assert (told["part"], told["rows"], told["score"], told["repeats"]) == ("the test part", 9, "accuracy", 5)
    assert {row["column"] for row in told["columns"]} == {"length", "shape", "size", "count"}
    assert told["columns"][0].keys() == {"column", "drop", "drop_spread", "rise", "rise_spread"}


def test_a_ranking_comes_with_the_curve_of_its_first(run: Path) -> None:
    content = backlight("sensitivity", run, "--json").json
    assert content["curve"]["weight"].startswith(content["ranking"]["ranked"][0]["weight"])


@pytest.mark.parametrize("verb", ["explain", "moves", "sensitivity", "health", "landscape", "check"])
@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("table.csv", "--html is table.csv; name a page, with .html at its end"),
        ("nowhere/page.html", "there is no folder nowhere for the page"),
        ("mine.html", "mine.html exists and is no page, so it is not replaced"),
    ],
)
def test_a_page_takes_the_place_of_nothing_else(run: Path, verb: str, page: str, message: str) -> None:
    Path("mine.html").write_text("my notes")
    weight = ("--weight", "0:0:0") if verb == "moves" else ()
    before = Path("table.csv").read_bytes()
    refused_in_one_line(message, verb, run, *weight, "--html", page)
    assert (Path("table.csv").read_bytes(), Path("mine.html").read_text()) == (before, "my notes")


def test_an_example_is_not_one_of_the_others(run: Path) -> None:
    for example, others in (("train:5", 41), ("test:1", 42)):
        step = backlight("explain", run, "--example", example, "--all", "--json").json["overfitting"]
        assert step["better"] + step["worse"] + step["same"] == others


def test_pictures_are_drawn_in_colour_and_without() -> None:
    values = np.arange(-32.0, 32.0).reshape(8, 8)
    for signed in (True, False):
        for system in ("truecolor", None):
            out = io.StringIO()
            console = Console(file=out, force_terminal=system is not None, color_system=system, width=80)
            show_blocks([Picture(values, signed=signed, caption="picture")], console)
            lines = out.getvalue().splitlines()
            assert len(lines) == 1 + 8
            assert ("48;2;" in out.getvalue()) == (system is not None)


def test_pictures_of_red_green_and_blue() -> None:
    values = np.zeros((2, 2, 3))
    values[0, 1] = (1.0, 0.5, 0.0)
    out = io.StringIO()
    show_blocks([Picture(values)], Console(file=out, force_terminal=True, color_system="truecolor", width=80))
    assert "48;2;255;128;0" in out.getvalue()
    out = io.StringIO()
    show_blocks([Picture(values)], Console(file=out, color_system=None, width=80))
    assert "  ██" in out.getvalue()


def test_several_labels_are_told_by_name() -> None:
    x = np.random.default_rng(0).random((80, 2))
    np.savez("labels.npz", x=x, y=np.stack([x[:, 0] > 0.5, x[:, 1] > 0.5, x.sum(1) > 1], 1).astype(np.int64))
    assert backlight("train", "labels.npz", "--epochs", "60", "--out", "labels").code == 0
    content = backlight("explain", "labels", "--example", "train:0", "--json").json
    assert content["confidence"] is None
    assert set(content["truth"].split(", ")) <= {"label 0", "label 1", "label 2", "no label"}


def test_a_wide_table_becomes_records_on_a_narrow_screen() -> None:
    table = Table(
        ("layer", "gradients of all examples", "weights of the layer"), (("first", 0.125, -2.0),), signed=(2,)
    )
    for width, expected in ((80, 2), (36, 3)):
        out = io.StringIO()
        show_blocks([table], Console(file=out, width=width))
        lines = out.getvalue().splitlines()
        assert len(lines) == expected
        assert "0.125" in out.getvalue()
        assert max(map(len, lines)) <= width
