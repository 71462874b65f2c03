"""Runs with penalties, clipping, averages, smoothed labels and accumulation: kept, resumed, replayed."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.explanation import open_moment
from backlight.files import Conduct, Run, Settings, load_for, state_at
from backlight.training import EndRecord, EpochRecord
from tests.files import made

HOW: dict[str, Any] = {
    "l1": 1e-4,
    "l2": 1e-3,
    "clip": 0.5,
    "clip_examples": 2.0,
    "average": 0.9,
    "label_smoothing": 0.1,
    "accumulate": 2,
}


def begun(folder: Path) -> Conduct:
    return made.begun(folder, made.settings("digits", batch_size=50, **HOW))[0]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    conduct = begun(tmp_path_factory.mktemp("runs") / "whole")
    for _ in conduct.records():
        pass
    return conduct.run


def test_run_json_keeps_them_and_the_trainer_has_them(run):
    settings = Run.open(run.folder).settings
    assert {name: getattr(settings, name) for name in HOW} == HOW
    trainer = settings.trainer(settings.network(load_for(settings)))
    assert {name: getattr(trainer, name) for name in HOW} == HOW


def test_settings_from_before_there_were_any_are_read(run):
    content = {name: value for name, value in run.settings.to_dict().items() if name not in HOW}
    assert Settings.from_dict(content).accumulate == 1


def test_a_run_that_was_broken_off_is_resumed_to_the_same_files(run, tmp_path):
    conduct = begun(tmp_path / "run")
    for record in conduct.records():
        if isinstance(record, EpochRecord) and record.epoch == 1:
            conduct.stop()
    assert isinstance(record, EndRecord)
    assert record.reason == "interrupted"
    resumed = Conduct(Run.open(conduct.run.folder), load_for(conduct.run.settings), resume=True)
    assert resumed.start_step > 0
    for _ in resumed.records():
        pass
    assert made.files(conduct.run.folder) == made.files(run.folder)


def test_the_model_is_the_averaged_one_and_moments_are_not(run):
    history = run.history()
    best = history[-1]["best_epoch"]
    step = next(record["step"] for record in history if record.get("epoch") == best)
    state = state_at(run, step)
    assert state.average is not None
    assert np.array_equal(run.model().network.params, state.average)
    moment = open_moment(run, step)
    assert np.array_equal(moment.network.params.astype(np.float32), state.params)
    assert moment.when == f"after step {step:,} (epoch {best:.4g})"
