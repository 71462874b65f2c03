"""Ctrl-C and SIGTERM: the run ends soon, its model can be used, and it can be resumed to the same bits."""

import json
import signal
import time
from pathlib import Path

import pytest

from backlight.files import run as run_module
from tests.cli.terminal import backlight
from tests.files.made import files
from tests.files.processes import run_to_end, start, wait_for_epochs

OPTIONS = ("--epochs", "30", "--layers", "64,32", "--batch-size", "4", "--patience", "100")


@pytest.mark.parametrize(("number", "code", "json_wanted"), [(signal.SIGINT, 130, False), (signal.SIGTERM, 143, True)])
def test_an_interrupted_run_is_saved_and_goes_on_to_the_same_bits(number, code, json_wanted):
    folder = Path("stopped")
    process = start("train", "digits", *OPTIONS, "--out", folder, *(["--json"] if json_wanted else []))
    wait_for_epochs(process, folder, 3)
    asked = time.monotonic()
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    took = time.monotonic() - asked
    assert process.returncode == code
    assert took < 3  # a block of steps takes 0.05 s, measuring and writing a little more; a busy machine, longer
    assert b"Traceback" not in err
    if json_wanted:
        assert json.loads(out)["stopped"] == "interrupted"
    else:
        assert b"stopped   interrupted" in out
        assert b"resume    backlight train --resume stopped" in out
    assert backlight("evaluate", folder).code == 0
    assert backlight("predict", folder, "test:0").code == 0
    assert backlight("train", "--resume", folder).code == 0
    run_to_end("train", "digits", *OPTIONS, "--out", "whole")
    assert files(folder) == files(Path("whole"))


def test_interrupted_while_the_data_are_loaded_nothing_is_left(monkeypatch):
    def load(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(run_module, "load_as", load)
    result = backlight("train", "moons")
    assert result.code == 130
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


def test_the_signals_mean_afterwards_what_they_meant_before():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    assert backlight("train", "moons", "--epochs", "1").code == 0
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
