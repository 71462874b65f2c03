"""Run folders that are none, that are damaged, or that are in the way."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from backlight.engine import engine_build
from tests.cli.terminal import backlight, refused_in_one_line, write_table

VERBS = (["evaluate"], ["predict", "test:0"], ["train", "--resume"])


def call(verb: list[str], folder: str | Path) -> list[str]:
    """The arguments of a verb that uses a run."""
    return [verb[0], str(folder), *verb[1:]] if verb[0] != "train" else [*verb, str(folder)]


def train(out: str, *more: str) -> list[str]:
    return ["train", "table.csv", "--target", "kind", "--epochs", "1", "--layers", "4", "--out", out, *more]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_folder_that_is_no_run(verb):
    refused_in_one_line("there is no run folder nothing", *call(verb, "nothing"))
    refused_in_one_line("table.csv is not a run folder: it has no run.json", *call(verb, "table.csv"))
    Path("folder").mkdir()
    refused_in_one_line("folder is not a run folder: it has no run.json", *call(verb, "folder"))


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "done/run.json holds no valid JSON"),
        (b'{"format": 1, "sett', "done/run.json holds no valid JSON"),
        (b"\xff\xfe\x00", "done/run.json holds no valid JSON"),
        (b"[]", "done/run.json is damaged:"),
        (b"null", "done/run.json is damaged:"),
        (b"{}", "done/run.json is damaged: it lacks 'format'"),
        (b'{"format": 1}', "done/run.json is damaged: it lacks 'settings'"),
        (b'{"format": 2}', "done/run.json has format 2; this Backlight reads 1"),
    ],
)
def test_a_damaged_run_json(content, message, verb, run):
    (run / "run.json").write_bytes(content)
    refused_in_one_line(message, *call(verb, run))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("settings", "epochs"), "x"),
        (("settings", "epochs"), -1),
        (("settings", "layers"), None),
        (("settings", "layers"), "abc"),
        (("settings", "lr"), "fast"),
        (("settings", "lr"), [1]),
        (("settings", "seed"), None),
        (("settings", "until"), 3),
        (("settings", "activation"), 3),
        (("settings", "optimizer"), []),
        (("settings", "batch_size"), {}),
        (("settings", "validation"), "x"),
        (("settings", "colour"), "red"),
        (("settings",), 3),
        (("source",), []),
        (("source", "files"), 3),
        (("source", "files"), [{"path": None}]),
        (("engine",), 3),
    ],
)
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_run_json_with_one_wrong_value(place, value, verb, run):
    content: Any = json.loads((run / "run.json").read_bytes())
    inner = content
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    (run / "run.json").write_text(json.dumps(content))
    refused_in_one_line("done/run.json is damaged:", *call(verb, run))


@pytest.mark.parametrize("verb", VERBS[:2], ids=lambda verb: verb[0])
def test_a_damaged_model(verb, run):
    path = run / "model.safetensors"
    sound = path.read_bytes()
    for damaged in (b"", b"no tensors at all", sound[:20], sound[:-1], sound + b"x", b"\xff" * len(sound)):
        path.write_bytes(damaged)
        refused_in_one_line("done/model.safetensors is not a safetensors file", *call(verb, run))
    shutil.copy(run / "checkpoint.safetensors", path)
    refused_in_one_line("done/model.safetensors holds tensors, but it is not a model", *call(verb, run))


@pytest.mark.parametrize("verb", VERBS[:2], ids=lambda verb: verb[0])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (rb"\"format\": 1", rb"\"format\": 7"),
        (rb"\"relu\"", rb"\"ulre\""),
        (rb"\"layers\"", rb"\"lawyer\""[:-2] + rb"\""),
        (rb"\"units\": 8", rb"\"units\": 9"),
        (rb"\"inputs\"", rb"\"outputs"[:8] + rb"\""),
    ],
)
def test_a_model_whose_description_was_changed(before, after, verb, run):
    path = run / "model.safetensors"
    content = path.read_bytes()
    assert before in content
    assert len(before) == len(after)
    path.write_bytes(content.replace(before, after))
    result = backlight(*call(verb, run))
    assert result.code == 2
    assert "done/model.safetensors" in result.err


@pytest.mark.parametrize("verb", VERBS[:2], ids=lambda verb: verb[0])
def test_a_missing_model_says_how_to_get_it_and_that_works(verb, run):
    sound = contents(run)
    (run / "model.safetensors").unlink()
    refused_in_one_line("go on with 'backlight train --resume done'", *call(verb, run))
    assert backlight("train", "--resume", run).code == 0
    again = contents(run)
    assert again["model.safetensors"] == sound["model.safetensors"]
    assert again["history.jsonl"] == sound["history.jsonl"]


@pytest.mark.parametrize("damage", ["cut", "empty", "other", "size"])
def test_a_damaged_checkpoint(damage, run):
    (run / "model.safetensors").unlink()
    path = run / "checkpoint.safetensors"
    if damage == "other":
        assert backlight(*train("another")).code == 0
        shutil.copy("another/model.safetensors", path)
    elif damage == "size":
        assert backlight(*train("another")).code == 0
        shutil.copy("another/checkpoint.safetensors", path)
    else:
        path.write_bytes(path.read_bytes()[:-1] if damage == "cut" else b"")
    refused_in_one_line("done/checkpoint.safetensors", "train", "--resume", run)
    assert not (run / "model.safetensors").exists()


def test_an_ended_run_is_not_resumed(run):
    before = contents(run)
    refused_in_one_line("done has ended: 2 epochs were asked for; there is nothing to resume", "train", "--resume", run)
    assert contents(run) == before


def test_an_existing_run_is_kept_unless_force_is_given(run):
    before = contents(run)
    refused_in_one_line("done exists already; choose another --out, or replace it with --force", *train("done"))
    assert contents(run) == before
    assert backlight(*train("done", "--force", "--json")).json["epochs"] == 1


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_what_is_no_run_is_never_touched(force):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")
    refused_in_one_line("mine exists and is not a run folder, so nothing is written to it", *train("mine", *force))
    assert contents(Path("mine")) == {"thesis.txt": b"years of work"}
    before = Path("table.csv").read_bytes()
    refused_in_one_line("table.csv exists and is not a run folder", *train("table.csv", *force))
    refused_in_one_line("table.csv is no folder; choose another with --out", *train("table.csv/run", *force))
    assert Path("table.csv").read_bytes() == before


def test_bad_data_leave_the_run_alone_that_was_to_be_replaced(run):
    before = contents(run)
    Path("table.csv").write_text("a,kind\n1,x\n2,x\n")
    refused_in_one_line("one class gives nothing to learn", *train("done", "--force"))
    assert contents(run) == before


def test_a_folder_that_cannot_be_made(monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    refused_in_one_line("is not yours to write to; choose another with --out", *train("deep/er/run"))
    assert not Path("deep").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc, where even root makes no folder")
def test_a_folder_that_the_system_refuses():
    refused_in_one_line("cannot make the folder /proc/run: No such file or directory", *train("/proc/run"))


def test_changed_or_missing_data_are_named(run):
    write_table(Path("table.csv"), 61)
    for arguments in (["evaluate", "done"], ["predict", "done", "test:0"]):
        refused_in_one_line(f"{Path('table.csv').absolute()} has changed since done was made (SHA-256", *arguments)
    (run / "model.safetensors").unlink()
    refused_in_one_line("has changed since done was made", "train", "--resume", "done")
    Path("table.csv").unlink()
    refused_in_one_line(f"there is no file {Path('table.csv').absolute()}", "train", "--resume", "done")


def test_a_changed_engine_is_named_in_a_warning(run):
    content = json.loads((run / "run.json").read_bytes())
    content["engine"]["build"] = "numpy 0.1"
    (run / "run.json").write_text(json.dumps(content))
    (run / "model.safetensors").unlink()
    result = backlight("train", "--resume", "done")
    assert result.code == 0
    here = engine_build()["build"]
    assert f"warning: the engine differs, so the bits may: build {here} instead of numpy 0.1" in result.err
    assert "instead of numpy 0.1" in result.err


def test_a_folder_left_by_a_run_that_was_killed_at_once_is_free():
    Path("early").mkdir()
    Path("early/.run.json.abc123.part").write_text("{")
    assert backlight(*train("early")).code == 0
    assert sorted(contents(Path("early"))) == [
        "checkpoint.safetensors",
        "history.jsonl",
        "model.safetensors",
        "run.json",
        "timing.jsonl",
    ]


def test_without_out_a_folder_that_exists_is_passed_over():
    Path("runs/table-1").mkdir(parents=True)
    options = ["--target", "kind", "--epochs", "1", "--layers", "4", "--json"]
    assert backlight("train", "table.csv", *options).json["run"] == "runs/table-2"
    assert backlight("train", "table.csv", *options).json["run"] == "runs/table-3"
