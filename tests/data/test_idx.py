import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from backlight.data import load
from backlight.data.idx import FILES, cache_folder, find_files, read_idx, read_pair
from backlight.errors import InputError

IMAGES = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
LABELS = np.array([3, 9], np.uint8)


def idx(values: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An empty BACKLIGHT_DATA and cache folder."""
    monkeypatch.setenv("BACKLIGHT_DATA", str(tmp_path / "own"))
    monkeypatch.setattr("backlight.data.idx.folders", lambda name: [tmp_path / "own" / name, tmp_path / "cache"])
    return tmp_path


def fill(folder: Any, packed: Any = True, train: Any = 6, test: Any = 4) -> None:
    folder.mkdir(parents=True)
    for file, count in zip(FILES, (train, train, test, test), strict=True):
        values = np.arange(count * 784, dtype=np.uint8).reshape(count, 28, 28)
        content = idx(values if "images" in file else (np.arange(count) % 2).astype(np.uint8))
        (folder / (f"{file}.gz" if packed else file)).write_bytes(gzip.compress(content) if packed else content)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_a_set_keeps_its_own_test_file(home: Path, name: Any, packed: Any) -> None:
    fill(home / "own" / name, packed)
    data = load(name, validation=0.34, test=0.6)
    assert data.x.shape == (10, 784)
    assert data.x.dtype == np.uint8
    assert data.rows["test"].tolist() == [6, 7, 8, 9]
    assert len(data.rows["validation"]) == 2
    assert sorted([*data.rows["train"], *data.rows["validation"]]) == list(range(6))
    assert data.part("test")[0].base is not None  # a view: nothing is copied
    assert data.x[7, 0] == 784 % 256
    assert data.target.names[9] == ("Ankle boot" if name == "fashion-mnist" else "9")
    assert data.source.kind == "idx"
    assert [file for file, _ in data.source.files] == [str(path) for path in find_files(name)]


def test_the_first_folder_that_has_the_files_wins(home: Path) -> None:
    fill(home / "cache")
    assert find_files("mnist")[0].parent == home / "cache"
    fill(home / "own" / "mnist", packed=False)
    assert find_files("mnist")[0].parent == home / "own" / "mnist"


def test_absent_sets_say_how_to_get_them(home: Path) -> None:
    with pytest.raises(InputError, match="run 'backlight data get mnist', or put train-images-idx3-ubyte, ") as caught:
        load("mnist")
    assert str(home / "own" / "mnist") in str(caught.value)
    fill(home / "own" / "mnist")
    (home / "own" / "mnist" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(InputError, match=r"holds only a part of mnist: t10k-labels-idx1-ubyte\.gz is missing"):
        load("mnist")


@pytest.mark.parametrize(
    ("platform", "variables", "tail"),
    [
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/backlight/mnist"),
        ("linux", {"XDG_CACHE_HOME": "", "HOME": "/h"}, "/h/.cache/backlight/mnist"),
        ("darwin", {"HOME": "/h"}, "/h/Library/Caches/backlight/mnist"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/backlight/mnist"),
    ],
)
def test_cache_folders(monkeypatch: pytest.MonkeyPatch, platform: Any, variables: Any, tail: Any) -> None:
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("sys.platform", platform)
    assert cache_folder("mnist").as_posix() == tail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is no IDX file of images: it is empty"),
        (b"\0\0\x08\x01" + bytes(12), "begins with 0x00000801, where 0x00000803 is expected"),
        (b"\0\0\x0d\x03" + bytes(12), "begins with 0x00000d03"),
        (b"<html>", "begins with 0x3c68746d"),
        (b"\0\0\x08\x03\0\0", "is cut short within its first 16 bytes"),
        (idx(IMAGES)[:-1], "holds 1,567 values where its header promises 2 x 28 x 28 = 1,568"),
        (idx(IMAGES) + b"\0", "holds 1,569 values"),
        (gzip.compress(idx(IMAGES), mtime=0)[:-9], "cut short"),
        (gzip.compress(idx(IMAGES), mtime=0)[:10] + b"\xff" * 30, "its gzipped data cannot be unpacked"),
    ],
)
def test_damaged_files(tmp_path: Path, content: Any, words: str) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as caught:
        read_idx(path, 3)
    assert str(path) in str(caught.value)


def test_a_file_that_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(bytes(10_000_000)))
    with pytest.raises(InputError, match="unpacks to more than the 1,000 bytes"):
        read_idx(path, 3, most=1000)


def test_files_that_do_not_belong_together(tmp_path: Path) -> None:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(idx(IMAGES))
    labels.write_bytes(idx(LABELS))
    assert np.array_equal(read_pair(images, labels)[0], IMAGES)
    labels.write_bytes(idx(LABELS[:1]))
    with pytest.raises(InputError, match=r"holds 2 images but .* 1 labels; they must be as many"):
        read_pair(images, labels)
    labels.write_bytes(idx(LABELS + 1))
    with pytest.raises(InputError, match="holds label 10 at row 2; labels go from 0 to 9"):
        read_pair(images, labels)
    images.write_bytes(idx(IMAGES[:, :20]))
    with pytest.raises(InputError, match="holds images of 20x28 pixels where 28x28 is expected"):
        read_pair(images, labels)
    with pytest.raises(InputError, match="cannot read"):
        read_pair(tmp_path / "none", labels)
