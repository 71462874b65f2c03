from typing import Any

import numpy as np
import pytest

from backlight import Network, Trainer
from backlight.engine import RowSource, row_source
from backlight.randomness import PIECE, windowed_permutation
from backlight.training import windows
from backlight.training.records import EpochRecord
from backlight.training.trainer import Evaluation


@pytest.mark.parametrize(("count", "window"), [(1, 1), (999, 100), (1000, 5000), (12_345, 3_000), (50_000, 49_999)])
def test_every_number_once(count, window):
    order = windowed_permutation(3, count, window)
    assert np.array_equal(np.sort(order), np.arange(count))
    assert np.array_equal(order, windowed_permutation(3, count, window))


def test_a_window_reads_few_pieces_and_epochs_differ():
    count, window = 50 * PIECE, 5 * PIECE
    order = windowed_permutation(0, count, window)
    for start in range(0, count, window):
        assert len(np.unique(order[start : start + window] // PIECE)) <= 6
    other = windowed_permutation(0, count, window, place=(1, 0))
    assert (order != other).mean() > 0.99


def test_neighbours_are_mixed():
    order = windowed_permutation(0, 100_000, 50_000)
    assert (np.abs(np.diff(order)) > 1).mean() > 0.99


@pytest.fixture
def mapped(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(5000, 6)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    return np.load(tmp_path / "x.npy", mmap_mode="r"), x, (x[:, 0] + x[:, 1] > 0).astype(np.int64)


def trained(x: Any, y: Any, rows: Any) -> Any:
    network = Network.mlp(6, 8, 2, output="softmax", seed=0)
    trainer = Trainer(network, lr=0.05, epochs=2, engine="reference")
    records = list(trainer.run(x, y, rows=rows, validation=Evaluation(x, y, rows=np.arange(4000, 5000))))
    measured = [record.validation for record in records if isinstance(record, EpochRecord)]
    return network.params, measured[-1]


@pytest.mark.parametrize("window_bytes", [1 << 28, 24_000])
def test_mapped_rows_give_the_same_measurements(mapped, monkeypatch, window_bytes):
    on_disk, x, y = mapped
    monkeypatch.setattr(windows, "WINDOW_BYTES", window_bytes)
    rows = np.arange(4000)
    params, validation = trained(on_disk, y, rows)
    in_memory, _ = trained(x, y, rows)
    same = np.array_equal(params, in_memory)
    assert same == (window_bytes > x.nbytes)  # small maps are shuffled as arrays are; large ones within windows
    assert validation["accuracy"] > 0.8


def test_windows_let_go_of_what_they_read(mapped, monkeypatch):
    on_disk, _, y = mapped
    monkeypatch.setattr(windows, "WINDOW_BYTES", 24_000)
    released = []
    monkeypatch.setattr(RowSource, "release", lambda source: released.append(source.count))
    trained(on_disk, y, np.arange(4000))
    assert len(released) >= 4  # at least once in each epoch and after each evaluation


def test_rows_far_apart_fill_a_window_sooner(mapped, monkeypatch):
    source = row_source(mapped[0])
    monkeypatch.setattr(windows, "WINDOW_BYTES", 24_000)
    sparse = np.arange(0, 5000, 10)
    assert (windows.window(source), windows.window(source, sparse)) == (1000, 100)
    order = windows.epoch_order(source, sparse, 0, 0)
    assert np.array_equal(np.sort(order), sparse)
    assert all(np.ptp(order[start : start + 100]) < 1000 for start in range(0, 500, 100))


def test_no_stretch_of_steps_goes_past_a_window(mapped, monkeypatch):
    source = row_source(mapped[0])
    monkeypatch.setattr(windows, "WINDOW_BYTES", 24_000)
    visits = windows.Visits(source, np.arange(5000))
    assert (visits.steps(50, 100), visits.steps(5, 100), visits.steps(3, 2000)) == (10, 5, 1)
    visits.add(700)
    assert visits.steps(50, 100) == 3
    assert windows.Visits(row_source(mapped[1]), np.arange(5000)).steps(50, 100) == 50
