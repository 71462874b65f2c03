from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backlight.data import ArrayInputs, Classes, ImageInputs, load, read_rows
from backlight.errors import InputError

TARGET = Classes(("0", "1"))
BYTES, FRACTIONS = ImageInputs((2, 3), "uint8"), ImageInputs((2, 3), "float32")
GREY = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)


def save(tmp_path: Path, array: Any = GREY, name: str = "i.png", mode: str | None = None) -> Path:
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(tmp_path / name)
    return tmp_path / name


@pytest.mark.parametrize("mode", [None, "RGB", "RGBA", "P"])
@pytest.mark.parametrize("suffix", [".png", ".PNG", ".bmp", ".tif"])
def test_grey_values_of_any_mode(tmp_path: Path, mode: Any, suffix: Any) -> None:
    path = save(tmp_path, name=f"i{suffix}", mode=None if suffix == ".bmp" else mode)
    rows = read_rows(path, BYTES, TARGET, labelled=False)
    assert rows.x.dtype == np.uint8
    assert np.array_equal(rows.x, GREY.reshape(1, 6))
    assert rows.labels == (str(path),)
    fractions = read_rows(path, FRACTIONS, TARGET, labelled=False)
    assert fractions.x.dtype == np.float32
    assert np.allclose(fractions.x, GREY.reshape(1, 6) / 255)


def test_images_for_a_model_of_bytes_in_rows_and_columns(tmp_path: Path) -> None:
    inputs = ArrayInputs((2, 3), "uint8", (), ())
    assert np.array_equal(read_rows(save(tmp_path), inputs, TARGET, labelled=False).x, GREY.reshape(1, 6))


def test_a_digit_drawn_as_an_image_is_the_digit(tmp_path: Path) -> None:
    data = load("digits")
    image = (data.x[5].reshape(8, 8) * 255).round().astype(np.uint8)
    rows = read_rows(save(tmp_path, image), data.inputs, data.target, labelled=False)
    assert np.allclose(rows.x[0], data.x[5], atol=0.5 / 255 + 1e-6)


def test_an_npz_for_a_model_of_images(tmp_path: Path) -> None:
    path = tmp_path / "n.npz"
    np.savez(path, x=np.stack([GREY, GREY]), y=[0, 1])
    rows = read_rows(path, BYTES, TARGET, labelled=True)
    assert rows.y is not None
    assert rows.y.tolist() == [0, 1]
    assert rows.x.shape == (2, 6)
    np.savez(path, x=GREY.T[None])
    with pytest.raises(InputError, match=r"an example of x has shape \(3, 2\), but the model expects 2 x 3"):
        read_rows(path, BYTES, TARGET, labelled=False)
    np.savez(path, x=GREY[None] / 16.0)
    with pytest.raises(InputError, match=r"n.npz: the images hold values from 0 to 15.9375; this model expects"):
        read_rows(path, BYTES, TARGET, labelled=False)


def test_another_size_is_stretched_and_noted(tmp_path: Path) -> None:
    path = save(tmp_path, np.repeat(np.repeat(GREY, 4, axis=0), 5, axis=1))
    rows = read_rows(path, BYTES, TARGET, labelled=False)
    assert np.abs(rows.x.astype(int) - GREY.ravel()).max() < 40
    assert rows.notes == (f"{path} has 15x8 pixels, stretched to 3x2",)
    assert read_rows(save(tmp_path), BYTES, TARGET, labelled=False).notes == ()


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    path = save(tmp_path, GREY.astype(np.uint16) * 257)
    assert np.array_equal(read_rows(path, BYTES, TARGET, labelled=False).x, GREY.reshape(1, 6))


@pytest.mark.parametrize("cut", [0, 4, 20, 45])
def test_files_that_are_no_images(tmp_path: Path, cut: Any) -> None:
    path = save(tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(InputError, match=r"i\.png"):
        read_rows(path, BYTES, TARGET, labelled=False)


def test_files_that_are_not_for_this_model(tmp_path: Path) -> None:
    (tmp_path / "t.csv").touch()
    with pytest.raises(InputError, match="is a table, but the model was trained on images of 3x2 pixels"):
        read_rows(tmp_path / "t.csv", BYTES, TARGET, labelled=False)
    with pytest.raises(InputError, match="holds no images"):
        read_rows(tmp_path, BYTES, TARGET, labelled=False)
    with pytest.raises(InputError, match="there is no file"):
        read_rows(tmp_path / "none.png", BYTES, TARGET, labelled=False)
    with pytest.raises(InputError, match="single image without its class"):
        read_rows(save(tmp_path), BYTES, TARGET, labelled=True)
    numbers = ArrayInputs((6,), "uint8", (), ())
    with pytest.raises(InputError, match="the model was trained on numbers"):
        read_rows(save(tmp_path), numbers, TARGET, labelled=False)
