import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight import storage
from backlight.errors import BacklightError, InputError


class PlannedError(Exception):
    pass


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_new_file_is_whole_and_readable(tmp_path):
    storage.write_bytes(tmp_path / "a", b"content")
    assert (tmp_path / "a").read_bytes() == b"content"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o644
    assert names(tmp_path) == ["a"]


def test_the_old_file_stands_until_the_new_one_is_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"old")
    with storage.replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [PlannedError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "a"
    path.write_bytes(b"old")

    def write() -> None:
        with storage.replacing(path) as file:
            file.write(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["a"]


def test_a_full_disk_is_reported_and_leaves_nothing(tmp_path, monkeypatch):
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(BacklightError, match=r"cannot write .*a: No space left on device"):
        storage.write_bytes(tmp_path / "a", b"content")
    assert names(tmp_path) == []


def test_a_folder_that_is_missing_or_a_file_is_reported(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for folder in ("nowhere", "file"):
        with pytest.raises(BacklightError, match=rf"cannot write .*{folder}.*; choose a folder you can write to"):
            storage.write_bytes(tmp_path / folder / "a", b"")


def test_a_target_that_is_a_folder_is_reported(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(BacklightError, match=r"cannot write .*a: "):
        storage.write_bytes(tmp_path / "a", b"content")
    assert names(tmp_path) == ["a"]


def test_json_round_trip(tmp_path):
    content = {"name": "größer", "values": [1, 0.1, None, True]}
    storage.write_json(tmp_path / "a.json", content)
    assert storage.read_json(tmp_path / "a.json") == content
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text.endswith("}\n")
    assert "größer" in text


def test_json_never_holds_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range float"):
        storage.write_json(tmp_path / "a.json", {"loss": float("nan")})
    assert names(tmp_path) == []


@pytest.mark.parametrize("read", [storage.read_json, storage.read_tensors])
def test_a_missing_file_is_named(tmp_path, read):
    with pytest.raises(InputError, match=r"there is no file .*gone"):
        read(tmp_path / "gone")


@pytest.mark.parametrize("read", [storage.read_json, storage.read_tensors, storage.sha256_of_file])
def test_a_folder_cannot_be_read(tmp_path, read):
    with pytest.raises(InputError, match="cannot read "):
        read(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1} x', b"\xff\xfe\x00"])
def test_broken_json_is_reported(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(InputError, match=r"holds no valid JSON .*cut short"):
        storage.read_json(tmp_path / "a")


def test_checksums(tmp_path):
    content = bytes(range(256)) * 1000
    (tmp_path / "a").write_bytes(content)
    assert storage.sha256_of_file(tmp_path / "a") == hashlib.sha256(content).hexdigest()
    x = np.arange(12.0).reshape(3, 4)
    assert storage.sha256_of_arrays(x) == storage.sha256_of_arrays(np.asfortranarray(x))
    others = [x.T, x.astype(np.float32), x + 0, x.reshape(4, 3), x[:2], -x]
    sums = {storage.sha256_of_arrays(a) for a in others}
    assert len(sums) == len(others)
    assert storage.sha256_of_arrays(x, x) != storage.sha256_of_arrays(x)


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64", "bool"])
def test_tensors_that_are_not_contiguous_survive(tmp_path, dtype):
    x = np.arange(60).reshape(3, 4, 5).astype(dtype)
    tensors = {"turned": x.T, "strided": x[:, ::2], "reversed": x[::-1], "column": x[:, :, 1], "empty": x[:0]}
    storage.write_tensors(tmp_path / "a", tensors, {"b": "größer"})
    got, metadata = storage.read_tensors(tmp_path / "a")
    assert metadata == {"b": "größer"}
    assert got.keys() == tensors.keys()
    for name, array in tensors.items():
        assert got[name].dtype == array.dtype
        assert np.array_equal(got[name], array)


def test_special_numbers_survive_bit_by_bit(tmp_path):
    x = np.array([np.nan, -0.0, np.inf, 5e-324, -np.inf])
    storage.write_tensors(tmp_path / "a", {"x": x}, {})
    assert storage.read_tensors(tmp_path / "a")[0]["x"].tobytes() == x.tobytes()


def test_tensors_that_do_not_read_back_are_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr(safetensors.numpy, "load", lambda content: {"x": np.zeros(2)})
    with pytest.raises(BacklightError, match="tensor 'x' did not survive"):
        storage.write_tensors(tmp_path / "a", {"x": np.ones(2)}, {})
    assert names(tmp_path) == []


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 300))
def test_a_tensor_file_that_was_cut_short_is_reported(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("cut") / "a"
    storage.write_tensors(path, {"x": np.arange(100.0)}, {"m": "n"})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(InputError, match=r"is not a safetensors file .*cut short"):
        storage.read_tensors(path)


def test_text_is_no_tensor_file(tmp_path):
    (tmp_path / "a").write_text(json.dumps({"a": 1}) * 50)
    with pytest.raises(InputError, match="is not a safetensors file"):
        storage.read_tensors(tmp_path / "a")
