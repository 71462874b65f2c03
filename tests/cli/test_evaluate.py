"""What `evaluate` says of a run, and what `train` says of it at its end."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from backlight.cli.blocks import show_blocks
from backlight.plots import Chart, Line, Matrix, Ranges
from tests.cli.terminal import backlight, refused


def on_screen(width: int, *blocks: Any) -> str:
    out = io.StringIO()
    show_blocks(blocks, Console(file=out, force_terminal=True, color_system=None, width=width, markup=False))
    return out.getvalue()


def test_the_score_with_its_interval_beside_baseline_and_linear_model(run):
    result = backlight("evaluate", run, "--json").json
    metrics, baseline, linear = result["metrics"], result["baseline"], result["linear"]
    low, high = metrics["interval"]
    assert low <= metrics["accuracy"] <= high
    assert metrics["score"] == "accuracy"
    assert set(metrics["intervals"]) == {"loss", "macro_f1", "auc"}
    assert [row["name"] for row in metrics["per_class"]] == ["blue", "green", "red"]
    assert sum(entry["count"] for entry in metrics["calibration"]["bins"]) == result["examples"]
    assert baseline["what"].startswith("always '")
    assert linear["rows"] == 42
    shown = backlight("evaluate", run).out.splitlines()
    assert any(line.split()[:3] == ["baseline", f"{100 * baseline['accuracy']:.2f}", "%"] for line in shown)
    assert any(line.startswith(f"network       {100 * metrics['accuracy']:.2f} % (") for line in shown)
    assert all(warning in shown for warning in result["warnings"])
    assert any("too few to tell" in warning for warning in result["warnings"])


def test_train_ends_with_the_same(run):
    told = backlight("evaluate", run, "--json").json
    options = ["--target", "kind", "--epochs", "2", "--layers", "8"]
    trained = backlight("train", "table.csv", *options, "--json").json
    assert {key: trained[key] for key in ("baseline", "linear", "warnings")} == {
        key: told[key] for key in ("baseline", "linear", "warnings")
    }
    lines = backlight("train", "table.csv", *options).out.splitlines()
    begins = [line[:10].strip() for line in lines]
    assert [word for word in begins if word in ("score", "linear", "baseline")] == ["score", "linear", "baseline"]
    score = lines[begins.index("score")]
    assert score.startswith("score     test accuracy ")
    assert score.endswith(" with 95 % confidence)")


def test_without_a_test_part_the_validation_part_is_compared():
    shown = backlight("train", "moons", "--test", "0", "--epochs", "2").out
    assert "score     validation accuracy" in shown
    shown = backlight("train", "moons", "--test", "0", "--validation", "0", "--epochs", "2").out
    assert "score     train accuracy" in shown
    assert "warning   These rows were learnt from" in shown


@pytest.mark.parametrize("options", [(), ("--test", "0"), ("--test", "0", "--validation", "0")])
def test_what_comes_next_works(options):
    lines = backlight("train", "moons", *options, "--epochs", "1", "--out", "moon").out.splitlines()
    first = next(k for k, line in enumerate(lines) if line.startswith("next "))
    for line in lines[first : first + 2]:
        command, *arguments = line.removeprefix("next").split()
        assert command == "backlight"
        assert backlight(*arguments).code == 0, line


def test_a_failed_run_is_not_compared():
    result = backlight("train", "digits", "--optimizer", "sgd", "--lr", "1e30", "--json")
    assert result.code == 1
    assert (result.json["baseline"], result.json["linear"], result.json["warnings"]) == (None, None, [])


def test_a_page(run):
    result = backlight("evaluate", run, "--html", "page.html", "--json")
    assert "page      page.html" in result.err
    page = Path("page.html").read_text(encoding="utf-8")
    assert "What was taken for what" in page
    assert f"test: {result.json['examples']} examples" in page


def test_a_learning_curve(run):
    refused_few = backlight("evaluate", run, "--learning-curve")
    assert refused_few.code == 2
    assert "a learning curve needs at least 80 training rows" in refused_few.err
    backlight("train", "moons", "--epochs", "3", "--layers", "8", "--out", "moon")
    result = backlight("evaluate", "moon", "--learning-curve", "--json")
    assert result.err.count("training twice on") == 3
    curve = result.json["learning_curve"]
    assert curve["rows"] == [88, 176, 350, 700]
    assert "Would more data help?" in backlight("evaluate", "moon", "--learning-curve").out


def test_bad_options_are_refused_before_anything_is_computed(run):
    train = ["--part", "train", "--learning-curve"]
    for arguments in (["--html", "page.txt"], ["--html", "none/page.html"], ["--part", "tets"], train):
        result = backlight("evaluate", run, *arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.count("\n") == 1
    refused("--part chooses", "evaluate", run, "table.csv", "--part", "test")


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_ranges_fit_into_any_terminal(width):
    ranges = Ranges(("network", "linear"), (0.9, None), ((0.8, 0.95), None), ("90 %", "–"), "x")
    shown = on_screen(width, ranges)
    assert max(map(len, shown.splitlines())) <= width
    assert ("●" in shown) == (width >= 40)


def test_the_interval_is_drawn_around_the_value():
    (line,) = (line for line in on_screen(80, Ranges(("a",), (0.5,), ((0.0, 1.0),), ("half",))).splitlines() if line)
    drawn = line.split("half")[1].strip()
    assert set(drawn) == {"─", "●"}
    assert abs(drawn.index("●") - (len(drawn) - 1) / 2) <= 1


def test_charts_are_left_to_the_page_and_matrices_fit():
    assert on_screen(40, Chart((Line("a", (0.0,), (1.0,)),))) == ""
    names = tuple(f"class {k}" for k in range(40))
    shown = on_screen(40, Matrix(names, np.eye(40, dtype=np.int64) + 1, ("is", "taken for")))
    assert max(map(len, shown.splitlines())) <= 40
