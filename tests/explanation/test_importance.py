"""Permutation importance: by definition, of columns with known causes, and bounded in rows."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backlight.errors import InputError
from backlight.explanation import importance, open_moment
from backlight.network import Network
from backlight.plots import Gallery
from backlight.randomness import Purpose, permutation
from backlight.training import Evaluation, Trainer, evaluate
from tests import cases
from tests.explanation.known import CAUSES
from tests.explanation.made import is_plain

MODULE = import_module("backlight.explanation.importance")


@pytest.mark.parametrize("run", ["known_size", "known_group"])
def test_the_true_columns_are_named_first(run: str, request: pytest.FixtureRequest) -> None:
    told = importance(request.getfixturevalue(run))
    assert {row.column for row in told.columns[:3]} == CAUSES
    assert len(told.columns) == 20
    third, fourth = told.columns[2:4]
    assert third.drop is not None
    assert fourth.drop is not None
    assert third.drop > 2 * abs(fourth.drop)
    assert min(row.rise for row in told.columns[:3]) > 2 * max(abs(row.rise) for row in told.columns[3:])
    is_plain(told)


@pytest.mark.parametrize(("run", "score"), [("known_size", "r2"), ("known_group", "accuracy")])
def test_it_is_what_measuring_shuffled_rows_gives(run: str, score: str, request: pytest.FixtureRequest) -> None:
    """Whole rows with whole columns in another order, measured by the engine."""
    moment = open_moment(request.getfixturevalue(run))
    x, y = moment.dataset.part("test")
    told = importance(moment, repeats=2, seed=3)
    network = moment.network.copy("float32")

    def metrics(rows: Any) -> dict[str, Any]:
        return evaluate(network, Evaluation(rows, y), moment.loss)

    assert (told.score, told.part, told.rows, told.of) == (score, "the test part", len(x), len(x))
    assert told.value == pytest.approx(metrics(x)[score], abs=1e-6)
    assert told.loss == pytest.approx(metrics(x)["loss"], rel=1e-5)
    by_name = {row.column: row for row in told.columns}
    for column, first, end in moment.dataset.inputs.spans[8:14]:
        drops, rises = [], []
        for repeat in range(2):
            shuffled = x.copy()
            shuffled[:, first:end] = x[permutation(3, Purpose.PERMUTING, len(x), place=(repeat, 0))][:, first:end]
            drops.append(told.value - metrics(shuffled)[score])
            rises.append(metrics(shuffled)["loss"] - told.loss)
        row = by_name[column]
        assert row.drop == pytest.approx(np.mean(drops), abs=1e-5)
        assert row.drop_spread == pytest.approx(np.std(drops, ddof=1), abs=1e-5)
        assert row.rise == pytest.approx(np.mean(rises), rel=1e-3, abs=1e-5)
        assert row.rise_spread == pytest.approx(np.std(rises, ddof=1), rel=1e-2, abs=1e-5)


def test_the_same_seed_gives_the_same_numbers(known_group: Path) -> None:
    assert importance(known_group, seed=1) == importance(known_group, seed=1)
    assert importance(known_group, seed=1) != importance(known_group, seed=2)


def test_a_column_that_is_not_used_is_not_needed_at_all() -> None:
    network = Network.mlp(3, 5, 2, seed=0)
    network.state_dict()["0.weight"][:, 1] = 0.0
    x, y = cases.some((50, 3), 1), np.arange(50) % 2
    unused = next(row for row in importance(network, x, y).columns if row.column == "x1")
    assert (unused.drop, unused.drop_spread, unused.rise, unused.rise_spread) == (0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("layers", "output"), [((4, 1), "identity"), ((4, 6, 5, 2), "logistic"), ((4, 3), "softmax")])
def test_any_network_will_do(layers: tuple[int, ...], output: str) -> None:
    network = Network.mlp(*layers, hidden="gelu", output=output, dropout=0.2, seed=0)
    x = cases.some((60, 4), 1)
    y = np.arange(60) % 3 if output == "softmax" else (cases.some((60, layers[-1]), 2) > 0).astype(np.float32)
    told = importance(network, x, y, repeats=1)
    assert told.columns[0].rise_spread is None
    assert told.loss == pytest.approx(float(network.losses(network.forward(x), y).mean()), rel=1e-5)


def test_targets_that_are_all_the_same_have_no_score_but_a_loss() -> None:
    network = Network.mlp(2, 1, output="identity", seed=0)
    told = importance(network, cases.some((30, 2), 1), np.ones(30))
    assert told.value is None
    assert told.columns[0].drop is None
    assert told.columns[0].rise >= told.columns[1].rise
    is_plain(told)


def test_columns_that_say_the_same_stand_in_for_each_other() -> None:
    """Twins that a network draws on alike each seem less important than the same column alone."""
    one = cases.some((400, 1), 1).astype(np.float32)
    y = (one[:, 0] > 0).astype(np.int64)

    def rise(x: Any) -> float:
        network = Network.mlp(x.shape[1], 16, 2, seed=0)
        for _ in Trainer(network, lr=0.01, epochs=20, seed=0).run(x, y):
            pass
        return importance(network, x, y).columns[0].rise

    assert rise(np.hstack([one, one])) < 0.8 * rise(one)


def test_rows_are_drawn_where_all_would_take_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = Network.mlp(2, 2, seed=0), cases.some((5000, 2), 1)
    y = (x[:, 0] > 0).astype(np.int64)
    monkeypatch.setattr(MODULE, "_WORK", 1e4)
    told = importance(network, x, y)
    assert (told.rows, told.of) == (1000, 5000)
    assert "1,000 examples drawn from 5,000" in told.blocks()[1].text  # type: ignore[union-attr]
    monkeypatch.setattr(MODULE, "_FEWEST", 100)
    monkeypatch.setattr(MODULE, "_WORK", 1e12)
    monkeypatch.setattr(MODULE, "_MEMORY", 800)
    assert importance(network, x, y).rows == 200


@pytest.mark.parametrize(
    ("shape", "side", "count"), [((8, 8), 1, 64), ((28, 28), 4, 49), ((30, 20), 4, 40), ((28, 28, 3), 4, 49)]
)
def test_images_are_shuffled_square_by_square(shape: tuple[int, ...], side: int, count: int) -> None:
    squares = MODULE._squares(shape)
    assert len(squares) == count
    assert sorted(np.concatenate([inputs for _, inputs in squares]).tolist()) == list(range(np.prod(shape)))
    assert max(len(inputs) for _, inputs in squares) == side * side * (shape[2] if len(shape) == 3 else 1)


def test_images_have_heat_maps(digits: Path) -> None:
    told = importance(digits, repeats=2)
    gallery = next(block for block in told.blocks() if isinstance(block, Gallery))
    best = told.columns[0]
    assert best.drop == pytest.approx(gallery.pictures[0].values.max())
    row, column = (int(number) for number in best.column.removeprefix("pixel ").split(","))
    assert gallery.pictures[1].values[row, column] == best.rise
    is_plain(told)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": np.zeros((2, 3))}, "x and y go together"),
        ({"x": np.zeros((1, 3)), "y": [0]}, "has 1 row, and shuffling needs at least 2"),
        ({"x": np.zeros((4, 2)), "y": [0, 1, 0, 1]}, "x has 2 columns"),
        ({"x": np.zeros((4, 3)), "y": [0, 1, 0, 1], "part": "test"}, "leave it out where x and y are given"),
        ({"x": np.zeros((4, 3)), "y": [0, 1, 0, 1], "repeats": 0}, "repeats is 0"),
        ({}, "a network on its own has no data"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        importance(Network.mlp(3, 4, 2), **arguments)


def test_a_part_that_does_not_exist_is_refused(known_group: Path) -> None:
    assert importance(known_group, part="train", repeats=1).part == "the train part"
    with pytest.raises(InputError, match="the run's data have no validation part"):
        importance(known_group, part="validation")  # a small table, learnt from whole
    with pytest.raises(InputError, match="did you mean 'test'"):
        importance(known_group, part="tets")
