"""Images with labels as a data set: rows, names, parts, colours, notes, and what is refused."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.pictures import draw, draw_classes, pack

from backlight.data import Classes, Dataset, ImageInputs, ImageOptions, Quantities, SeveralClasses, load, read_rows
from backlight.data.images.sets import reduced
from backlight.errors import BacklightError, InputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "pets", count=8)


def shape(data: Dataset) -> tuple[int, ...]:
    assert isinstance(data.inputs, ImageInputs)
    return data.inputs.shape


def read(source: Path, **options: Any) -> Dataset:
    return load(source, options=ImageOptions(**options))


def test_a_folder_of_classes_by_definition(folder: Path) -> None:
    data = load(folder)
    assert data.name == "pets"
    assert data.target == Classes(("cat", "dog"))
    assert data.inputs == ImageInputs((4, 6, 3), "uint8")
    assert data.x.dtype == np.uint8
    assert data.x.flags["C_CONTIGUOUS"]
    assert data.names is not None
    for row, name in enumerate(data.names):
        with Image.open(folder / name) as image:
            assert np.array_equal(data.x[row], np.asarray(image.convert("RGB")).reshape(-1))
        assert data.target.names[data.y[row]] == name.partition("/")[0]
    assert list(data.names) == sorted(data.names)
    assert {part: len(rows) for part, rows in data.rows.items()} == {"train": 12, "validation": 2, "test": 2}
    assert data.notes == ()
    assert data.called("test:1") == f"test:1 ({data.names[data.rows['test'][1]]})"
    assert [(name, len(sha256)) for name, sha256 in data.source.files] == [(str(folder.resolve()), 64)]


def test_a_zip_is_the_same_data(folder: Path, tmp_path: Path) -> None:
    whole, packed = load(folder), load(pack(folder, tmp_path / "z.zip", "pets/"))
    assert np.array_equal(whole.x, packed.x)
    assert np.array_equal(whole.y, packed.y)
    assert whole.names == packed.names
    assert whole.source.files[0][1] == packed.source.files[0][1]


def test_grey_images_are_grey_however_they_are_saved(tmp_path: Path) -> None:
    for k in range(4):
        draw(tmp_path / "g" / "ab"[k % 2] / f"{k}.png", (50 * k,) * 3, seed=k)
    data = load(tmp_path / "g")
    assert data.inputs == ImageInputs((4, 6), "uint8")
    assert data.x[1].tolist() == [2] + [100] * 23
    draw(tmp_path / "g" / "b" / "9.png", (1, 2, 3))
    assert shape(load(tmp_path / "g")) == (4, 6, 3)
    assert shape(read(tmp_path / "g", gray=True)) == (4, 6)


def test_the_size_is_the_median_and_at_most_64(folder: Path) -> None:
    draw(folder / "cat" / "large.png", size=(30, 20))
    assert shape(load(folder)) == (4, 6, 3)
    assert shape(read(folder, size=(3, 2))) == (2, 3, 3)
    for k in range(20):
        draw(folder / "dog" / f"huge{k}.png", size=(320, 100), seed=k)
    data = load(folder)
    assert shape(data) == (20, 64, 3)
    assert data.notes[0] == "images are reduced to 64x20 pixels from 320x100, their median; --size decides otherwise"
    assert reduced((1, 4000)) == (1, 64)


def test_folders_that_are_parts(tmp_path: Path) -> None:
    for part, count in (("train", 10), ("valid", 3), ("test", 2)):
        draw_classes(tmp_path / "d" / part, count=count)
    data = load(tmp_path / "d", validation=0.4, test=0.4)
    assert data.names is not None
    for part, own in (("train", "train"), ("validation", "valid"), ("test", "test")):
        assert {data.names[row].partition("/")[0] for row in data.rows[part]} == {own}
    assert [len(data.rows[part]) for part in ("train", "validation", "test")] == [20, 6, 4]


def test_a_loose_image_beside_the_parts_is_left_out_and_told(tmp_path: Path) -> None:
    draw_classes(tmp_path / "d" / "train", count=10)
    draw_classes(tmp_path / "d" / "valid", count=2)
    apart = load(tmp_path / "d", test=0)
    draw(tmp_path / "d" / "overview.png")
    data = load(tmp_path / "d", test=0)
    assert data.names == apart.names
    assert data.target == Classes(("cat", "dog"))
    assert "1 image outside of the parts' folders was left out: overview.png" in data.notes
    new = read_rows(tmp_path / "d", data.inputs, data.target, labelled=True)
    assert np.array_equal(new.x, data.x)
    assert new.notes == ("1 image outside of the parts' folders was left out: overview.png",)
    assert len(read_rows(tmp_path / "d", data.inputs, data.target, labelled=False).x) == len(data.x) + 1


def test_a_part_without_a_folder_is_taken_from_the_training_folder(tmp_path: Path) -> None:
    draw_classes(tmp_path / "d" / "train", count=10)
    draw_classes(tmp_path / "d" / "test", count=2)
    data = load(tmp_path / "d", validation=0.3)
    assert data.names is not None
    assert [len(data.rows[part]) for part in ("train", "validation", "test")] == [14, 6, 4]
    assert all(data.names[row].startswith("train/") for row in data.rows["validation"])
    assert all(data.names[row].startswith("test/") for row in data.rows["test"])


def test_the_same_image_in_two_parts_is_told(tmp_path: Path) -> None:
    draw_classes(tmp_path / "d" / "train", count=4)
    draw_classes(tmp_path / "d" / "test", count=2)
    words = "2 images for validation or test lie in the training part too, byte for byte the same, which flatters"
    assert load(tmp_path / "d", validation=0).notes[0].startswith(words)
    draw(tmp_path / "d" / "train" / "a-copy" / "1.png", (80, 80, 120), seed=4)
    assert load(tmp_path / "d", validation=0).notes[-1].startswith(words)


def test_several_labels_of_each_image(tmp_path: Path) -> None:
    for k in range(40):
        draw(tmp_path / "c" / f"{'ab'[k % 2]}{'xyz'[k % 3]}_{k}.png", seed=k)
    data = read(tmp_path / "c", label_from="(.)(.)_")
    assert isinstance(data.target, SeveralClasses)
    assert data.target.names == ("label 1=a", "label 1=b", "label 2=x", "label 2=y", "label 2=z")
    assert data.y.shape == (40, 2)
    assert data.names is not None
    assert data.target.decode(data.y) == [(name[0], name[1]) for name in data.names]


def test_numbers_in_a_table_are_quantities(tmp_path: Path) -> None:
    lines = ["file,age,height"]
    for k in range(40):
        draw(tmp_path / "c" / f"{k:02}.png", seed=k)
        lines.append(f"{k:02}.png,{k / 3},{100 + k}")
    (tmp_path / "l.csv").write_text("\n".join(lines))
    data = read(tmp_path / "c", labels=str(tmp_path / "l.csv"))
    assert isinstance(data.target, Quantities)
    assert data.target.names == ("age", "height")
    assert np.allclose(data.target.decode(data.y)[:, 1], 100 + np.arange(40), atol=1e-4)
    age = load(tmp_path / "c", target="age", options=ImageOptions(labels=str(tmp_path / "l.csv")))
    assert age.y.shape == (40, 1)
    assert len(age.source.files) == 2


def test_broken_images_are_refused_by_name_or_left_out(folder: Path) -> None:
    (folder / "dog" / "bad.png").write_bytes(b"no image")
    (folder / "cat" / "cut.png").write_bytes((folder / "cat" / "00.png").read_bytes()[:60])
    with pytest.raises(
        InputError, match=r"dog/bad.png is not an image .*, or leave broken images out with --skip-broken"
    ):
        load(folder)
    data = read(folder, skip_broken=True)
    assert len(data.x) == len(data.y) == len(data.names or ()) == 16
    assert data.notes[0].startswith("2 broken images were left out: cat/cut.png is a damaged image")
    (folder / "dog" / "bad.png").unlink()
    with pytest.raises(InputError, match=r"cat/cut.png is a damaged image"):
        load(folder)


def test_damage_inside_a_zip(folder: Path, tmp_path: Path) -> None:
    path = pack(folder, tmp_path / "z.zip")
    content = path.read_bytes()
    inner = (folder / "cat" / "03.png").read_bytes()
    place = content.index(inner) + len(inner) // 2
    path.write_bytes(content[:place] + b"damage" + content[place + 6 :])
    with pytest.raises(InputError, match=r"z.zip/cat/03.png cannot be read \(Bad CRC-32"):
        load(path)
    data = read(path, skip_broken=True)
    assert len(data.x) == 15
    header = content.index(b"PK\x01\x02")
    path.write_bytes(content[: header + 10] + b"\x09" + content[header + 11 :])
    with pytest.raises(InputError, match=r"cat/00.png cannot be read \(That compression method|cat"):
        load(path)


def test_nothing_but_broken_images(tmp_path: Path) -> None:
    for name in ("a/1.png", "b/2.png"):
        draw(tmp_path / name).write_bytes(b"")
    with pytest.raises(InputError, match=r"a/1.png is not an image .*; none of the 2 images can be read"):
        read(tmp_path, skip_broken=True)


def test_one_broken_image_and_its_neighbours_keep_their_rows(folder: Path) -> None:
    whole = load(folder)
    (folder / "cat" / "03.png").write_bytes(b"")
    rest = read(folder, skip_broken=True)
    assert np.array_equal(rest.x, np.delete(whole.x, 3, axis=0))
    assert rest.names == tuple(name for name in whole.names or () if name != "cat/03.png")


def test_what_is_left_out_is_told(folder: Path) -> None:
    (folder / "notes.txt").touch()
    (folder / "bird").mkdir()
    draw(folder / "rare" / "1.png")
    assert load(folder).notes == (
        "1 file is no image and was left out, such as notes.txt",
        "1 folder holds no images: bird",
        "class rare has no images for validation",
        "class rare has no images for the test",
    )


def test_one_class_and_no_class(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(InputError, match=r"holds 8 images, such as '00.png', but no folder for each class"):
        load(folder / "cat")
    (tmp_path / "one" / "empty").mkdir(parents=True)
    draw_classes(tmp_path / "one", ("cat",))
    with pytest.raises(InputError, match="is 'cat' in every row, and one class gives nothing to learn"):
        load(tmp_path / "one")
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="none holds no images; give a folder"):
        load(tmp_path / "none")
    (tmp_path / "none" / "a.csv").touch()
    with pytest.raises(InputError, match=r"none holds no images, only 1 other files such as 'a.csv'"):
        load(tmp_path / "none")


def test_options_for_images_are_refused_elsewhere() -> None:
    with pytest.raises(InputError, match="digits is read without --size, --gray"):
        load("digits", options=ImageOptions(gray=True))


def test_many_images_are_mapped_from_the_disk(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = load(folder)
    monkeypatch.setattr("backlight.data.images.pixels.LARGE", 100)
    monkeypatch.setattr("backlight.data.images.cache.LARGE", 100)
    for source in (folder, folder):
        large = load(source)
        assert not large.x.flags.owndata
        assert isinstance(large.x, np.memmap)
        assert np.array_equal(small.x, large.x)


def test_a_cache_folder_that_cannot_be_written_to(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = load(folder)
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    uncached = load(folder)
    assert np.array_equal(uncached.x, small.x)
    assert "the decoded images could not be kept for the next time: cannot make the folder /proc" in uncached.notes[-1]
    monkeypatch.setattr("backlight.data.images.pixels.LARGE", 100)
    with pytest.raises(BacklightError, match=r"cannot write to /proc/nowhere.*; set XDG_CACHE_HOME"):
        load(folder)
    cache.mkdir(exist_ok=True)
    (cache / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache / "file"))
    with pytest.raises(BacklightError, match=r"cannot write to .*: Not a directory; set XDG_CACHE_HOME"):
        load(folder)
