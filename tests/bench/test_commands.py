"""Whole commands and installed sizes."""

import ast
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np
import pytest

from backlight.bench import whole
from backlight.bench.commands import COMMANDS, EPOCHS
from backlight.bench.data import noise
from backlight.bench.installed import installed_bytes, with_requirements
from backlight.bench.machine import kept_to_cores, machine
from backlight.files import Run


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "images.npz"
    np.savez(path, x=noise(1000), y=np.arange(1000) % 10)
    return path


@pytest.mark.oracle
@pytest.mark.parametrize("command", COMMANDS[1:], ids=lambda command: command.key)
def test_peers_scripts_train_measure_and_save(command, data, tmp_path):
    pytest.importorskip(command.package, reason=f"{command.title} is not installed")
    out = tmp_path / "model"
    answer = subprocess.run(command.line(data, out, 1), capture_output=True, text=True, check=True)
    lines = answer.stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["validation"] * EPOCHS + ["train", "validation", "test"]
    assert out.stat().st_size > 400_000


def test_backlights_command_trains_the_same_network_as_long(data, tmp_path):
    out = tmp_path / "run"
    subprocess.run(COMMANDS[0].line(data, out, 1), capture_output=True, check=True)
    run = Run.open(out)
    assert run.model().network.params.size == 109_386
    assert (run.settings.epochs, run.settings.batch_size, run.settings.optimizer) == (EPOCHS, 100, "sgd")


def test_peers_scripts_import_nothing_of_backlight():
    tree = ast.parse(Path(whole.__file__).read_text(encoding="utf-8"))
    imported = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    imported += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    assert not [name for name in imported if "backlight" in str(name)]


def test_sizes_count_what_is_required_and_no_extras():
    found = with_requirements("backlight")
    assert {"backlight", "numpy", "duckdb", "typer", "rich"} <= set(found)
    assert not {"pytest", "mypy", "torch"} & set(found)


def test_a_distribution_is_as_large_as_its_files():
    files = [Path(str(file.locate())) for file in distribution("threadpoolctl").files or ()]
    sources = [path for path in files if path.suffix != ".pyc" and path.is_file()]
    assert installed_bytes("threadpoolctl") == sum(path.stat().st_size for path in sources) > 10_000


def test_the_machine_is_named():
    found = machine()
    assert found["processor"]
    assert found["cores"] >= 1
    assert {"backlight", "python", "numpy"} <= set(found["versions"])
    assert found["engine"]["name"] in {"native", "reference"}


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="processors cannot be chosen here")
def test_processors_are_chosen_and_given_back():
    script = (
        "import os; from backlight.bench.machine import keep_to_cores; keep_to_cores(1); print(os.sched_getaffinity(0))"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(ast.literal_eval(answer.stdout)) == 1
    before = os.sched_getaffinity(0)
    with kept_to_cores(1):
        assert len(os.sched_getaffinity(0)) == 1
    assert os.sched_getaffinity(0) == before
