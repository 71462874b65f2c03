"""Scores and intervals: by definition, and from real processes."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.bench import accuracy
from backlight.bench.accuracy import Answers, measure_accuracy, over_seeds, resampled, score, told
from backlight.bench.real_data import REAL_DATA
from backlight.scoring.metrics import regression_metrics


def answers(seed: int, rows: Any, y: Any, **predicted: Any) -> Answers:
    seconds = dict.fromkeys(predicted, 1.0 + seed)
    found = {key: np.array(values) for key, values in predicted.items()}
    return Answers(np.array(rows), np.array(y), found, seconds, {"mlp": f"chosen {seed}"})


def test_r2_is_that_of_the_reports():
    y, predicted = np.array([1.0, 2.0, 4.0]), np.array([1.5, 2.0, 3.0])
    told = regression_metrics(np.zeros(3), predicted[:, None], y[:, None])["r2"]
    assert score(y, predicted) == pytest.approx(told)


@pytest.mark.parametrize("y", [np.array([0, 1, 1, 2]), np.array([0.0, 1.0, 1.5, 2.0])])
def test_a_row_that_counts_twice_is_as_good_as_two_rows(y):
    predicted, counts = y[[0, 1, 3, 3]], np.array([2, 0, 3, 1])
    twice = np.repeat(np.arange(4), counts)
    assert score(y, predicted, counts) == pytest.approx(score(y[twice], predicted[twice]))


def test_rows_drawn_anew_spread_as_a_binomial_does():
    right = np.arange(400) % 4 > 0
    one = answers(0, np.arange(400), np.ones(400, np.int64), backlight=right.astype(np.int64))
    drawn = resampled([one])["backlight"]
    assert drawn.mean() == pytest.approx(0.75, abs=0.005)
    assert drawn.std() == pytest.approx(np.sqrt(0.75 * 0.25 / 400), rel=0.1)


def test_rows_that_two_seeds_share_are_not_taken_for_independent():
    right = (np.arange(200) % 4 > 0).astype(np.int64)
    same = [answers(seed, np.arange(200), np.ones(200, np.int64), backlight=right) for seed in range(2)]
    assert (resampled(same)["backlight"] == resampled(same[:1])["backlight"]).all()


def test_what_backlight_is_ahead_by_is_paired():
    found = told(
        [
            answers(0, range(40), [0, 1] * 20, backlight=[0, 1] * 20, mlp=[0] * 40),
            answers(1, range(20, 60), [0, 1] * 20, backlight=[0, 1] * 10 + [0] * 20, mlp=[0] * 40),
        ]
    )
    assert found["systems"]["backlight"] | {"interval": None} == {
        "score": 0.875,
        "interval": None,
        "scores": [1.0, 0.75],
        "seconds": 1.5,
        "chosen": [],
    }
    assert found["systems"]["mlp"]["chosen"] == ["chosen 0", "chosen 1"]
    ahead = found["ahead"]["mlp"]
    assert ahead["mean"] == 0.375
    assert ahead["over_seeds"] == over_seeds([0.5, 0.25])
    low, high = ahead["over_rows"]
    assert 0 < low < 0.375 < high  # Backlight is never behind, whichever rows are drawn
    assert told([answers(0, [0, 1], [0, 1], backlight=[0, 1])])["ahead"] == {}


def test_students_interval_is_that_of_the_textbook():
    low, high = over_seeds([1.0, 2.0, 3.0, 4.0, 5.0]) or (0, 0)
    assert (low, high) == pytest.approx((3 - 1.963, 3 + 1.963), abs=2e-4)  # 2.776 √(2.5 / 5)
    assert over_seeds([1.0]) is None


class Process:
    """A worker that answers at once, and keeps what it was asked."""

    asked: list[dict[str, Any]] = []  # noqa: RUF012 - emptied by the test

    def __init__(self, folder: Path, threads: int) -> None: ...

    def __enter__(self) -> "Process":
        return self

    def __exit__(self, *error: object) -> None: ...

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        self.asked.append({"do": do, **arguments})
        return {
            "facts": {"score": "accuracy", "rows": 6, "inputs": 2, "classes": 2},
            "rows": [0, 1],
            "y": [0, 1],
            "predicted": {"backlight": [0, 1], "mlp_tuned": [0, 0]},
            "seconds": {"backlight": 0.1, "mlp_tuned": 2.0},
            "chosen": {"mlp_tuned": f"choice of seed {arguments['seed']}"},
        }


def test_every_seed_is_asked_for_and_the_first_choice_is_handed_on(monkeypatch, tmp_path):
    monkeypatch.setattr(accuracy, "WorkerProcess", Process)
    monkeypatch.delenv("BACKLIGHT_DATA", raising=False)
    Process.asked.clear()
    said: list[str] = []
    chosen = [REAL_DATA["penguins"], REAL_DATA["housing"]]
    rows = measure_accuracy(chosen, tmp_path, seeds=2, threads=1, say=said.append)
    penguins = next(rows)
    (housing,) = rows
    assert said == ["penguins: seed 0", "penguins: seed 1"]
    assert [asked["chosen"] for asked in Process.asked] == [{}, {"mlp_tuned": "choice of seed 0"}]
    assert (penguins["name"], penguins["rows"]) == ("penguins", 6)
    assert penguins["ahead"]["mlp_tuned"]["mean"] == 0.5
    assert housing["left_out"].startswith("there is no housing.csv")
