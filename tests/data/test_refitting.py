"""Data read for a network that has learnt from others: its inputs stay, and the data are made to fit."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backlight.data import ArrayInputs, ImageInputs, Inputs, TableInputs, load
from backlight.data.loading import load_as
from backlight.data.wanted import Wanted
from backlight.errors import InputError


def wanted(inputs: Inputs, *targets: str) -> Wanted:
    return Wanted(targets, None, (0.2, 0.2), 0, inputs=inputs)


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def old(tmp_path):
    rows = "".join(f"{k % 7},{'xyz'[k % 3]},2026-01-{k % 28 + 1:02},{k % 2}\n" for k in range(60))
    return load(write(tmp_path / "old.csv", "a,kind,day,y\n" + rows), target="y")


def test_a_table_keeps_means_categories_and_dates(tmp_path, old):
    rows = "".join(f"{'pq'[k % 2]},{'xw'[k % 2]},{100 + k},2027-02-{k % 28 + 1:02},{k}\n" for k in range(40))
    data = load_as(write(tmp_path / "new.csv", "label,kind,a,day,other\n" + rows), wanted(old.inputs, "label"))
    assert isinstance(data.inputs, TableInputs)
    assert data.inputs.columns == old.inputs.columns
    assert data.inputs.left_out == {"other": "the network to start from does not know it"}
    a = old.inputs.columns[0]
    column = data.inputs.names.index("a")
    np.testing.assert_allclose(data.x[:, column], (100 + np.arange(40) - a.mean) / a.std, rtol=1e-6)
    known = data.x[:, data.inputs.names.index("kind=x")]
    assert known.tolist() == [1.0, 0.0] * 20  # 'w' was never seen, and is none of the categories


def test_a_column_that_is_missing_or_to_be_predicted_is_refused(tmp_path, old):
    path = write(tmp_path / "new.csv", "label,a,day\n" + "p,1,2026-01-01\nq,2,2026-01-02\n" * 9)
    with pytest.raises(InputError, match="lacks the column 'kind', which the model needs"):
        load_as(path, wanted(old.inputs, "label"))
    with pytest.raises(InputError, match="takes the column 'kind' as an input, so it cannot be the target"):
        load_as(tmp_path / "old.csv", wanted(old.inputs, "kind"))


@pytest.fixture
def photos(tmp_path):
    for k in range(24):
        folder = tmp_path / "photos" / "ab"[k % 2]
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (6, 4), 250 - k).save(folder / f"{k}.png")
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("inputs", "value"),
    [
        (ImageInputs((3, 5), "uint8"), 250),
        (ImageInputs((3, 5), "uint8", negative=True), 5),
        (ImageInputs((3, 5), "float32"), 250 / 255),
        (ImageInputs((3, 5, 3), "uint8"), 250),
        (ArrayInputs((3, 5), "uint8", (), ()), 250),
    ],
)
def test_images_are_stretched_and_shown_as_the_network_knows_them(photos, inputs, value):
    data = load_as(photos, wanted(inputs))
    assert data.inputs == inputs
    assert data.x.shape == (24, inputs.width)
    first = list(data.names or ()).index("a/0.png")
    np.testing.assert_allclose(data.x[first], value, rtol=1e-6)


def test_built_in_images_fit_each_other(photos):
    data = load_as("digits", wanted(ImageInputs((4, 4), "uint8")))
    whole = load("digits")
    assert data.x.dtype == np.uint8
    assert abs(data.x.mean() / 255 - whole.x.mean()) < 0.01
    assert (data.y == whole.y).all()
    assert load_as("digits", wanted(whole.inputs)).x.tobytes() == whole.x.tobytes()


def test_arrays_keep_their_scale(tmp_path):
    path = tmp_path / "d.npz"
    np.savez(path, x=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2)
    inputs = ArrayInputs((2,), "float32", (1.0, 2.0), (2.0, 4.0))
    assert load_as(path, wanted(inputs)).x[1].tolist() == [0.5, 0.25]
    with pytest.raises(InputError, match="has shape 2, and the network to start from learnt from arrays of 3 numbers"):
        load_as(path, wanted(ArrayInputs((3,), "float32", (0.0,) * 3, (1.0,) * 3)))


def test_another_kind_of_data_is_refused(tmp_path, old, photos):
    with pytest.raises(InputError, match="digits holds images, and the network to start from learnt from a table"):
        load_as("digits", wanted(old.inputs))
    with pytest.raises(InputError, match="photos holds images, and the network to start from learnt from arrays of 2"):
        load_as(photos, wanted(ArrayInputs((2,), "float32", (0.0,) * 2, (1.0,) * 2)))
    with pytest.raises(InputError, match=r"old.csv is a table, and the network .* learnt from images of 8x8 pixels"):
        load_as(tmp_path / "old.csv", wanted(ImageInputs((8, 8), "uint8"), "y"))
