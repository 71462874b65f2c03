"""`backlight bench`: what it prints for people and programs, and what it refuses."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.console import Console

from backlight.bench import data, sections, training
from backlight.bench.labels import WAYS
from backlight.bench.systems import PEERS
from backlight.cli.bench import show, write_labels
from tests.cli.terminal import backlight, refused_in_one_line


def test_a_section_is_one_json_object():
    result = backlight("bench", "--only", "imports", "--rounds", "1", "--json")
    assert result.code == 0, result.err
    found = result.json
    assert set(found) == {"machine", "threads", "rounds", "missing", "imports"}
    assert found["imports"][0]["statement"] == "import numpy"


@pytest.mark.parametrize("json", [False, True])
def test_ctrl_c_keeps_the_data_sets_that_are_measured(json, monkeypatch):
    def measured(*arguments: Any, **options: Any) -> Iterator[dict[str, Any]]:
        yield compared()
        raise KeyboardInterrupt

    monkeypatch.setattr(sections, "measure_accuracy", measured)
    result = backlight("bench", "--only", "accuracy", *["--json"] * json)
    assert result.code == 130
    assert "fashion-mnist: accuracy, %: Backlight 98.76, MLP 98.76, tuned 98.76, linear 98.76\n" in result.err
    if json:
        assert result.json["interrupted"] is True
        assert result.json["accuracy"] == [compared()]
    else:
        assert "interrupted: this is what had been measured" in result.out
        assert "fashion-mnist  70,000" in result.out


@pytest.mark.slow
def test_training_is_measured_without_any_peer(monkeypatch):
    monkeypatch.setattr(data, "EXAMPLES", 2000)
    monkeypatch.setattr(training, "PEERS", ())
    result = backlight("bench", "--only", "training", "--workloads", "A", "--rounds", "1", "--threads", "1", "--json")
    assert result.code == 0, result.err
    (workload,) = result.json["workloads"]
    assert workload["name"] == "A"
    assert workload["backlight_us"] > 0
    assert workload["peers"] == {}
    assert workload["best_peer_over_backlight"] is None
    assert workload["share_of_peak"] > 0
    assert "A: round 1 of 1" in result.err


@pytest.mark.parametrize(
    ("message", "options"),
    [
        ("there is no section 'trainin'; did you mean 'training'?", ("--only", "trainin")),
        ("there is no workload 'F'; there are 'A', 'B', 'C', 'D', 'E'", ("--workloads", "A,F")),
        ("there is no data set 'wines' to compare on; did you mean 'wine'?", ("--data", "digits,wines")),
        ("rounds is 0; it must be a whole number of at least 1", ("--rounds", "0")),
        ("threads is 0; it must be a whole number of at least 1", ("--threads", "0")),
    ],
)
def test_bad_options_are_refused(message, options):
    refused_in_one_line(message, "bench", *options)


def compared() -> dict[str, Any]:
    """A comparison of scores with the peers that are installed."""
    system = {"score": 0.9876, "interval": [0.98, 0.99], "scores": [0.9876], "seconds": 1234.5, "chosen": []}
    return {
        "name": "fashion-mnist",
        "score": "accuracy",
        "rows": 70_000,
        "systems": dict.fromkeys(("backlight", "mlp", "mlp_tuned", "linear"), system),
        "ahead": {"mlp": {"mean": -0.12345, "over_rows": [-0.2, -0.1], "over_seeds": [-0.254, 0.218]}},
    }


def everything() -> dict[str, Any]:
    """As large as numbers get."""
    ratios = {peer.key: 123.456 for peer in PEERS}
    workload = {
        "name": "D",
        "what": "784-2048-2048-10 relu, cross-entropy, batch 512",
        "backlight_us": 181180.7,
        "peers": {f"{peer.key}_us": 1139495.1 for peer in PEERS},
        "best_peer_over_backlight": 1.234,
        "share_of_peak": 0.877,
        "over_backlight": ratios,
        "peak_gflops": 190.4,
        "left_out": {},
    }
    alone = {**workload, "peers": {}, "best_peer_over_backlight": None, "over_backlight": {}}
    recorded = {"name": "B", "step_us": 9999.9, "recorded_step_us": 9999.9, "extra_share": 0.0123}
    cost = {"parameters": 9_999_384, "step_us": 46012.0, "gflops": 108.7, "gradient_us": 105726.0}
    return {
        "machine": {
            "processor": "AMD EPYC",
            "cores": 2,
            "load": 3.59,
            "system": "Linux x86_64",
            "versions": {"backlight": "0.1.0", "numpy": "2.4.6"},
            "engine": {"name": "native"},
        },
        "threads": 2,
        "rounds": 7,
        "missing": {"jax": "jax is not installed"},
        "workloads": [workload, {**alone, "left_out": {"jax": "jax is not installed"}}],
        "examples": [
            {**recorded, "norms_us": 543210.0, "norms_over_recorded_step": 65.2},
            {**recorded, "norms_over_recorded_step": None},
        ],
        "augment": [
            {
                "what": "affine and elastic",
                "step_us": 99999.9,
                "added": 12.345,
                "image_us": 123.45,
                "pillow_us": 1234.5,
                "transform_us": 1234.5,
                "pillow_over_image": 123.4,
            },
            {
                "what": "none",
                "step_us": 285.0,
                "added": 0.0,
                "image_us": 0.0,
                "pillow_us": None,
                "transform_us": None,
                "pillow_over_image": None,
            },
        ],
        "cost": [{**cost, "forward_us": 21149.0, "gradient_over_forward": 5.0}],
        "memory": [{"name": "B", "beside_mb": 1.5, "data_mb": 188.2, "parameters_mb": 23.4, "batch_mb": 0.4}],
        "commands": [{"name": "pytorch", "title": "PyTorch", "seconds": 4.44, "installed_mb": 741.1}],
        "explaining": [{"what": "60,000 examples' wishes for one weight", "seconds": 0.746}],
        "imports": [
            {"statement": "import numpy", "seconds": 0.1213, "ratio": 1.0},
            {"statement": "from backlight import Network, Trainer", "seconds": 0.1867, "ratio": 1.51},
        ],
        "labels": [
            {"labels": 1000, **{way.name: {"mean": 0.12345, "errors": [0.12345]} for way in WAYS}},
        ],
        "accuracy": [compared(), {"name": "wine", "left_out": "sklearn is not installed"}],
    }


def test_the_picture_of_labels_is_written(tmp_path):
    write_labels(tmp_path / "labels.svg", everything()["labels"])
    text = (tmp_path / "labels.svg").read_text(encoding="utf-8")
    assert text.startswith("<svg")
    assert all(way.title in text for way in WAYS)


@pytest.mark.parametrize(
    ("message", "options"),
    [
        (
            "--out is the picture of the section labels; give --only labels with it",
            ("--only", "cost", "--out", "a.svg"),
        ),
        ("--out is a.png; name a picture, with .svg at its end", ("--only", "labels", "--out", "a.png")),
    ],
)
def test_a_picture_that_cannot_be_is_refused(message, options):
    refused_in_one_line(message, "bench", *options)


def test_tables_have_room_on_eighty_columns():
    out = io.StringIO()
    show(everything(), Console(file=out, width=80, highlight=False, markup=False, emoji=False))
    text = out.getvalue()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80
    for number in (
        "1,139,495",
        "123.46",
        "87.7%",
        "1234.5%",
        "1.2%",
        "543,210",
        "65.2",
        "105,726",
        "5.00",
        "741",
        "746",
        "1.51",
        "load 3.59",
        "98.76",
        "12.35",
        "encoder: encoder from unlabelled images",
        "-12.35",
        "-25.40 to +21.80",
        "1,234",
        "left out: wine",
    ):
        assert number in text, number
