"""A training whose numbers blow up: exit code 1, the layer is named, and the run can be used."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.cli.terminal import backlight


@pytest.mark.parametrize(
    "options",
    [
        ["--optimizer", "sgd", "--lr", "1e30"],
        ["--optimizer", "sgd", "--lr", "1e38"],
        ["--optimizer", "momentum", "--lr", "1e4", "--batch-size", "full"],
        ["--optimizer", "sgd", "--lr", "1.5", "--activation", "identity", "--output", "identity", "--layers", "8"],
        ["--classic", "--lr", "1e10", "--output", "identity"],
    ],
)
def test_the_layer_is_named_and_the_last_good_weights_are_kept(options):
    result = backlight("train", "moons", *options, "--json", "--out", "done")
    assert result.code == 1
    assert result.err == ""
    content = result.json
    assert "the loss was no longer a finite number at step" in content["stopped"]
    assert "of layer " in content["stopped"]
    assert f"the weights of step {content['steps']} were kept; try a smaller learning rate" in content["stopped"]
    assert backlight("evaluate", "done", "--json").json["metrics"] == content["metrics"]["test"]
    assert backlight("predict", "done", "test:0").code == 0
    last = json.loads(Path("done/history.jsonl").read_text().splitlines()[-1])
    assert (last["record"], last["failed"], last["step"]) == ("end", True, content["steps"])
    assert "has ended: the loss was no longer" in backlight("train", "--resume", "done").err


def test_people_are_told_as_well():
    result = backlight("train", "moons", "--optimizer", "sgd", "--lr", "1e30")
    assert result.code == 1
    assert "stopped   the loss was no longer a finite number at step" in result.out
    assert "saved     runs/moons-1" in result.out


def test_metrics_that_are_not_finite_are_null_in_json_and_a_dash_on_paper():
    x = np.linspace(-1, 1, 60)[:, None]
    x[-30:] *= 1e20  # squared errors beyond float32
    np.savez("huge.npz", x=x, y=x)
    options = ["--layers", "2", "--output", "leaky_relu", "--epochs", "1", "--out", "done"]
    result = backlight("train", "huge.npz", *options, "--json")
    assert result.code == 1
    assert result.json["metrics"]["train"]["loss"] is None
    shown = backlight("evaluate", "done", "--part", "train")
    assert shown.code == 0
    assert ["loss", "–"] in [line.split()[:2] for line in shown.out.splitlines()]
