from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backlight.data import ImageInputs, ImageOptions, inputs_from_dict, load, read_rows
from backlight.data.images.negatives import are_bright, negatives


def draw(folder: Path, background: int) -> None:
    """Two kinds of bars on a plain background."""
    for number in range(20):
        pixels = np.full((6, 6), background, np.uint8)
        pixels[:, 2] = 255 - background if number % 2 else background
        pixels[2, :] = pixels[2, :] if number % 2 else 255 - background
        pixels[0, 0] = number
        path = folder / ("upright" if number % 2 else "lying") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)


def test_bright_images_are_learnt_from_as_negatives(tmp_path: Path) -> None:
    draw(tmp_path / "dark", 10)
    draw(tmp_path / "bright", 245)
    dark, bright = load(tmp_path / "dark"), load(tmp_path / "bright")
    assert isinstance(dark.inputs, ImageInputs)
    assert isinstance(bright.inputs, ImageInputs)
    assert (dark.inputs.negative, bright.inputs.negative) == (False, True)
    assert any("negatives" in note for note in bright.notes)
    assert not any("negatives" in note for note in dark.notes)
    assert bright.x.mean() < 80
    assert inputs_from_dict(bright.inputs.to_dict()) == bright.inputs
    assert "negative" not in dark.inputs.to_dict()
    new = read_rows(tmp_path / "bright", bright.inputs, bright.target, labelled=True, options=ImageOptions())
    assert np.array_equal(new.x, bright.x)
    assert np.array_equal(np.asarray(new.y), bright.y)


def test_numbers_from_0_to_1_are_turned_as_well() -> None:
    inputs = ImageInputs((1, 2), "uint8", negative=True)
    assert inputs.encode(np.array([[0, 200]], np.uint8)).tolist() == [[255, 55]]
    assert inputs.encode(np.array([[0.0, 0.75]])).tolist() == [[1.0, 0.25]]


def test_the_training_part_decides() -> None:
    pixels = np.array([[0], [0], [255], [255], [255]], np.uint8)
    assert not are_bright(pixels, np.array([0, 1]))
    assert are_bright(pixels, np.array([1, 2, 3]))


def test_many_pixels_stay_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("backlight.data.images.pixels._CHUNK", 7)
    given = np.random.default_rng(0).integers(0, 256, (10, 3), np.uint8)
    monkeypatch.setattr("backlight.data.images.pixels.LARGE", 29)
    found = negatives(given)
    assert isinstance(found, np.memmap)
    assert np.array_equal(found, 255 - given)
    assert list((tmp_path / "cache").rglob("*.*")) == []  # nothing is left behind
    monkeypatch.setattr("backlight.data.images.pixels.LARGE", 30)
    assert not isinstance(negatives(given), np.memmap)


def test_a_large_bright_array_is_never_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    bright = np.random.default_rng(0).integers(150, 256, (40, 4, 5), np.uint8)
    np.save(tmp_path / "x.npy", bright)
    np.save(tmp_path / "y.npy", np.arange(40) % 2)
    labels = ImageOptions(labels=str(tmp_path / "y.npy"))
    for module in ("pixels", "arrays"):
        monkeypatch.setattr(f"backlight.data.images.{module}.LARGE", 100)
    data = load(tmp_path / "x.npy", options=labels)
    assert isinstance(data.x, np.memmap)
    assert np.array_equal(data.x, 255 - bright.reshape(40, 20))
    new = read_rows(tmp_path / "x.npy", data.inputs, data.target, labelled=True, options=labels)
    assert isinstance(new.x, np.memmap)
    assert np.array_equal(new.x, data.x)
    np.save(tmp_path / "x.npy", 255 - bright)
    dark = load(tmp_path / "x.npy", options=labels)
    assert isinstance(dark.x, np.memmap)
    assert np.array_equal(dark.x, data.x)
    for size in ((2, 2), (9, 9)):
        stretched = load(tmp_path / "x.npy", options=ImageOptions(size=size, labels=labels.labels)).x
        assert isinstance(stretched, np.memmap)
        assert stretched.shape == (40, size[0] * size[1])
