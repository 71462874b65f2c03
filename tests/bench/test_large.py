"""A large table's figures, on a small one."""

import sys

import pytest

from backlight.bench import large, memory
from backlight.data import load
from backlight.data.tables.inputs import TableInputs
from backlight.errors import BacklightError

pytestmark = pytest.mark.skipif(memory.obstacle() is not None, reason=str(memory.obstacle()))


def test_the_table_has_columns_of_all_kinds(tmp_path):
    large.write_table(tmp_path / "large.csv", 3000)
    data = load(tmp_path / "large.csv", target=large.TARGET)
    assert isinstance(data.inputs, TableInputs)
    kinds = [type(column).__name__ for column in data.inputs.columns]
    assert (len(kinds), kinds.count("CategoryColumn"), kinds.count("DateColumn")) == (29, 2, 1)
    assert [column.name for column in data.inputs.columns if column.missing] == ["gap"]


def test_every_figure_is_measured(tmp_path):
    said: list[str] = []
    (found,) = large.measure_large(tmp_path, rounds=1, threads=1, say=said.append, rows=3000)
    assert (found["rows"], found["columns"], len(said)) == (3000, 30, 3)
    assert all(found[key] > 0 for key in ("file_mb", "scan_seconds", "read_seconds", "load_seconds", "scan_over_read"))
    assert 20 < found["peak_mb"] < 1000
    assert not (tmp_path / "large.csv").exists()


def test_the_peak_of_a_command_is_found_though_it_gives_memory_back():
    greedy = "import time; b = b'1' * 200_000_000; time.sleep(0.3); del b; time.sleep(0.3)"
    assert large.peak_of([sys.executable, "-c", greedy]) > 200_000_000 > large.peak_of([sys.executable, "-c", "1"])
    with pytest.raises(BacklightError, match="a command failed"):
        large.peak_of([sys.executable, "-c", "raise SystemExit(1)"])
