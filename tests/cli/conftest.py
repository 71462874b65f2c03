import os
from pathlib import Path

import pytest

from tests.cli.terminal import backlight, write_arrays, write_table

DATA = os.environ.get("BACKLIGHT_DATA")


@pytest.fixture
def data_folder() -> Path:
    """The folder of real data sets that this machine has, if it has one."""
    if not DATA:
        pytest.skip("$BACKLIGHT_DATA is not set")
    return Path(DATA)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, and a machine without data sets."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    monkeypatch.delenv("BACKLIGHT_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        monkeypatch.delenv(name, raising=False)
    write_table(work / "table.csv")
    write_arrays(work / "arrays.npz")
    return work


@pytest.fixture
def run() -> Path:
    """A run of two epochs on `table.csv`, in the folder `done`."""
    result = backlight("train", "table.csv", "--target", "kind", "--epochs", "2", "--layers", "8", "--out", "done")
    assert result.code == 0, result.err
    return Path("done")
