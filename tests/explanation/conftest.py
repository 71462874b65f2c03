"""Runs that several tests explain, trained once."""

from pathlib import Path

import pytest

from tests.cli.terminal import backlight
from tests.explanation.known import train_known_causes


@pytest.fixture(scope="session")
def known_size(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that predicts `size`, a quantity, from columns with known causes."""
    return train_known_causes(tmp_path_factory.mktemp("known"), "size", "group")


@pytest.fixture(scope="session")
def known_group(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that predicts `group`, one of two classes, from the same columns."""
    return train_known_causes(tmp_path_factory.mktemp("known"), "group", "size")


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of a few epochs on images."""
    run = tmp_path_factory.mktemp("digits") / "run"
    assert backlight("train", "digits", "--epochs", "8", "--out", run).code == 0
    return run
