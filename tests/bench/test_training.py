"""What follows from times, and who is left out."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from backlight.bench import training
from backlight.bench.processes import WorkerFailedError
from backlight.bench.systems import BACKLIGHT, PEAK, System
from backlight.bench.training import Measured, measure_training
from backlight.bench.workloads import WORKLOADS

B = WORKLOADS["B"]
MEASURED = Measured(
    B,
    {"backlight": [2e-4, 1e-4, 3e-4], "jax": [4e-4, 5e-4, 3e-4], "pytorch": [6e-4, 6e-4, 6e-4]},
    {"backlight": "engine native", "jax": "scan", "pytorch": "eager"},
    [4e11, 2e11, 6e11],
    {"scikit_learn": "not installed"},
)


def test_ratios_are_those_of_medians_and_those_of_rounds_stand_beside():
    assert MEASURED.over_backlight() == pytest.approx({"jax": 2.0, "pytorch": 3.0})
    assert MEASURED.over_backlight_per_round()["jax"] == pytest.approx([2.0, 5.0, 1.0])


def test_the_share_of_the_peak_is_operations_over_operations():
    assert MEASURED.share_of_peak() == pytest.approx(B.flops_per_step / 2e-4 / 4e11)


def test_plain_data_have_the_keys_that_are_promised():
    found = MEASURED.as_dict()
    assert found["name"] == "B"
    assert found["backlight_us"] == 200.0
    assert found["peers"] == {"jax_us": 400.0, "pytorch_us": 600.0}
    assert found["best_peer_over_backlight"] == 2.0
    assert found["share_of_peak"] == round(MEASURED.share_of_peak(), 4)
    assert found["left_out"] == {"scikit_learn": "not installed"}


def test_without_peers_there_is_no_best_one():
    alone = Measured(B, {"backlight": [1e-4]}, {}, [2e11], {})
    assert alone.as_dict()["best_peer_over_backlight"] is None


class Desk:
    """Stands for all processes: answers at once, and notes who worked when."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self.answers, self.worked = answers, list[str]()

    def process(self, folder: Path, threads: int) -> Any:
        return nullcontext(_Asked(self))


class _Asked:
    def __init__(self, desk: Desk) -> None:
        self.desk, self.system = desk, ""

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        if do == "steps":
            self.desk.worked.append(self.system)
            return {"seconds": 0.5}
        self.system = arguments["system"]
        answer = self.desk.answers[self.system]
        if "error" in answer:
            raise WorkerFailedError(answer["error"])
        return {"form": "", "steps": 5, "flops_per_step": 1, **answer}


def peer(key: str, package: str = "numpy") -> System:
    return System(key, key, key, "", "", package)


def measured(monkeypatch: pytest.MonkeyPatch, peers: tuple[System, ...], **answers: dict[str, Any]) -> Any:
    desk = Desk({BACKLIGHT.key: {"objective": 2.0}, PEAK.key: {"objective": None}, **answers})
    monkeypatch.setattr(training, "WorkerProcess", desk.process)
    monkeypatch.setattr(training, "PEERS", peers)
    said: list[str] = []
    return measure_training(B, Path(), rounds=3, threads=2, say=said.append), desk


def test_every_system_works_once_a_round_and_another_begins_each_time(monkeypatch):
    found, desk = measured(monkeypatch, (peer("one"),), one={"objective": 2.0001})
    ours, peak = BACKLIGHT.key, PEAK.key
    assert desk.worked == [ours, peak, "one", peak, "one", ours, "one", ours, peak]
    assert found.seconds == {ours: [0.1] * 3, "one": [0.1] * 3}
    assert found.peak == [10.0] * 3


def test_peers_that_are_missing_fail_or_compute_something_else_are_left_out_and_it_is_said_why(monkeypatch):
    peers = (peer("absent", "no_such_package"), peer("broken"), peer("other"), peer("own"))
    answers: dict[str, dict[str, Any]] = {
        "broken": {"error": "it broke"},
        "other": {"objective": 2.1},
        "own": {"objective": None},
    }
    found, _ = measured(monkeypatch, peers, **answers)
    assert set(found.seconds) == {BACKLIGHT.key, "own"}
    assert "make bench" in found.left_out["absent"]
    assert found.left_out["broken"] == "it broke"
    assert found.left_out["other"] == "its objective after the first steps is 2.1, and Backlight's is 2"


def test_backlight_itself_is_not_left_out(monkeypatch):
    with pytest.raises(WorkerFailedError, match="no engine"):
        measured(monkeypatch, (), backlight={"error": "no engine"})
