"""Images that are arrays: pairs of IDX files, and `.npy` with a file of labels."""

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backlight.data import Classes, ImageInputs, ImageOptions, SeveralClasses, load, read_rows
from backlight.errors import InputError

PIXELS = np.arange(40 * 3 * 5, dtype=np.uint32).reshape(40, 3, 5).astype(np.uint8)
LABELS = (np.arange(40) % 4).astype(np.uint8)


def idx(array: NDArray[np.uint8]) -> bytes:
    lengths = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes([0, 0, 8, array.ndim]) + lengths + array.tobytes()


@pytest.mark.parametrize(
    ("images", "labels"),
    [
        ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
        ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"),
        ("x-images.idx3", "x-labels.idx1.gz"),
    ],
)
def test_a_pair_of_idx_files_by_one_of_them(tmp_path: Path, images: str, labels: str) -> None:
    for name, array in ((images, PIXELS), (labels, LABELS)):
        content = idx(array)
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    for given in (images, labels):
        data = load(tmp_path / given)
        assert data.inputs == ImageInputs((3, 5), "uint8")
        assert np.array_equal(data.x, PIXELS.reshape(40, 15))
        assert np.array_equal(data.y, LABELS)
        assert data.target == Classes(("0", "1", "2", "3"))
        assert [Path(path or "").name for path, _ in data.source.files] == [images, labels]
    rows = read_rows(tmp_path / images, data.inputs, data.target, labelled=True)
    assert np.array_equal(rows.x, data.x)
    assert np.array_equal(rows.y if rows.y is not None else [], data.y)


def test_idx_files_without_their_other_half_or_of_another_length(tmp_path: Path) -> None:
    path = tmp_path / "t-images-idx3-ubyte"
    path.write_bytes(idx(PIXELS))
    with pytest.raises(InputError, match="needs its labels beside it, and there is no file t-labels-idx1-ubyte"):
        load(path)
    (tmp_path / "t-labels-idx1-ubyte").write_bytes(idx(LABELS[:-1]))
    with pytest.raises(InputError, match=r"holds 40 images but .* 39 labels; they must be as many"):
        load(path)
    with pytest.raises(InputError, match="has its labels in a file of its own; leave out --labels"):
        load(path, options=ImageOptions(labels="x.csv"))
    with pytest.raises(InputError, match=r"there is no file .*u-images-idx3"):
        load(tmp_path / "u-images-idx3")


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.stack([PIXELS] * 3, axis=-1))
    np.save(tmp_path / "y.npy", LABELS)
    return tmp_path / "x.npy"


def test_a_npy_with_labels_in_another(coloured: Path) -> None:
    options = ImageOptions(labels=str(coloured.with_name("y.npy")))
    data = load(coloured, options=options)
    assert data.inputs == ImageInputs((3, 5, 3), "uint8")
    assert np.array_equal(data.x, np.load(coloured).reshape(40, 45))
    assert np.array_equal(data.y, LABELS)
    rows = read_rows(coloured, data.inputs, data.target, labelled=True, options=options)
    assert np.array_equal(rows.x, data.x)
    grey = load(coloured, options=ImageOptions(labels=options.labels, gray=True))
    assert np.array_equal(grey.x, PIXELS.reshape(40, 15))
    small = load(coloured, options=ImageOptions(labels=options.labels, size=(2, 2)))
    assert small.x.shape == (40, 12)
    assert read_rows(coloured, small.inputs, small.target, labelled=False).notes[0].startswith("images were stretched")


def test_several_labels_and_labels_by_number(coloured: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "y.npy", np.stack([LABELS, LABELS % 2], axis=1))
    data = load(coloured, options=ImageOptions(labels=str(tmp_path / "y.npy")))
    assert isinstance(data.target, SeveralClasses)
    assert data.target.sizes == (4, 2)
    (tmp_path / "y.csv").write_text("row,kind\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(0, 42, 3)))
    data = load(coloured, options=ImageOptions(labels=str(tmp_path / "y.csv")))
    assert len(data.x) == 14
    assert data.target == Classes(("a", "b"), "kind")
    assert data.notes[0] == "26 images have no label and were left out"


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((4, 3, 5)), r"has shape \(4, 3, 5\) of float64; images are uint8"),
        (np.zeros((4, 15), np.uint8), r"has shape \(4, 15\) of uint8; images are uint8 \(n, height, width\)"),
        (np.zeros((0, 3, 5), np.uint8), "images are uint8"),
        (np.array([{}]), "is not a .npy file that can be read"),
    ],
)
def test_arrays_that_are_no_images(tmp_path: Path, array: Any, message: str) -> None:
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(InputError, match=message):
        load(tmp_path / "x.npy", options=ImageOptions(labels="y.npy"))


def test_labels_that_are_missing_or_no_labels(coloured: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds images without labels; give them with --labels"):
        load(coloured)
    (tmp_path / "z.npy").write_bytes(b"x")
    with pytest.raises(InputError, match=r"z.npy is not a .npy file"):
        load(coloured, options=ImageOptions(labels=str(tmp_path / "z.npy")))
    with pytest.raises(InputError, match=r"there is no file .*none.npy"):
        load(coloured, options=ImageOptions(labels=str(tmp_path / "none.npy")))
    np.save(tmp_path / "y.npy", LABELS.reshape(2, 2, 10))
    with pytest.raises(InputError, match="give one label, or several, for each row"):
        load(coloured, options=ImageOptions(labels=str(tmp_path / "y.npy")))
    np.save(tmp_path / "y.npy", LABELS)
    with pytest.raises(InputError, match="leave out --label-from and --skip-broken"):
        load(coloured, options=ImageOptions(labels=str(tmp_path / "y.npy"), skip_broken=True))
