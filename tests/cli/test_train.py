"""What `train`, `evaluate` and `predict` print and write when all goes well."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.terminal import INPUTS_OF_KIND, KINDS, backlight, write_arrays, write_table

SCORED = {"score", "interval", "intervals"}
TOLD = {"auc", "per_class", "calibration"}
CLASSES = {"loss", "accuracy", "macro_f1", "confusion"} | SCORED | TOLD
QUANTITIES = {"loss", "rmse", "mae", "r2"} | SCORED
PARTS = ["train", "validation", "test"]


def train(*arguments: str | Path) -> dict[str, Any]:
    result = backlight("train", *arguments, "--json")
    assert result.code == 0, result.err
    return result.json


def history(folder: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (Path(folder) / "history.jsonl").read_text().splitlines()]


def settings(folder: str) -> dict[str, Any]:
    found = json.loads((Path(folder) / "run.json").read_text())["settings"]
    assert isinstance(found, dict)
    return found


def test_train_prints_one_json_object():
    result = backlight("train", "moons", "--epochs", "2", "--layers", "8", "--batch-size", "200", "--json")
    assert result.out.count("\n") == 1
    content = result.json
    assert list(content) == [
        "run",
        "stopped",
        "epochs",
        "best_epoch",
        "steps",
        "parameters",
        "seconds",
        "examples_per_second",
        "metrics",
        "baseline",
        "linear",
        "warnings",
    ]
    assert content["run"] == "runs/moons-1"
    assert content["stopped"] == "2 epochs were asked for"
    assert (content["epochs"], content["steps"], content["parameters"]) == (2, 8, 2 * 8 + 8 + 8 * 2 + 2)
    assert content["seconds"] > 0
    assert content["examples_per_second"] > 0
    assert list(content["metrics"]) == PARTS
    assert all(set(metrics) == CLASSES for metrics in content["metrics"].values())


def test_with_json_nothing_is_said_of_the_progress():
    assert backlight("train", "moons", "--epochs", "1", "--json").err == ""


def test_evaluate_measures_what_train_reported():
    reported = json.loads(backlight("train", "moons", "--epochs", "2", "--json").out)
    for part in PARTS:
        result = backlight("evaluate", reported["run"], "--part", part, "--json")
        assert result.out.count("\n") == 1
        assert list(result.json) == ["run", "examples", "data", "metrics", "baseline", "linear", "warnings"]
        assert result.json["metrics"] == reported["metrics"][part]
    assert backlight("evaluate", reported["run"], "--json").json["metrics"] == reported["metrics"]["test"]


def test_evaluate_on_the_same_rows_as_a_file_gives_the_same_as_on_the_parts(run):
    parts = [backlight("evaluate", run, "--part", part, "--json").json for part in PARTS]
    whole = backlight("evaluate", run, "table.csv", "--json").json
    assert whole["data"] == "table.csv"
    assert whole["examples"] == sum(part["examples"] for part in parts) == 60
    total = sum((np.array(part["metrics"]["confusion"]) for part in parts), start=np.zeros((3, 3), int))
    assert whole["metrics"]["confusion"] == total.tolist()


def test_predict_prints_one_json_object(run):
    Path("new.csv").write_text(f"{INPUTS_OF_KIND}\n0.1,round,1,4\n0.9,square,9,36\n")
    result = backlight("predict", run, "new.csv", "--json")
    assert result.out.count("\n") == 1
    assert list(result.json) == ["run", "predictions", "unseen", "notes"]
    assert [answer["example"] for answer in result.json["predictions"]] == ["new.csv:0", "new.csv:1"]
    for answer in result.json["predictions"]:
        assert list(answer) == ["example", "class", "confidence", "probabilities"]
        assert sorted(answer["probabilities"]) == sorted(KINDS)


def test_a_run_can_be_used_from_another_working_folder(run, monkeypatch):
    expected = backlight("evaluate", run, "--json").json["metrics"]
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert backlight("evaluate", "../done", "--json").json["metrics"] == expected
    assert backlight("predict", "../done", "test:0").code == 0


def test_the_same_command_twice_gives_the_same_bits():
    for out in ("one", "two"):
        train("digits", "--epochs", "2", "--dropout", "0.1", "--out", out)
    for name in ("model.safetensors", "history.jsonl", "checkpoint.safetensors", "run.json"):
        assert Path("one", name).read_bytes() == Path("two", name).read_bytes()


def test_classic_and_options_that_override_it():
    train("moons", "--classic", "--epochs", "1", "--out", "classic")
    chosen = settings("classic")
    assert (chosen["layers"], chosen["activation"], chosen["output"]) == ([16, 16], "sigmoid", "sigmoid")
    assert (chosen["loss"], chosen["optimizer"], chosen["init"]) == ("squared", "sgd", "small_normal")
    assert (chosen["batch_size"], chosen["momentum"]) == (100, None)
    train("moons", "--classic", "--layers", "5", "--lr", "0.5", "--epochs", "1", "--out", "other")
    assert (settings("other")["layers"], settings("other")["lr"]) == ([5], 0.5)
    assert settings("other")["loss"] == "squared"


def test_quantities_are_measured_in_their_own_units():
    options = ["--target", "size", "--epochs", "60", "--seed", "1"]
    metrics = train("table.csv", *options, "--out", "small")["metrics"]
    write_table(Path("large.csv"))
    lines = Path("table.csv").read_text().splitlines()
    cells = [line.split(",") for line in lines[1:]]
    large = [",".join([*row[:3], str(1000 * float(row[3])), row[4]]) for row in cells]
    Path("large.csv").write_text("\n".join([lines[0], *large]) + "\n")
    scaled = train("large.csv", *options, "--out", "large")["metrics"]
    assert set(metrics["test"]) == QUANTITIES
    assert metrics["test"]["r2"] > 0.8
    # the standardised targets differ by float32 roundings alone, which 60 epochs of training may enlarge
    assert scaled["test"]["rmse"] == pytest.approx(1000 * metrics["test"]["rmse"], rel=0.01)
    assert scaled["test"]["mae"] == pytest.approx(1000 * metrics["test"]["mae"], rel=0.01)
    assert scaled["test"]["loss"] == pytest.approx(metrics["test"]["loss"], rel=0.01)
    answer = backlight("predict", "large", "large.csv", "--json").json["predictions"][-1]
    assert answer["size"] == pytest.approx(9833, rel=0.2)


def test_poisson_learns_counts_and_predicts_rates():
    draws = np.random.default_rng(0)
    a = draws.random(600)
    counts = draws.poisson(np.exp(3 * a))
    Path("counts.csv").write_text("a,n\n" + "".join(f"{x},{n}\n" for x, n in zip(a, counts, strict=True)))
    train("counts.csv", "--target", "n", "--task", "regression", "--loss", "poisson", "--out", "rates")
    Path("new.csv").write_text("a\n0.0\n0.5\n1.0\n")
    answers = backlight("predict", "rates", "new.csv", "--json").json["predictions"]
    # rates of 1, 4.5 and 20, learnt from 400 noisy counts
    np.testing.assert_allclose([answer["n"] for answer in answers], np.exp([0.0, 1.5, 3.0]), rtol=0.35)


def test_several_labels_at_once():
    x = np.random.default_rng(0).normal(size=(200, 2))
    write_arrays(Path("labels.npz"), x=x, y=np.stack([x[:, 0] > 0, x[:, 1] > 0, x.sum(1) > 0], 1).astype(np.int64))
    metrics = train("labels.npz", "--out", "labels")["metrics"]
    assert set(metrics["test"]) == {"loss", "accuracy", "exact"} | SCORED | TOLD
    assert metrics["test"]["accuracy"] > 0.9
    answer = backlight("predict", "labels", "test:0", "--json").json["predictions"][0]
    assert len(answer["labels"]) == 3
    shown = backlight("predict", "labels", "labels.npz")
    assert shown.code == 0
    assert "and 180 more; --json has them all" in shown.out


def test_without_validation_and_without_test():
    assert list(train("moons", "--validation", "0", "--epochs", "1")["metrics"]) == ["train", "test"]
    assert list(train("moons", "--test", "0", "--epochs", "1")["metrics"]) == ["train", "validation"]


def test_batches_of_all_examples_and_of_one():
    assert train("moons", "--batch-size", "full", "--epochs", "3")["steps"] == 3
    assert train("moons", "--batch-size", "1", "--epochs", "1")["steps"] == 700


@pytest.mark.parametrize("part", ["validation", "training"])
def test_until_ends_the_run_when_the_metric_is_good_enough(part):
    options = [] if part == "validation" else ["--validation", "0"]
    content = train("moons", "--until", "accuracy>=0.8", "--until", "loss<0.001", *options, "--out", "done")
    assert "accuracy is 0.8" in str(content["stopped"])
    assert f"on {part}: accuracy>=0.8 was asked for" in str(content["stopped"])
    where = "validation" if part == "validation" else "train"
    reached = [line[where]["accuracy"] >= 0.8 for line in history("done") if line["record"] == "epoch"]
    assert reached == [False] * (len(reached) - 1) + [True]


def test_patience_keeps_the_best_weights():
    content = train("moons", "--lr", "0.3", "--patience", "3", "--out", "done")
    assert str(content["stopped"]).startswith("no better on validation since epoch ")
    losses = [line["validation"]["loss"] for line in history("done") if line["record"] == "epoch"]
    best = content["best_epoch"]
    assert best == content["epochs"] - 3
    assert losses[best] == min(losses[1:])
    assert content["metrics"]["validation"]["loss"] == losses[best]


def test_an_image_is_drawn_and_named(monkeypatch):
    train("digits", "--epochs", "12", "--out", "done")
    name = backlight("predict", "done", "test:0")
    assert name.code == 0
    assert "█" in name.out
    assert "test:0 is taken for:" in name.out
    assert ", and it is:" in name.out
    from backlight.files import Run

    dataset = Run.open("done").dataset()
    row = dataset.row_of("test:0")
    Image.fromarray((dataset.x[row].reshape(8, 8) * 255).round().astype(np.uint8)).save("seven.png")
    by_file = backlight("predict", "done", "seven.png", "--json").json["predictions"][0]
    by_name = backlight("predict", "done", "test:0", "--json").json["predictions"][0]
    assert by_file["class"] == by_name["class"]
    # grey values of 0..16 sixteenths are rounded to 256 levels
    assert by_file["confidence"] == pytest.approx(by_name["confidence"], abs=0.02)


def test_the_data_sets_are_listed():
    names = [entry["name"] for entry in backlight("data", "list", "--json").json["data"]]
    assert {"digits", "penguins", "spiral", "moons", "circles", "xor", "mnist", "fashion-mnist"} == set(names)
    shown = backlight("data", "list").out
    assert all(name in shown for name in names)


@pytest.mark.data
def test_mnist_from_idx_files(monkeypatch, data_folder):
    if not (data_folder / "mnist").is_dir():
        pytest.skip("$BACKLIGHT_DATA holds no folder mnist")
    monkeypatch.setenv("BACKLIGHT_DATA", str(data_folder))
    content = train("mnist", "--epochs", "1", "--layers", "32", "--seed", "0")
    metrics = content["metrics"]
    assert metrics["test"]["accuracy"] > 0.9
    assert backlight("predict", str(content["run"]), "test:9999").code == 0


@pytest.mark.data
def test_housing_prices(data_folder):
    if not (data_folder / "housing.csv").exists():
        pytest.skip("$BACKLIGHT_DATA holds no housing.csv")
    content = train(data_folder / "housing.csv", "--target", "median_house_value", "--epochs", "5")
    metrics = content["metrics"]
    assert metrics["test"]["r2"] > 0.65
    assert 10_000 < metrics["test"]["mae"] < 100_000
