"""Runs killed with SIGKILL at random moments, resumed, and killed again, end in the same bits."""

import random
import signal
from pathlib import Path

import pytest

from tests.files.made import files
from tests.files.processes import kill_after, kill_after_epochs, kill_when_there_is, next_command, run_to_end

SHORT = ("--epochs", "40", "--layers", "64,32", "--batch-size", "4", "--patience", "100")
EPOCHS = 100
LONG = ("--epochs", str(EPOCHS), "--layers", "64,32", "--batch-size", "4", "--patience", "200")

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a run that nobody kills."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run_to_end("train", "digits", *SHORT, "--out", folder)
    return files(folder)


def test_killed_before_the_first_checkpoint_a_run_begins_again(whole, tmp_path):
    folder = tmp_path / "run"
    kill_when_there_is(folder / "run.json", "train", "digits", *SHORT, "--out", folder)
    assert not (folder / "checkpoint.safetensors").exists()
    run_to_end("train", "--resume", folder)
    assert files(folder) == whole


def test_killed_at_a_checkpoint_and_again_later_a_run_ends_in_the_same_bits(whole, tmp_path):
    folder = tmp_path / "run"
    kill_when_there_is(folder / "checkpoint.safetensors", "train", "digits", *SHORT, "--out", folder)
    assert not (folder / "model.safetensors").exists()
    assert kill_after_epochs(folder, 30, 0.01, "train", "--resume", folder)
    if command := next_command(folder, ()):
        run_to_end(*command)
    assert files(folder) == whole


def kill_and_resume(folder: Path, draws: random.Random) -> int:
    """Train; kill at a random moment; resume, and kill half of the resumed runs as well. How many kills there were."""
    train = ("train", "digits", *LONG, "--out", folder)
    kills, finish = 0, False
    while command := next_command(folder, train):
        if finish:
            run_to_end(*command)
        elif draws.random() < 0.2:
            kills += kill_after(draws.uniform(0.0, 1.0), *command)  # while it starts, or soon after
        else:
            kills += kill_after_epochs(folder, draws.randrange(EPOCHS + 1), draws.uniform(0.0, 0.05), *command)
        finish = draws.random() < 0.5
    return kills


@pytest.mark.slow
def test_twenty_runs_killed_at_random_moments_end_in_the_same_bits(tmp_path):
    seconds = run_to_end("train", "digits", *LONG, "--out", tmp_path / "whole")
    expected, draws, kills = files(tmp_path / "whole"), random.Random(2), 0
    for number in range(20):
        folder = tmp_path / f"run-{number}"
        kills += kill_and_resume(folder, draws)
        assert files(folder) == expected, f"run {number}"
    assert kills >= 20
    print(f"20 runs of {seconds:.1f} s, killed {kills} times: the same bits")
