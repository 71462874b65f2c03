"""Decoded images are kept, found again, and not taken for others."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from tests.pictures import draw, draw_classes

from backlight.data import Dataset, ImageOptions, load
from backlight.data.images import cache as image_cache
from backlight.data.images import sets as image_sets
from backlight.errors import InputError


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "backlight" / "images"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return draw_classes(tmp_path / "pets")


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images were decoded, each time that any were."""
    counts: list[int] = []
    read = image_sets.read_images

    def counted(files: object, names: list[str], **options: object) -> object:
        counts.append(len(names))
        return read(files, names, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(image_cache, "read_images", counted)
    return counts


def same(one: Dataset, other: Dataset) -> bool:
    arrays = np.array_equal(one.x, other.x) and np.array_equal(one.y, other.y)
    return arrays and (one.names, one.source, one.notes) == (other.names, other.source, other.notes)


def test_images_are_decoded_once(folder: Path, decoded: list[int]) -> None:
    first = load(folder)
    assert same(first, load(folder))
    assert decoded == [12]
    load(folder, options=ImageOptions(gray=True))
    load(folder, options=ImageOptions(size=(2, 2)))
    assert decoded == [12, 12, 12]
    assert same(first, load(folder, options=ImageOptions(size=(6, 4))))
    load(folder, seed=1, options=ImageOptions(gray=True))
    assert decoded == [12, 12, 12]


def test_a_changed_a_new_and_a_removed_image_are_noticed(folder: Path, decoded: list[int]) -> None:
    first = load(folder)
    draw(folder / "cat" / "00.png", seed=99)
    changed = load(folder)
    assert not np.array_equal(first.x, changed.x)
    assert first.source != changed.source
    draw(folder / "cat" / "99.png", seed=98)
    load(folder)
    (folder / "cat" / "00.png").unlink()
    load(folder)
    assert decoded == [12, 12, 13, 12]


def test_a_change_within_the_same_size_and_time_of_writing_is_noticed(folder: Path) -> None:
    path = draw(folder / "cat" / "00.bmp", seed=1)
    first, status = load(folder), path.stat()
    draw(path, seed=2)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert not np.array_equal(first.x, load(folder).x)


@pytest.mark.parametrize("damage", ["cut", "empty", "no pixels", "no rest", "another rest"])
def test_a_damaged_entry_is_made_again(folder: Path, cache: Path, decoded: list[int], damage: str) -> None:
    first = load(folder)
    pixels = next(cache.glob("*.npy"))
    rest = pixels.with_suffix(".json")
    if damage == "cut":
        pixels.write_bytes(pixels.read_bytes()[:-1])
    elif damage == "empty":
        pixels.write_bytes(b"")
    elif damage == "no pixels":
        pixels.unlink()
    elif damage == "no rest":
        rest.unlink()
    else:
        rest.write_text(json.dumps({**json.loads(rest.read_text()), "shape": [1, 1]}))
    assert same(first, load(folder))
    assert same(first, load(folder))
    assert decoded == [12, 12]
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".json", ".npy"]


def test_broken_images_that_were_skipped_are_refused_when_they_may_not_be(folder: Path, decoded: list[int]) -> None:
    (folder / "dog" / "00.png").write_bytes(b"")
    skipped = load(folder, options=ImageOptions(skip_broken=True))
    assert same(skipped, load(folder, options=ImageOptions(skip_broken=True)))
    assert decoded == [12]
    with pytest.raises(InputError, match=r"dog/00.png is not an image"):
        load(folder)


def test_a_cache_that_cannot_be_written(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(folder)
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    again = load(folder)
    assert np.array_equal(first.x, again.x)
    assert again.notes[-1].startswith("the decoded images could not be kept for the next time: cannot make the folder")


def test_the_entries_used_longest_ago_make_room(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_cache, "MOST", 3_000)
    for side in (10, 11, 10, 12):
        load(folder, options=ImageOptions(size=(side, 10), gray=True))
    kept = sorted(np.load(path).shape[1] for path in cache.glob("*.npy"))
    assert kept == [100, 120]
    assert len(list(cache.glob("*.json"))) == 2


def test_progress_ends_with_all_of_the_work(folder: Path) -> None:
    told: list[tuple[int, int]] = []
    options = ImageOptions(progress=lambda done, total: told.append((done, total)))
    load(folder, options=options)
    assert told[-1] == (24, 24)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    load(folder, options=options)
    assert told.count((24, 24)) == 1
