"""A run that is abandoned at any record, and resumed, ends in the same bits."""

import json
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.files import INTERRUPTED, Conduct, Run, Settings, conduct, state_at
from backlight.training import EndRecord, EpochRecord, StepsRecord
from tests.files.made import COMPARED, begun, files, settings, trained

CASES = {
    "adam": settings(),
    "momentum without validation": settings(validation=0.0, optimizer="momentum", dropout=0.2),
    "patience": settings(epochs=12, patience=2, lr=0.1),
    "lbfgs": settings(epochs=8, optimizer="lbfgs", batch_size=None),
    "one weight": settings(epochs=2, optimizer="one-weight=random", batch_size=None),
    "random": settings(epochs=1, optimizer="random", batch_size=None),
    "plateau": settings(epochs=8, lr=0.3, schedule="plateau=1:0.5"),
    "augmented": settings(augment="noise=0.3,columns=0.2"),
    "until": settings(until=("accuracy>=0.85",), epochs=12),
    "one step an epoch": settings(batch_size="full", epochs=4),
    "diverging": settings(optimizer="sgd", lr=1.5, epochs=20, activation="identity", output="identity"),
}


@pytest.fixture(autouse=True)
def checkpoint_always(monkeypatch):
    """A checkpoint wherever there may be one."""
    monkeypatch.setattr(conduct, "_CHECKPOINT_SECONDS", 0.0)


def abandon(folder: Path, wanted: Settings, count: int) -> bool:
    """Begin a run and let go of it after some records, as a kill would; False if it ended before."""
    begun_run, _ = begun(folder, wanted)
    records = begun_run.records()
    for _ in range(count):
        if isinstance(next(records), EndRecord):
            return False
    records.close()
    return True


def resume(folder: Path) -> Conduct:
    run = Run.open(folder)
    return Conduct(run, run.dataset(), resume=True)


@pytest.mark.parametrize("case", CASES)
def test_abandoned_at_any_record_and_resumed_a_run_ends_in_the_same_bits(case, tmp_path):
    wanted = CASES[case]
    trained(tmp_path / "whole", wanted)
    whole = files(tmp_path / "whole")
    for count in range(100):
        folder = tmp_path / f"cut-{count}"
        if not abandon(folder, wanted, count):
            break
        list(resume(folder).records())
        assert files(folder) == whole, f"abandoned after {count} records"
    assert count > 4


@pytest.mark.parametrize("case", CASES)
def test_abandoned_again_and_again(case, tmp_path):
    wanted = CASES[case]
    trained(tmp_path / "whole", wanted)
    abandon(tmp_path / "cut", wanted, 2)
    for _ in range(200):
        records = resume(tmp_path / "cut").records()
        if any(isinstance(record, EndRecord) for record in islice(records, 3)):
            break
        records.close()
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_interrupted_after_any_record_a_run_has_a_model_and_can_be_resumed(tmp_path):
    wanted = settings()
    trained(tmp_path / "whole", wanted)
    for count in range(1, 6):
        stopped, _ = begun(tmp_path / f"cut-{count}", wanted)
        for number, record in enumerate(stopped.records(), 1):
            last = record
            if number == count:
                stopped.stop()
        assert isinstance(last, EndRecord)
        assert last.reason == INTERRUPTED
        assert not last.failed
        run = Run.open(tmp_path / f"cut-{count}")
        assert run.ended is None
        assert run.model().metrics.keys() == {"train", "validation", "test"}
        list(resume(run.folder).records())
        assert files(run.folder) == files(tmp_path / "whole")


def test_without_a_checkpoint_a_run_is_resumed_from_its_beginning(tmp_path):
    trained(tmp_path / "whole", settings())
    abandon(tmp_path / "cut", settings(), 5)
    (tmp_path / "cut" / "checkpoint.safetensors").unlink()
    conduct = resume(tmp_path / "cut")
    assert conduct.start_step == 0
    list(conduct.records())
    assert files(tmp_path / "cut") == files(tmp_path / "whole")


def test_a_history_whose_last_line_is_cut_short_is_mended(tmp_path):
    trained(tmp_path / "whole", settings())
    abandon(tmp_path / "cut", settings(), 6)
    path = tmp_path / "cut" / "history.jsonl"
    sound = path.read_bytes()
    for cut in range(1, len(sound.splitlines()[-1]) + 1, 17):
        path.write_bytes(sound[:-cut])
        run = Run.open(tmp_path / "cut")
        assert len(run.history()) == len(sound.splitlines()) - (cut > 1)
    list(resume(tmp_path / "cut").records())
    assert len(files(tmp_path / "cut")["history.jsonl"].splitlines()) == len(sound.splitlines()) + 2


def test_what_a_killed_writer_left_behind_is_cleared(tmp_path):
    abandon(tmp_path / "cut", settings(), 3)
    leftovers = [tmp_path / "cut" / f".{name}.x1y2z3.part" for name in COMPARED]
    for path in leftovers:
        path.write_bytes(b"half")
    list(resume(tmp_path / "cut").records())
    assert not any(path.exists() for path in leftovers)
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == sorted([*COMPARED, "run.json", "timing.jsonl"])


def test_the_history_begins_with_the_untrained_network(tmp_path):
    conduct, records = trained(tmp_path / "run", settings())
    first = conduct.run.history()[0]
    untrained = begun(tmp_path / "again", settings())[0].network
    model = conduct.model
    assert model is not None
    x, y = conduct.dataset.part("validation")
    expected = type(model)(untrained, model.loss, model.data, model.inputs, model.target).measure(x, y)
    assert (first["record"], first["epoch"], first["step"]) == ("epoch", 0, 0)
    assert first["validation"]["loss"] == expected["loss"]
    assert isinstance(records[0], EpochRecord)


def test_history_has_an_epoch_a_line_and_the_end(tmp_path):
    conduct, records = trained(tmp_path / "run", settings())
    lines = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    assert [line["record"] for line in lines] == ["epoch"] * 4 + ["end"]
    assert [line["epoch"] for line in lines] == [0, 1, 2, 3, 3]
    assert [line["step"] for line in lines] == [0, 4, 8, 12, 12]
    assert lines[-1]["reason"] == "3 epochs were asked for"
    assert sum(isinstance(record, StepsRecord) for record in records) > 0
    assert conduct.run.ended == lines[-1]


def test_any_step_can_be_computed_again(tmp_path):
    conduct, _ = trained(tmp_path / "run", settings(validation=0.0))
    run = Run.open(tmp_path / "run")
    last = state_at(run, 15)
    np.testing.assert_array_equal(last.params, conduct.network.params)
    checkpoint = run.checkpoint()
    assert checkpoint is not None
    np.testing.assert_array_equal(last.optimizer["m"], checkpoint.optimizer["m"])
    middle = state_at(run, 5)
    assert middle.step == 5
    assert not np.array_equal(middle.params, last.params)
    for step in (-1, 16):
        with pytest.raises(InputError, match=f"step {step} was asked for"):
            state_at(run, step)


def test_numbers_that_are_not_finite_are_written_as_null(tmp_path):
    x = np.linspace(-1, 1, 60)[:, None]
    x[-30:] *= 1e20  # squared errors beyond float32
    np.savez(tmp_path / "huge.npz", x=x, y=x)
    wanted = settings(tmp_path / "huge.npz", layers=(2,), output="leaky_relu", epochs=1)
    conduct, records = trained(tmp_path / "run", wanted)
    assert isinstance(records[-1], EndRecord)
    assert conduct.run.history()[0]["train"]["loss"] is None
    assert conduct.run.model().metrics["train"]["loss"] is None
