"""`--augment`: training, its run, what explains it, and the picture of variants."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.terminal import backlight

QUICK = ("--layers", "8", "--epochs", "2", "--lr", "0.01")


def test_a_run_keeps_its_augmentation_and_its_moves_add_up() -> None:
    text = "rotate=12,scale=0.15,shift=1,elastic=10:2"
    assert backlight("train", "digits", *QUICK, "--augment", text, "--out", "run").code == 0
    assert json.loads(Path("run/run.json").read_text(encoding="utf-8"))["settings"]["augment"] == text
    assert backlight("train", "digits", *QUICK, "--out", "plain").code == 0
    assert Path("run/model.safetensors").read_bytes() != Path("plain/model.safetensors").read_bytes()
    told = backlight("moves", "run", "--weight", "0:3:20", "--from", "3", "--to", "4", "--json")
    assert told.code == 0, told.err
    step = told.json
    parts = {part["name"]: part["value"] for part in step["parts"]["parts"]}
    assert abs(parts["rounding"]) <= step["limit"] < 1e-6
    assert parts["gradient"] != 0


@pytest.mark.parametrize("data", ["digits", "mine.npz", "photos"])
def test_a_picture_shows_images_beside_their_variants(data: str) -> None:
    if data == "mine.npz":
        x = np.random.default_rng(0).integers(0, 256, (40, 9, 7), np.uint8)
        np.savez(data, x=x, y=np.arange(40) % 2)
    if data == "photos":
        for name in (f"{kind}/{k}" for k in range(12) for kind in "ab"):
            Path(f"photos/{name}").parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (12, 10), "orange").save(f"photos/{name}.png")
    told = backlight("data", "show", data, "--augment", "rotate=20,noise=0.2", "--out", "seen.png")
    assert told.code == 0, told.err
    assert "picture   seen.png" in told.err
    assert "8 training examples, each followed by its variants in epochs 1 to 9 (seed 0)" in told.err
    with Image.open("seen.png") as picture:
        assert picture.mode == "RGBA"
        assert min(picture.size) > 300
    content = backlight("data", "show", data, "--augment", "flip=1", "--json").json
    assert content["picture"] == f"{Path(data).stem}-augmented.png"
    assert Path(content["picture"]).exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("train", "digits", "--augment", "rotat=3"), "there is no augmentation 'rotat'; did you mean 'rotate'?"),
        (("train", "digits", "--augment", "columns=0.1"), "columns is for tables, and these are images"),
        (("train", "moons", "--augment", "elastic=34:4"), "elastic is for images with pixels from 0 to 1"),
        (("train", "digits", "--augment", "shift=9"), "shift is 9 pixels, and the images are 8 × 8"),
        (("train", "digits", "--augment", "elastic=34"), "write elastic=ALPHA:SIGMA, such as elastic=34:4"),
        (("data", "show", "moons", "--augment", "noise=1"), "a picture of variants is for images, and moons holds"),
        (("data", "show", "digits", "--out", "a.png"), "--out names the picture of --augment"),
        (("data", "show", "digits", "--augment", "flip=1", "--out", "a.jpg"), "name a picture, with .png at its end"),
        (("data", "show", "digits", "--augment", "flip=1", "--out", "no/a.png"), "there is no folder no"),
        (("data", "show", "digits", "--augment", "flip=1", "--out", "taken.png"), "exists and is no picture"),
        (("data", "show", "digits", "--augment", "flip=1", "--html", "a.html"), "leave out --html"),
    ],
)
def test_bad_input_is_one_sentence(arguments: tuple[str, ...], words: str) -> None:
    Path("taken.png").write_text("mine", encoding="utf-8")
    before = sorted(Path().iterdir())
    told = backlight(*arguments)
    assert told.code == 2
    assert words in told.err
    assert told.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before
