"""Moves of trainings that penalise and clip: the parts by their definitions, and that they add up."""

from typing import Any

import numpy as np
import pytest

from backlight.explanation.moves import moves, told
from backlight.explanation.parts import Parts
from backlight.explanation.steps import opened_steps, place_of
from backlight.files import Run
from backlight.network import Draws
from backlight.training import SGD, Adam, Momentum
from tests import cases
from tests.explanation import stepping

WAYS: dict[str, dict[str, Any]] = {
    "l1": {"l1": 0.02},
    "l2": {"l2": 0.1},
    "clipped": {"clip": 0.05},
    "clipped examples": {"clip_examples": 0.3},
    "penalised and clipped": {"l1": 0.02, "l2": 0.1, "clip": 0.1, "clip_examples": 0.3, "label_smoothing": 0.2},
    "never clipped": {"clip": 1e9},
    "averaged": {"average": 0.9, "accumulate": 2},
    "normalised": {"norm": "layer", "l2": 0.1, "clip": 0.1, "clip_examples": 0.3},
}


def values(parts: Parts) -> dict[str, float]:
    return {part.name: part.value for part in parts.parts}


def by_hand(training: Any, k: int, weighs: Any, how: dict[str, Any]) -> dict[str, float]:
    """What gradient, penalty and clipping are of parameter k at the step that comes next, one example at a time."""
    network, stretch, smoothing = training.network, training.stretch(training.step, 1), how.get("label_smoothing", 0.0)
    y = (1 - smoothing) * np.eye(3)[stepping.Y] + smoothing / 3
    g, shortened, rows = np.zeros(network.params.size), np.zeros(network.params.size), stretch.rows()
    for n in rows.tolist():
        draws = Draws(training.plan.seed, stretch.epoch, np.array([n]))
        own = network.backward(network.forward(stepping.X[n : n + 1], draws), y[n : n + 1]).gradient()
        g += own / len(rows)
        shortened += own / len(rows) * min(1, how.get("clip_examples", np.inf) / np.linalg.norm(own))
    penalty = weighs * (how.get("l1", 0.0) * np.sign(network.params) + how.get("l2", 0.0) * network.params)
    shortened += penalty
    shortened *= min(1, how.get("clip", np.inf) / np.linalg.norm(shortened))
    return {"gradient": g[k], "penalty": penalty[k], "clipping": (shortened - g - penalty)[k]}


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("optimizer", [SGD(0.05), Momentum(0.8), Adam(0.8, 0.9, 1e-4, weight_decay=0.05)])
def test_parts_are_those_of_the_definition_and_add_up(engine, way, optimizer):
    how = WAYS[way]
    for weight in stepping.weights_of(stepping.started(optimizer, dropout=0.2, norm=how.get("norm"))):
        training = stepping.started(optimizer, dropout=0.2, engine=engine, **how)
        weighs = np.zeros(training.network.params.size)
        for _, dense, place in training.network.dense_layers():
            weighs[place.start : place.start + dense.W.size] = 1
        k = place_of(training, weight)
        training.advance_to(2)
        expected = by_hand(training, k, weighs, how)
        found = stepping.opened(training, optimizer, weight, 2, 3)
        parts = values(found.parts)
        gain = parts["gradient"] / expected["gradient"]
        named = {"gradient", *(["penalty"] if {"l1", "l2"} & set(how) and weight.source is not None else [])}
        named |= {"clipping"} if {"clip", "clip_examples"} & set(how) else set()
        assert {"gradient", "penalty", "clipping"} & set(parts) == named
        for name in named:
            assert parts[name] == pytest.approx(gain * expected[name], rel=1e-8, abs=1e-12)
        assert abs(found.parts.sum - found.parts.whole) <= found.limit < 1e-10
        assert not found.warnings
        begun = stepping.started(optimizer, dropout=0.2, engine=engine, **how)
        longer = stepping.opened(begun, optimizer, weight, 1, 9)
        assert abs(longer.parts.sum - longer.parts.whole) <= longer.limit < 1e-10


@pytest.mark.parametrize("engine", cases.ENGINES)
@pytest.mark.parametrize(
    "how", [{"clip": 0.1, "accumulate": 2, "average": 0.9}, {"freeze": 1}, {"clip": 0.1, "freeze": 1}]
)
def test_parts_add_up_with_normalised_batches(engine, how):
    optimizer = Momentum(0.8)
    for weight in stepping.weights_of(stepping.started(optimizer, norm="batch")):
        begun = stepping.started(optimizer, norm="batch", engine=engine, **how)
        if weight.layer not in begun.plan.frozen:
            steps = list(opened_steps(begun, optimizer, weight, 8))
            found = told(begun, weight, 0, steps, ("source", "unit"))
            assert abs(found.parts.sum - found.parts.whole) <= found.limit < 1e-10
            assert not found.warnings


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    given: dict[str, Any] = {
        "l1": 1e-4,
        "l2": 1e-3,
        "clip": 0.5,
        "clip_examples": 2.0,
        "average": 0.9,
        "label_smoothing": 0.1,
        "dropout": 0.0,
    }
    return stepping.trained_run(tmp_path_factory.mktemp("runs") / "all", accumulate=2, weight_decay=0.1, **given)


@pytest.mark.parametrize("weight", ["0:3:20", "0:2:b", "2:1:4"])
def test_parts_of_a_run_add_up_in_float32(run, weight):
    found = moves(run, weight, 0, run.taken)
    assert not found.warnings
    assert {"gradient", "clipping", "momentum", "rounding"} <= set(values(found.parts))
    assert ("penalty" in values(found.parts)) == (weight != "0:2:b")
    assert found.parts.sum == pytest.approx(found.parts.whole, abs=1e-12)
    assert abs(values(found.parts)["rounding"]) <= found.limit < 1e-3 * abs(found.parts.whole) + 1e-4
    assert "the penalties l1 and l2" in "".join(map(str, found.blocks())) or weight == "0:2:b"
