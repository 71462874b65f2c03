"""`backlight landscape`: what it prints, draws and writes, and what it refuses."""

import io
import json
import time
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from backlight.cli.blocks import show_blocks
from backlight.cli.progress import _Stage, told_on_stderr
from backlight.plots import Contours, Trail
from tests.cli.terminal import backlight, refused_in_one_line
from tests.files.processes import interrupted, start


def test_it_tells_people_and_programs(run: Path) -> None:
    told = backlight("landscape", run, "--batches", "full,5,1", "--starts", "2", "--points", "9")
    assert told.code == 0, told.err
    words = " ".join(told.out.split())
    for said in (
        "The cost around the path of done",
        "in the main directions of the paths",
        "A full batch",
        "one at a time",
        "Below the points of the paths the surface differs",
        "Where 2 starts end",
    ):
        assert said in words
    content = backlight("landscape", run, "--points", "3", "--json").json
    assert [path["name"] for path in content["paths"]] == ["full batch"]  # 42 examples, in batches of 100
    assert np.array(content["grid"]["costs"]).shape == (3, 3)
    assert 0 < content["variance_held"] <= 1
    assert content["starts"] == []


def test_pictures_and_pages(run: Path) -> None:
    for name in ("one.svg", "one.png", "one.SVG"):
        told = backlight("landscape", run, "--points", "5", "--out", name)
        assert told.code == 0, told.err
        assert f"picture   {name}" in told.err
        assert backlight("landscape", run, "--points", "5", "--random", "--out", name).code == 0  # replaced
    assert ET.parse("one.svg").getroot().tag.endswith("svg")
    with Image.open("one.png") as picture:
        assert picture.format == "PNG"
    told = backlight("landscape", run, "--points", "5", "--html", "page.html")
    assert (told.code, told.out) == (0, "")
    assert 'class="bl-surface"' in Path("page.html").read_text()


def test_nothing_of_the_run_is_changed(run: Path) -> None:
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    assert backlight("landscape", run, "--points", "3", "--batches", "1", "--starts", "2").code == 0
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("--batches is '0,abc'; write sizes", ("--batches", "0,abc")),
        ("--batches is ''", ("--batches", "")),
        ("the number of points is 1;", ("--points", "1")),
        ("the number of points is 100000; give 2 to 500", ("--points", "100000")),
        ("the number of starts is 1,", ("--starts", "1")),
        ("name a picture, with .svg or .png", ("--out", "picture.jpg")),
        ("there is no folder gone", ("--out", "gone/picture.svg")),
        ("table.svg exists and is no picture", ("--out", "table.svg")),
        ("name a page, with .html", ("--html", "page.png")),
    ],
)
def test_what_cannot_be_is_refused(run: Path, message: str, options: tuple[str, ...]) -> None:
    Path("table.svg").write_text("my notes")
    refused_in_one_line(message, "landscape", run, *options)
    assert Path("table.svg").read_text() == "my notes"


def test_a_run_is_needed() -> None:
    refused_in_one_line("there is no run folder nowhere", "landscape", "nowhere")
    refused_in_one_line("is not a run folder", "landscape", "table.csv")


def shown(contours: Contours, width: int) -> list[str]:
    out = io.StringIO()
    show_blocks([contours], Console(file=out, width=width))
    return out.getvalue().splitlines()


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_surface_in_characters(width: int) -> None:
    side = tuple(np.linspace(-1.0, 1.0, 9).tolist())
    heights = np.array(side)[None, :] ** 2 + np.array(side)[:, None] ** 2
    trails = (Trail("path", (-1.0, 0.0), (1.0, 0.0), (0.0, 0.0), ("", "")),)
    lines = shown(Contours(side, side, heights, trails), width)
    assert max(map(len, lines)) <= width
    assert lines[0][0] == "a"
    drawn = [line for line in lines if line.startswith((" ", "a", "░", "▒", "▓", "█"))][:-2]
    middle = next(line for line in drawn if "A" in line)
    assert abs(middle.index("A") - (len(drawn[0]) - 1) / 2) <= 1
    assert "█" in middle
    assert "a … A  path" in lines[-1]


def test_a_surface_without_numbers() -> None:
    assert shown(Contours((0.0, 1.0), (0.0, 1.0), np.full((2, 2), np.nan)), 40) == ["nothing to show"]


def test_long_work_says_how_long_and_short_work_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stage, said = _Stage("walking"), []
    for now in (100.5, 102.0, 110.0, 123.0):
        said.append(stage.line(int(now - 100), 40))
    assert said == [None, "walking: about 40 s", None, "walking: 57 %"]
    short = _Stage("walking")
    now += 1.5
    assert short.line(9, 10) is None
    with told_on_stderr() as told:
        told("nothing", 0, 10)


def test_ctrl_c_ends_it_cleanly(run: Path) -> None:
    process = start("landscape", run, "--batches", "1", "--starts", "200000")
    assert process.stderr is not None
    assert b"walking from 200000 starts" in process.stderr.readline()
    out, err = interrupted(process, 20)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert out == b""


def test_json_is_one_object(run: Path) -> None:
    told = backlight("landscape", run, "--points", "3", "--json", "--out", "one.svg")
    assert json.loads(told.out)["run"] == "done"
