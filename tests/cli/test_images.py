"""Training on folders of images, and asking about them, in the terminal."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.terminal import backlight, refused_in_one_line
from tests.pictures import draw, draw_classes


@pytest.fixture
def done(folder: Path) -> Path:
    draw_classes(Path("pets"), count=20)
    result = backlight("train", "pets", "--epochs", "3", "--layers", "8", "--out", "done")
    assert result.code == 0, result.err
    assert "network   72-8-2" in result.err
    return Path("done")


def test_names_of_files_follow_the_examples(done: Path) -> None:
    said = backlight("predict", done, "test:1").out
    name = said.partition("test:1 (")[2].partition(")")[0]
    truth = name.partition("/")[0]
    assert (Path("pets") / name).is_file()
    assert f"and it is: {truth}" in said
    assert backlight("predict", done, "test:1", "--json").json["predictions"][0]["example"] == f"test:1 ({name})"
    told = backlight("explain", done, "--example", "test:1", "--batch", "5").out
    assert told.startswith(f"test:1 ({name}), after")
    assert "train:0 (cat/" in told
    assert "(cat/" in backlight("moves", done, "--weight", "2:0:b", "--to", "1").out


def test_the_same_answer_by_example_by_file_and_by_folder(done: Path) -> None:
    by_name = backlight("predict", done, "test:0", "--json").json["predictions"][0]
    name = by_name["example"].partition("(")[2][:-1]
    by_file = backlight("predict", done, f"pets/{name}", "--json").json["predictions"][0]
    assert by_file["probabilities"] == pytest.approx(by_name["probabilities"])
    many = backlight("predict", done, "pets", "--json").json["predictions"]
    assert len(many) == 40
    assert next(row for row in many if row["example"] == f"pets/{name}")["class"] == by_name["class"]


def test_evaluate_a_folder_like_the_run_s_own_parts(done: Path) -> None:
    parts = [backlight("evaluate", done, "--part", part, "--json").json for part in ("train", "validation", "test")]
    whole = backlight("evaluate", done, "pets", "--json").json
    total = sum((np.array(part["metrics"]["confusion"]) for part in parts), start=np.zeros((2, 2), int))
    assert whole["metrics"]["confusion"] == total.tolist()
    refused_in_one_line("--labels and --skip-broken are for the images of a FILE", "evaluate", done, "--skip-broken")


def test_a_run_is_repeated_from_anywhere_and_refuses_changed_images(done: Path, monkeypatch) -> None:
    settings = json.loads((done / "run.json").read_text())["settings"]
    assert (settings["size"], settings["gray"], settings["label_from"]) == ("6x4", False, None)
    run = done.resolve()
    monkeypatch.chdir("/")
    assert backlight("explain", run, "--at", "2").code == 0
    monkeypatch.undo()
    draw(run.parent / "pets" / "cat" / "00.png", seed=200)
    refused_in_one_line("pets has changed since", "predict", run, "test:0")


def test_all_options_at_once(folder: Path) -> None:
    for k in range(30):
        draw(Path("flat") / f"{'ab'[k % 2]}_{k}.png", (90 * (k % 2), 100, 50), seed=k)
    Path("flat/bad_1.png").write_bytes(b"")
    options = ["--size", "5x3", "--gray", "--label-from", "^(.)_", "--skip-broken"]
    result = backlight("train", "flat", *options, "--epochs", "2", "--layers", "4", "--out", "one")
    assert result.code == 0, result.err
    assert "network   15-4-2" in result.err
    assert "note      1 image without a label was left out: bad_1.png" in result.err
    Path("names.csv").write_text("file,kind\n" + "".join(f"{'ab'[k % 2]}_{k}.png,k{k % 2}\n" for k in range(30)))
    result = backlight("train", "flat", "--labels", "names.csv", "--epochs", "2", "--layers", "4", "--out", "two")
    assert result.code == 0, result.err
    shutil.copytree("flat", "more", ignore=shutil.ignore_patterns("bad*"))
    evaluated = backlight("evaluate", "two", "more", "--json").json
    assert evaluated["examples"] == 30
    assert backlight("evaluate", "one", "more", "--json").json["examples"] == 30
    Path("other.csv").write_text("a_0.png,k1\n")
    assert backlight("evaluate", "two", "more", "--labels", "other.csv", "--json").json["examples"] == 1


def test_labels_by_row_number_are_those_of_the_run_s_own_array(folder: Path) -> None:
    for name, seed in (("x", 0), ("new", 1)):
        np.save(f"{name}.npy", np.random.default_rng(seed).integers(0, 256, (40, 3, 4), np.uint8))
        np.save(f"{name}-labels.npy", np.arange(40) % 2)
    draw_classes(Path("pets"), ("0", "1"), count=3)
    shutil.copy("x.npy", "copy.npy")
    run = backlight("train", "x.npy", "--labels", "x-labels.npy", "--epochs", "2", "--layers", "4", "--out", "r")
    assert run.code == 0, run.err
    assert backlight("evaluate", "r", "x.npy", "--json").json["examples"] == 40
    for other in ("new.npy", "copy.npy"):
        refused_in_one_line("npy holds images without labels; give 'evaluate' --labels FILE", "evaluate", "r", other)
        refused_in_one_line("npy holds images without labels", "explain", "r", "--example", f"{other}:3")
        assert len(backlight("predict", "r", other, "--json").json["predictions"]) == 40
    assert backlight("evaluate", "r", "new.npy", "--labels", "new-labels.npy", "--json").json["examples"] == 40
    assert backlight("evaluate", "r", "pets", "--json").json["examples"] == 6


def test_whose_labels_new_images_have_is_told(folder: Path) -> None:
    for k in range(30):
        draw(Path("flat") / f"{k}.png", (90 * (k % 2), 100, 50), seed=k)
    shutil.copytree("flat", "more")
    Path("names.csv").write_text("".join(f"{k}.png,k{k % 2}\n" for k in range(30)))
    trained = backlight("train", "flat", "--labels", "names.csv", "--epochs", "1", "--layers", "2", "--out", "r")
    assert trained.code == 0, trained.err
    told = f"labels    from {Path('names.csv').resolve()}, as the run's own"
    assert told in backlight("evaluate", "r", "more").err
    assert told not in backlight("evaluate", "r", "flat").err
    assert told not in backlight("evaluate", "r", "more", "--labels", "names.csv").err


def test_digits_take_a_photograph(folder: Path) -> None:
    assert backlight("train", "digits", "--epochs", "1", "--layers", "4", "--out", "d").code == 0
    Image.new("RGB", (300, 200), "navy").save("photo.jpg")
    result = backlight("predict", "d", "photo.jpg")
    assert result.code == 0
    assert "photo.jpg is taken for: " in result.out
    assert "note: photo.jpg has 300x200 pixels, stretched to 8x8" in result.out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["pets", "--size", "big"], "--size is 'big'; write a width and a height, such as 32x32"),
        (["pets", "--size", "0"], "the size is 0x0; give a width and a height from 1 to 4096"),
        (["pets", "--label-from", "("], "--label-from is '(', which is no regular expression"),
        (["pets", "--labels", "none.csv"], "there is no file none.csv"),
        (["pets", "--target", "x"], "pets has no columns to choose from; leave out the target 'x'"),
        (["digits", "--gray"], "digits is read without --size, --gray, --labels, --label-from and --skip-broken"),
        (["none.zip"], "cannot read none.zip: No such file or directory"),
    ],
)
def test_what_cannot_be_trained_on(options: list[str], message: str, folder: Path) -> None:
    draw_classes(Path("pets"), count=2)
    refused_in_one_line(message, "train", *options)
    assert not Path("runs").exists()


def test_pictures_as_wide_as_the_terminal(folder: Path, monkeypatch) -> None:
    for k in range(8):
        draw(Path("wide") / "ab"[k % 2] / f"{k}.png", (k, 90, 20), (120, 40), seed=k)
    assert backlight("train", "wide", "--size", "120x40", "--epochs", "1", "--layers", "2", "--out", "w").code == 0
    lines = backlight("predict", "w", "wide/a/0.png").out.splitlines()
    assert len(lines[0]) == 120
