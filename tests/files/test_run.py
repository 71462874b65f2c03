"""The run folder: what is in it, and that equal runs are equal."""

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight import __version__
from backlight.engine import engine_build
from backlight.errors import InputError
from backlight.files import Run, check_free, claim_folder
from backlight.training import Adam
from tests.files.made import COMPARED, begun, files, settings, trained


def table(folder: Path) -> Path:
    rows = [f"{k / 60},{'ab'[k % 2]},{'xyz'[k // 20]}" for k in range(60)]
    path = folder / "table.csv"
    path.write_text("\n".join(["u,v,w", *rows]) + "\n")
    return path


def arrays(folder: Path, y: Any = None) -> Path:
    x = np.linspace(-1, 1, 120).reshape(60, 2)
    path = folder / "arrays.npz"
    np.savez(path, x=x, y=(x[:, 0] > 0).astype(np.int64) if y is None else y)
    return path


SOURCES = {
    "builtin": lambda folder: settings("penguins"),
    "images": lambda folder: settings("digits", epochs=1),
    "generated": lambda folder: settings("xor"),
    "csv": lambda folder: settings(table(folder), target="w"),
    "regression": lambda folder: settings(table(folder), target="u"),
    "npz": lambda folder: settings(arrays(folder)),
    "labels": lambda folder: settings(arrays(folder, np.arange(180).reshape(60, 3) % 2)),
    "no validation": lambda folder: settings("circles", validation=0.0),
    "no test": lambda folder: settings("circles", test=0.0),
    "full batch": lambda folder: settings("moons", batch_size="full"),
    "one at a time": lambda folder: settings("penguins", batch_size=1, epochs=1),
}


@pytest.mark.parametrize("source", SOURCES)
def test_equal_runs_give_equal_files_and_a_run_gives_its_data_and_metrics_again(source, tmp_path):
    wanted = SOURCES[source](tmp_path)
    first, _ = trained(tmp_path / "first", wanted)
    time.sleep(0.01)
    trained(tmp_path / "deeper" / "second", wanted)
    assert files(tmp_path / "first") == files(tmp_path / "deeper" / "second")
    run = Run.open(tmp_path / "first")
    model, dataset = run.model(), run.dataset()
    assert first.model is not None
    assert model.metrics == first.model.metrics
    for part, metrics in model.metrics.items():
        assert model.measure(*dataset.part(part)) == metrics
    assert set(model.metrics) == {part for part, rows in dataset.rows.items() if len(rows)}


def test_another_seed_gives_another_run(tmp_path):
    trained(tmp_path / "a", settings(seed=0))
    trained(tmp_path / "b", settings(seed=1))
    for name in COMPARED:
        assert (tmp_path / "a" / name).read_bytes() != (tmp_path / "b" / name).read_bytes()


def test_run_json_holds_what_is_needed_to_repeat_the_run(tmp_path):
    path = table(tmp_path)
    trained(tmp_path / "run", settings(path, target="w", patience=None))
    content = json.loads((tmp_path / "run" / "run.json").read_bytes())
    assert content["format"] == 1
    assert content["backlight"] == __version__
    assert content["engine"] == engine_build()
    assert content["source"] == {
        "name": str(path),
        "kind": "csv",
        "files": [{"path": str(path.resolve()), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}],
    }
    chosen = content["settings"]
    assert chosen["output"] == "softmax"
    assert chosen["loss"] == "cross_entropy"
    assert chosen["lr"] == Adam.default_lr
    of_tables = {"separator", "group", "time", "split", "weight", "class_weights"}
    of_images = {"size", "labels", "label_from"}
    of_starts = {"start_from", "per_class", "code"}
    of_steps = {"momentum", "clip", "clip_examples", "average", "augment"}
    open_ones = {"task", "norm", "threads", *of_tables, *of_images, *of_starts, *of_steps}
    assert {key for key, value in chosen.items() if value is None} == open_ones
    again = Run.open(tmp_path / "run")
    assert again.settings == again.settings.resolved(again.dataset())


def test_times_and_paths_are_in_neither_model_nor_history_nor_checkpoint(tmp_path):
    trained(tmp_path / "run", settings(table(tmp_path), target="w"))
    for name, content in files(tmp_path / "run").items():
        assert str(tmp_path).encode() not in content, name
        assert b"seconds" not in content, name
        assert b"threads" not in content, name
    timing = [json.loads(line) for line in (tmp_path / "run" / "timing.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in timing] == [0, 1, 2, 3]
    assert all(line["seconds"] > 0 for line in timing)


def test_run_json_is_there_before_the_first_step(tmp_path):
    begun(tmp_path / "run", settings())
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["run.json"]


def test_changed_data_are_refused_by_name(tmp_path):
    path = table(tmp_path)
    conduct, _ = trained(tmp_path / "run", settings(path, target="w"))
    content = path.read_text()
    path.write_text(content.replace("0.5,", "0.6,"))
    with pytest.raises(InputError, match=rf"{path} has changed since .*run was made \(SHA-256 .*put the old data back"):
        Run.open(tmp_path / "run").dataset()
    path.write_text(content)
    np.testing.assert_array_equal(Run.open(tmp_path / "run").dataset().x, conduct.dataset.x)


def test_a_relative_data_path_is_found_from_another_working_folder(tmp_path, monkeypatch):
    table(tmp_path)
    monkeypatch.chdir(tmp_path)
    trained(Path("run"), settings("table.csv", target="w"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    run = Run.open("../run")
    assert run.model().measure(*run.dataset().part("test")) == run.model().metrics["test"]


def test_a_folder_that_a_killed_process_left_without_run_json_is_free(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    check_free(folder, force=False)
    (folder / ".run.json.k2j3h4.part").write_text("{")
    check_free(folder, force=False)
    (folder / "notes.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(InputError, match="is not a run folder, so nothing is written to it"):
            check_free(folder, force=force)


def test_force_replaces_every_file_of_a_run(tmp_path):
    trained(tmp_path / "run", settings(epochs=5))
    trained(tmp_path / "other", settings(seed=3))
    dataset_run, dataset = begun(tmp_path / "unused", settings(seed=3))
    run = Run.planned(tmp_path / "run", dataset_run.run.settings, dataset.source)
    run.begin(force=True)
    assert [path.name for path in run.folder.iterdir()] == ["run.json"]
    assert (run.folder / "run.json").read_bytes() == (tmp_path / "other" / "run.json").read_bytes()


def test_a_claimed_folder_belongs_to_one_run_alone(tmp_path):
    claimed = [claim_folder(tmp_path / "runs", "digits").name for _ in range(3)]
    assert claimed == ["digits-1", "digits-2", "digits-3"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"file is no folder; choose another with --out"):
        claim_folder(tmp_path / "file", "digits")
