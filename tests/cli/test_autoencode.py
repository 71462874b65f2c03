"""Learning without labels, and with few: autoencoders, their codes and pictures, and runs that start from others."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.cli.terminal import backlight, refused_in_one_line

FEW = ("--per-class", "5", "--validation", "0", "--epochs", "2")


def trained(*arguments: str | Path) -> dict[str, Any]:
    result = backlight("train", *arguments, "--json")
    assert result.code == 0, result.err
    return result.json


@pytest.fixture
def autoencoder() -> Path:
    trained("digits", "--task", "autoencode", "--layers", "16", "--code", "4", "--epochs", "2", "--out", "ae")
    return Path("ae")


def test_train_and_evaluate_an_autoencoder(autoencoder):
    told = backlight("evaluate", autoencoder, "--json").json
    assert set(told["metrics"]) == {"loss", "rmse", "r2", "score", "interval", "intervals"}
    assert told["baseline"]["r2"] <= 0.01
    assert told["linear"]["what"].startswith("the best linear code of 4 numbers")
    shown = backlight("evaluate", autoencoder).out
    assert "left what went in, right what came out" in shown
    assert "test:2" in shown
    settings = json.loads((autoencoder / "run.json").read_text())["settings"]
    assert (settings["code"], settings["layers"], settings["dropout"]) == (4, [16], 0.0)
    assert (settings["output"], settings["loss"]) == ("logistic", "cross_entropy")


def test_the_page_has_pictures(autoencoder):
    assert backlight("evaluate", autoencoder, "--html", "page.html").code == 0
    page = Path("page.html").read_text()
    assert "Inputs and reconstructions" in page
    assert "test:9" in page


def test_codes_as_csv_and_json(autoencoder):
    lines = list(csv.reader(io.StringIO(backlight("predict", autoencoder, "test:3", "--code").out)))
    assert lines[0] == ["example", "code0", "code1", "code2", "code3"]
    told = backlight("predict", autoencoder, "test:3", "--code", "--json").json["predictions"]
    assert told[0]["example"] == lines[1][0] == "test:3"
    np.testing.assert_allclose([float(cell) for cell in lines[1][1:]], told[0]["code"], rtol=1e-6)


def test_reconstructions_of_one_and_of_many(autoencoder):
    one = backlight("predict", autoencoder, "test:3")
    assert "is given back as" in one.out
    assert "test:3 is given back with an RMSE of" in one.out
    np.savez("new.npz", x=np.zeros((3, 8, 8), np.uint8))
    many = backlight("predict", autoencoder, "new.npz", "--json").json["predictions"]
    assert [set(answer) for answer in many] == [{"example", "rmse", "reconstruction"}] * 3
    assert len(many[0]["reconstruction"]) == 64
    assert "RMSE" in backlight("predict", autoencoder, "new.npz").out


def test_a_folder_of_images_without_labels_and_a_table_without_a_target():
    Path("photos").mkdir()
    for k in range(12):
        Image.new("RGB", (5, 4), (20 * k, 9, 100)).save(f"photos/{k}.png")
    told = trained("photos", "--task", "autoencode", "--layers", "8", "--code", "2", "--epochs", "2", "--out", "p")
    assert told["metrics"]["train"]["rmse"] < 1
    assert backlight("evaluate", "p", "photos").code == 0
    assert backlight("evaluate", "p", "--html", "p.html").code == 0
    told = trained("table.csv", "--task", "autoencode", "--epochs", "2", "--code", "2", "--out", "t")
    assert told["linear"]["what"].startswith("the best linear code of 2")
    assert backlight("evaluate", "t").code == 0
    assert backlight("predict", "t", "table.csv", "--code").out.startswith("example,code0,code1\n")


def test_explanations_of_an_autoencoder():
    rng = np.arange(40 * 12).reshape(40, 3, 4) % 251
    np.savez("bytes.npz", x=rng.astype(np.uint8))
    trained("bytes.npz", "--task", "autoencode", "--layers", "5", "--code", "3", "--epochs", "2", "--out", "b")
    for verb in (("explain", "b", "--example", "test:0"), ("health", "b"), ("check", "b"), ("sensitivity", "b")):
        result = backlight(*verb)
        assert result.code == 0, (verb, result.err)
    assert backlight("check", "b", "--json").json["passed"]


def test_some_classes_from_a_trunk_of_others():
    trained("digits", "--classes", "0,1,2,3,4", "--layers", "12,8", "--epochs", "2", "--out", "low")
    result = backlight(
        *("train", "digits", "--classes", "5,6,7,8,9", *FEW, "--start-from", "low", "--freeze", "1", "--out", "high")
    )
    assert result.code == 0, result.err
    assert "train 25" in result.err
    assert "start     low, layer 0 frozen" in result.err
    assert "without a target" not in result.err
    assert set(backlight("predict", "high", "test:0", "--json").json["predictions"][0]["probabilities"]) == set("56789")
    moved = backlight("moves", "high", "--weight", "0:0:3")
    assert "layer 0 was frozen, so its weights never moved" in moved.err


def test_a_code_alone_and_the_network_on_it():
    trained("digits", "--task", "autoencode", "--layers", "none", "--code", "5", "--epochs", "1", "--out", "code")
    told = trained("digits", *FEW, "--start-from", "code", "--freeze", "1", "--out", "few")
    assert told["parameters"] == 64 * 5 + 5 + 5 * 10 + 10


def test_few_labels_on_an_encoder(autoencoder):
    told = trained("digits", *FEW, "--start-from", autoencoder, "--freeze", "2", "--out", "few")
    assert told["parameters"] == 64 * 16 + 16 + 16 * 4 + 4 + 4 * 10 + 10


REFUSED = {
    "digits --start-from ae --layers 64": "--layers is decided by the run that --start-from names; leave it out",
    "digits --start-from ae --layers 64 --init he_normal": "--layers, --init are decided by the run",
    "digits --start-from ae --dropout 0.1": "--dropout is decided by the run",
    "digits --start-from ae --classic": "--classic is decided by the run",
    "digits --start-from ae --freeze 3": "freeze is 3, and the network has 3 layers with weights",
    "digits --start-from nowhere": "there is no run folder nowhere to start from",
    "digits --freeze 1": "--freeze keeps layers of the run that --start-from names, and none is given",
    "table.csv --target kind --start-from ae": "is a table, and the network to start from learnt from images of 8x8",
    "moons --start-from ae": "has shape 2, and the network to start from learnt from images of 8x8 pixels",
    "digits --code 8": "--code is the middle layer of an autoencoder; give --task autoencode with it",
    "digits --task autoencode --code 0": "code is 0; it must be a whole number of at least 1",
    "digits --task autoencode --classes 0,1": "an autoencoder learns without labels; leave out --classes",
    "digits --task autoencode --per-class 3": "an autoencoder learns without labels; leave out --per-class",
    "table.csv --task autoencode --class-weights balanced": "an autoencoder learns without labels; leave out",
    "table.csv --task autoencode --target kind": "an autoencoder has no target but its inputs; leave out the target",
    "digits --task autoencode --output softmax": "softmax picks one class, and an autoencoder gives its inputs back",
    "table.csv --task autoencode --output logistic": "the output logistic gives numbers of a limited range",
    "digits --task autoencode --loss poisson": "an autoencoder's outputs are no counts",
    "digits --task autoencode --until accuracy>0.9": "there are loss, rmse, r2",
    "digits --classes 0,11": "--classes names '11', which is no class here",
    "digits --classes 3": "--classes names 1 class; two at least are needed",
    "digits --per-class 0": "per_class is 0; it must be a whole number of at least 1",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_does_not_go_together_is_refused(options, autoencoder):
    refused_in_one_line(REFUSED[options], "train", *options.split(), "--epochs", "1", "--out", "new")
    assert not Path("new").exists()


def test_verbs_that_need_labels_or_a_code_are_refused(autoencoder, run):
    refused_in_one_line("an autoencoder learns without any", "evaluate", autoencoder, "--learning-curve")
    refused_in_one_line("is no autoencoder, so it has no code", "predict", run, "table.csv", "--code")
