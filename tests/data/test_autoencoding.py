"""Data without labels: the inputs are the targets, and nothing is copied."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from backlight.data import Dataset, Reconstruction, load, read_rows
from backlight.data.images.options import ImageOptions
from backlight.data.tables.options import TableOptions
from backlight.errors import InputError


def check(data: Dataset, count: int) -> None:
    assert data.y is data.x
    assert data.target == Reconstruction(data.inputs.width)
    assert sum(map(len, data.rows.values())) == count == len(data.x)
    assert data.unlabelled == 0
    x, y = data.part("train")
    assert x is y


@pytest.mark.parametrize("name", ["digits", "moons", "penguins"])
def test_built_in_sets(name):
    labelled = load(name)
    check(load(name, task="autoencode"), len(labelled.x))


def test_a_table_without_a_target_has_all_columns_for_inputs(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "a,b,when,kind\n" + "".join(f"{k},{k * k},2026-01-{k % 28 + 1:02},{'xy'[k % 2]}\n" for k in range(40))
    )
    data = load(path, task="autoencode", options=TableOptions(drop=("when",)))
    check(data, 40)
    assert data.inputs.names == ("b", "kind=x", "kind=y")  # a counts the rows
    again = read_rows(path, data.inputs, data.target, labelled=True)
    assert again.y is again.x
    np.testing.assert_array_equal(again.x, data.x)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for k in range(20):
        folder = tmp_path / "photos" / ("deep/er" if k % 2 else ".")
        folder.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 3), k).save(folder / f"{k}.png")
    return tmp_path / "photos"


def test_images_need_no_labels(photos, tmp_path):
    check(load(photos, task="autoencode"), 20)
    np.save(tmp_path / "many.npy", np.zeros((9, 3, 4), np.uint8))
    check(load(tmp_path / "many.npy", task="autoencode"), 9)


def test_idx_images_need_no_labels_beside_them(tmp_path):
    header = np.array([0x803, 10, 2, 2], ">i4").tobytes()
    (tmp_path / "some-images-idx3-ubyte").write_bytes(header + bytes(range(40)))
    check(load(tmp_path / "some-images-idx3-ubyte", task="autoencode"), 10)


def test_arrays_need_no_y(tmp_path):
    np.savez(tmp_path / "x.npz", x=np.arange(60.0).reshape(20, 3))
    check(load(tmp_path / "x.npz", task="autoencode"), 20)


def test_bytes_as_the_network_sees_them(photos):
    data = load(photos, task="autoencode")
    row = next(k for k, name in enumerate(data.names or ()) if name.endswith("7.png") and "17" not in name)
    np.testing.assert_allclose(data.target_of(row), 7 / 255, rtol=1e-6)


def test_what_speaks_of_labels_is_refused(photos):
    with pytest.raises(InputError, match="an autoencoder has no target but its inputs; leave out the target 'species'"):
        load("penguins", task="autoencode", target="species")
    with pytest.raises(InputError, match="an autoencoder needs no labels; leave out --labels and --label-from"):
        load(photos, task="autoencode", options=ImageOptions(label_from="(.)"))
    with pytest.raises(InputError, match="class weights are for a target with one class per row"):
        load("penguins", task="autoencode", options=TableOptions(class_weights="balanced"))
