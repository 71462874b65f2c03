"""Which learning rate a run had at a step."""

import pytest

from backlight.files import Run
from tests.files.made import settings, trained


def test_the_rate_at_a_step_is_the_one_that_its_epoch_ended_with(tmp_path):
    trained(tmp_path / "run", settings(epochs=3, lr=0.2, schedule="step=1:0.5"))
    run = Run.open(tmp_path / "run")
    steps = [record["step"] for record in run.history() if record["record"] == "epoch"]
    assert [run.lr_at(step) for step in (0, steps[1] - 1, steps[1], steps[3], None)] == pytest.approx(
        [0.2, 0.2, 0.1, 0.05, 0.05]
    )


def test_without_a_schedule_it_is_the_settings(tmp_path):
    trained(tmp_path / "run", settings(epochs=1, lr=0.2))
    assert Run.open(tmp_path / "run").lr_at(0) == 0.2
